# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters: nodes that share resources, in a datacenter."""

from __future__ import annotations

from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Change, Field
from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import Kind, KindSpec, Request
from ansible_collections.pextra.ce.plugins.module_utils.engine.world import World
from ansible_collections.pextra.ce.plugins.module_utils.kinds.common import DESCRIPTION, NAME


class Cluster(Kind):
    """A group of nodes."""

    spec = KindSpec(
        name="cluster",
        table="clusters",
        prefix="cls",
        fields=(
            NAME,
            Field("datacenter", ref="datacenter", required=True, change=Change.IMMUTABLE),
            DESCRIPTION,
        ),
        scope=("datacenter_id",),
        needs=("organization", "datacenter", "node", "storage_pool"),
        rank=30,
    )

    def resolve(self, request: Request, world: World) -> dict[str, Any]:
        """The datacenter, the only one where none is named, and its organization."""
        found = super().resolve(request, world)
        if "id" not in request.values and "datacenter_id" not in found:
            found["datacenter_id"] = world.only("datacenter", request.label)["id"]
        datacenter = world.get("datacenter", found.get("datacenter_id"))
        if datacenter is not None:
            found["organization_id"] = datacenter["organization_id"]
        return found
