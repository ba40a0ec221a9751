# SPDX-License-Identifier: Apache-2.0
"""Clusters: nodes that share resources, in a datacenter."""

from __future__ import annotations

from typing import Any

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds.cluster.fields import COMPUTED, FIELDS
from pextra.model.request import Request
from pextra.model.spec import KindSpec


class Cluster(Kind):
    """A group of nodes."""

    spec = KindSpec(
        name="cluster",
        table="clusters",
        prefix="cls",
        fields=FIELDS,
        computed=COMPUTED,
        scope=("datacenter_id",),
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
