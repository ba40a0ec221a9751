# SPDX-License-Identifier: Apache-2.0
"""Nodes: the servers. A node registers itself, with facts that it reads from its own kernel."""

from __future__ import annotations

from typing import Any

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds.node.fields import COMPUTED, FIELDS
from pextra.model.errors import ConflictError
from pextra.model.fields import Row
from pextra.model.request import Request
from pextra.model.spec import KindSpec


class Node(Kind):
    """A server of a cluster."""

    spec = KindSpec(
        name="node",
        table="nodes",
        prefix="node",
        fields=FIELDS,
        computed=COMPUTED,
        scope=("cluster_id",),
        moments=("creation", "last_seen"),
        hidden=("host_key",),
        rank=40,
    )  # fmt: skip

    def resolve(self, request: Request, world: World) -> dict[str, Any]:
        """The cluster, the only one where none is named, and its organization."""
        found = super().resolve(request, world)
        if "id" not in request.values and "cluster_id" not in found:
            found["cluster_id"] = world.only("cluster", request.label)["id"]
        cluster = world.get("cluster", found.get("cluster_id"))
        if cluster is not None:
            found["organization_id"] = cluster["organization_id"]
        return found

    def draft(self, request: Request, current: Row | None, row: Row, world: World) -> None:
        """Add this machine's facts when the node is this machine."""
        if current is None:
            registered = world.by("node", "host_key", world.host.key)
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
                row.update(known, last_seen=facts.now())
