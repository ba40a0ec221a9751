# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of resource, by name."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import Kind
from ansible_collections.pextra.ce.plugins.module_utils.kinds import on_node
from ansible_collections.pextra.ce.plugins.module_utils.kinds.datacenter import Datacenter
from ansible_collections.pextra.ce.plugins.module_utils.kinds.node_license import NodeLicense
from ansible_collections.pextra.ce.plugins.module_utils.kinds.organization import Organization
from ansible_collections.pextra.ce.plugins.module_utils.kinds.user import User

KINDS: dict[str, Kind] = {
    kind.spec.name: kind
    for kind in sorted(
        (Organization(), Datacenter(), User(), NodeLicense(), *on_node.KINDS.values()),
        key=lambda kind: kind.spec.rank,
    )
}

MANIFEST_KINDS = tuple(name for name, kind in KINDS.items() if kind.spec.owned_by is None)
"""The kinds that users name; the others are parts of these."""
