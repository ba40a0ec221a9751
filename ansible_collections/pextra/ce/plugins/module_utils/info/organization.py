# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is returned of an organization."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.info.spec import Info, count_of

ORGANIZATION = Info(
    kind="organization",
    plural="organizations",
    columns=("id", "name", "description", "creation"),
    computed={
        "datacenter_count": count_of("datacenter", "organization_id"),
        "cluster_count": count_of("cluster", "organization_id"),
        "user_count": count_of("user", "organization_id"),
    },
)
