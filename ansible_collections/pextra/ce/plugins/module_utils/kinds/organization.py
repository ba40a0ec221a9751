# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Organizations: the tenants. The first is the root organization, the owner of the deployment."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import Kind, KindSpec
from ansible_collections.pextra.ce.plugins.module_utils.kinds.common import DESCRIPTION, NAME


class Organization(Kind):
    """A tenant."""

    spec = KindSpec(
        name="organization",
        table="organizations",
        prefix="org",
        fields=(NAME, DESCRIPTION),
        needs=("datacenter", "user"),
        rank=10,
    )
