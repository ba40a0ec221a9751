# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is returned of a datacenter."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.info.spec import Info, count_of

DATACENTER = Info(
    kind="datacenter",
    plural="datacenters",
    columns=("id", "organization_id", "name", "description", "location", "creation"),
    parents=("organization",),
    computed={"cluster_count": count_of("cluster", "datacenter_id")},
)
