# SPDX-License-Identifier: Apache-2.0
"""Nodes: the servers. A node registers itself, with facts that it reads from its own kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds.node.fields import COMPUTED, FIELDS
from pextra.model import kinds
from pextra.model.errors import ConflictError
from pextra.model.fields import Field
from pextra.model.request import Request
from pextra.model.spec import KindSpec

if TYPE_CHECKING:
    from pextra.model.rows import NodeRow


class Node(Kind["NodeRow", None]):
    """A server of a cluster."""

    spec = KindSpec(
        name=kinds.NODE,
        table="nodes",
        prefix="node",
        fields=FIELDS,
        computed=COMPUTED,
        scope=("cluster_id",),
        moments=("creation", "last_seen"),
        hidden=(Field("host_key"),),
        rank=40,
    )  # fmt: skip

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The cluster, the only one where none is named, and its organization."""
        found = super().resolve(request, world)
        if "id" not in request.values and "cluster_id" not in found:
            found["cluster_id"] = world.only(kinds.CLUSTER, request.label)["id"]
        cluster = world.get(kinds.CLUSTER, found.get("cluster_id"))
        if cluster is not None:
            found["organization_id"] = cluster["organization_id"]
        return found

    def draft(self, request: Request, current: NodeRow | None, row: NodeRow, world: World) -> None:
        """Add this machine's facts when the node is this machine."""
        if current is None:
            registered = world.by(kinds.NODE, "host_key", world.host.key)
            if registered:
                raise ConflictError(
                    f'this machine is registered as node "{registered[0]["name"]}" already',
                    resource=request.label,
                    hint="Use that name, or rename the node by its id",
                )
            row["host_key"] = world.host.key
        if row["host_key"] == world.host.key:
            from pextra.host import facts

            known = facts.gather()
            if any(row.get(key) != value for key, value in known.items()):
                row.update({**row, **known, "last_seen": facts.now()})
