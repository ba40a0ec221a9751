# SPDX-License-Identifier: Apache-2.0
"""Clusters: nodes that share resources, in a datacenter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds.cluster.fields import COMPUTED, FIELDS
from pextra.model import kinds
from pextra.model.request import Request
from pextra.model.spec import KindSpec

if TYPE_CHECKING:
    from pextra.model.rows import ClusterRow  # noqa: F401 - the base class says it


class Cluster(Kind["ClusterRow", None]):
    """A group of nodes."""

    spec = KindSpec(
        name=kinds.CLUSTER,
        table="clusters",
        prefix="cls",
        fields=FIELDS,
        computed=COMPUTED,
        scope=("datacenter_id",),
        rank=30,
    )

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The datacenter, the only one where none is named, and its organization."""
        found = super().resolve(request, world)
        if "id" not in request.values and "datacenter_id" not in found:
            found["datacenter_id"] = world.only(kinds.DATACENTER, request.label)["id"]
        datacenter = world.get(kinds.DATACENTER, found.get("datacenter_id"))
        if datacenter is not None:
            found["organization_id"] = datacenter["organization_id"]
        return found
