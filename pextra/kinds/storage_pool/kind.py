# SPDX-License-Identifier: Apache-2.0
"""Storage pools of a cluster, and how each enabled node realises them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.engine.world import World, several
from pextra.host.pools import options
from pextra.kinds.storage_pool.fields import FIELDS, SECRETS, STEERING
from pextra.model import kinds
from pextra.model.errors import ConflictError
from pextra.model.names import Key
from pextra.model.request import Request
from pextra.model.spec import KindSpec
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.model.rows import StoragePoolRow

_UNSETTLED = ("pending", "updating", "deleting")
"""The status of what some node may still have to do its part of."""


class StoragePool(Kind["StoragePoolRow", None]):
    """A pool as the cluster's configuration has it."""

    spec = KindSpec(
        name=kinds.STORAGE_POOL,
        table="storage_pools",
        prefix="pool",
        fields=FIELDS,
        options=STEERING,
        scope=("cluster_id",),
        hidden=(SECRETS,),
        rank=60,
        on_host=True,
    )

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The cluster: the named one, this node's, or the only one."""
        found = super().resolve(request, world)
        if "id" not in request.values and "cluster_id" not in found:
            here = world.get(kinds.NODE, world.here)
            found["cluster_id"] = (
                here["cluster_id"] if here else world.only(kinds.CLUSTER, request.label)["id"]
            )
        return found

    def draft(
        self, request: Request, current: StoragePoolRow | None, row: StoragePoolRow, world: World
    ) -> None:
        """Check the options with the pool's type, and keep its credentials apart."""
        if current is not None and not request.values.get("options"):
            return  # its credentials need not be given again
        shown, given = options.normalise(row["type"], row["options"] or {}, row["name"])
        if current is None:
            row["secrets"] = given
        else:
            if shown != current["options"]:
                raise ConflictError(
                    f"options cannot change from {current['options']} to {shown}",
                    resource=request.label,
                    hint="Create another pool; only its credentials can change",
                )
            row["secrets"] = {**current["secrets"], **given}
        row["options"] = shown
        if current is not None:
            return  # what it cannot be beside was looked at when it was made, and stays
        for other in world.by(kinds.STORAGE_POOL, "cluster_id", row["cluster_id"]):
            why = options.conflict(row["type"], shown, other["type"], other["options"])
            if why:
                raise ConflictError(
                    f'it conflicts with pool "{other["name"]}": {why}', resource=request.label
                )

    def take_back(self, request: Request, row: StoragePoolRow, world: World) -> None:
        """The nodes that have not let go of it keep it."""
        for item in world.by(kinds.STORAGE_POOL_NODE, "storage_pool_id", row["id"]):
            if item["status"] == "deleting":
                world.keep(kinds.STORAGE_POOL_NODE, item["id"])

    def touched(
        self, before: StoragePoolRow | None, after: StoragePoolRow | None, world: World
    ) -> Iterable[Key]:
        """Its association with this node, which takes over other credentials."""
        if before is not None and after is not None and before["secrets"] != after["secrets"]:
            place = {"storage_pool_id": after["id"], "node_id": world.here}
            for item in world.where(kinds.STORAGE_POOL_NODE, place):
                yield kinds.STORAGE_POOL_NODE, item["id"]

    def present(self, row: StoragePoolRow, world: World) -> Document:
        """The pool, and how far each of its nodes has it, as that node said last."""
        nodes = []
        for item in world.by(kinds.STORAGE_POOL_NODE, "storage_pool_id", row["id"]):
            node = world.get(kinds.NODE, item["node_id"])
            nodes.append(
                {
                    "node_id": item["node_id"],
                    "name": node["name"] if node else None,
                    "status": item["status"],
                    "error": item["error"],
                }
            )
        nodes.sort(key=lambda item: str(item["name"]))
        return {**self.spec.public(row), "nodes": nodes}

    def names(self, request: Request) -> Iterable[Key]:
        """Its own, and those of its nodes."""
        yield from super().names(request)
        for node in request.values.get("nodes") or ():
            yield kinds.NODE, node

    def expand(self, request: Request, world: World) -> Iterable[Request]:
        """The pool, and its association with each enabled node."""
        yield request
        if request.state == "absent" or "nodes" not in request.values:
            return
        name = request.values.get("name") or request.values["id"]
        cluster = self.resolve(request, world).get("cluster_id")
        pool = world.require(kinds.STORAGE_POOL, name, {"cluster_id": cluster} if cluster else None)
        scope = {"cluster_id": pool["cluster_id"]}
        world.by(kinds.STORAGE_POOL_NODE, "storage_pool_id", pool["id"])  # all at once
        wanted = {world.require(kinds.NODE, ref, scope)["id"] for ref in request.values["nodes"]}
        for node in sorted(wanted):
            yield _association("present", pool, node, request)
        if request.options.get("purge_nodes"):
            for item in world.by(kinds.STORAGE_POOL_NODE, "storage_pool_id", pool["id"]):
                if item["node_id"] not in wanted and item["status"] != "deleting":
                    yield _association("absent", pool, item["node_id"], request)

    def retire(self, request: Request, current: StoragePoolRow, world: World) -> None:
        """Mark every association for removal; the name stays taken until all are gone."""
        refuse_volumes(world, current, None, request.label)
        for item in world.by(kinds.STORAGE_POOL_NODE, "storage_pool_id", current["id"]):
            world.retire(kinds.STORAGE_POOL_NODE, item["id"])

    def realised(self, row: StoragePoolRow, world: World) -> bool:
        """A pool goes only when no other node still has it."""
        if row["status"] != "deleting":
            return True
        left = world.by(kinds.STORAGE_POOL_NODE, "storage_pool_id", row["id"])
        return all(item["node_id"] == world.here for item in left)

    def on_this_node(self, world: World) -> Iterable[StoragePoolRow]:
        """The pools that are or were enabled here, and those of the cluster that change."""
        here = world.get(kinds.NODE, world.here)
        if here is None:
            return ()
        associations = world.by(kinds.STORAGE_POOL_NODE, "node_id", here["id"])
        rows = [world.row(kinds.STORAGE_POOL, item["storage_pool_id"]) for item in associations]
        for status in _UNSETTLED:
            rows += world.where(
                kinds.STORAGE_POOL, {"cluster_id": here["cluster_id"], "status": status}
            )
        return list({row["id"]: row for row in rows}.values())

    def shown_by(self, row: StoragePoolRow, world: World) -> Iterable[Key]:
        """What this node has of it; and itself, so that what goes is gone with the last node."""
        place = {"storage_pool_id": row["id"], "node_id": world.here}
        for item in world.where(kinds.STORAGE_POOL_NODE, place):
            yield kinds.STORAGE_POOL_NODE, item["id"]
        if row["status"] != "ready":
            yield kinds.STORAGE_POOL, row["id"]


def _association(state: str, pool: StoragePoolRow, node: str, request: Request) -> Request:
    values = {"name": pool["name"], "storage_pool": pool["id"], "node": node}
    return Request(kinds.STORAGE_POOL_NODE, state, values, request.options, request.position)


def refuse_volumes(world: World, pool: StoragePoolRow, node: str | None, resource: str) -> None:
    """Refuse to let a pool go that holds volumes.

    Raises:
        ConflictError: It holds volumes.
    """
    where = {"storage_pool_id": pool["id"]} | ({"node_id": node} if node else {})
    held = world.staying(kinds.VOLUME, where)
    if held:
        names = ", ".join(sorted(str(volume["name"]) for volume in held)[:5])
        raise ConflictError(
            f"it still holds {several(held)} volumes: {names}",
            resource=resource,
            hint="Destroy the volumes first",
        )


def pool_on_node(pool: StoragePoolRow, node: str, world: World, resource: str) -> None:
    """Refuse a pool that is not enabled on a node.

    Raises:
        ConflictError: The pool is not enabled there, or is going.
    """
    place = {"storage_pool_id": pool["id"], "node_id": node}
    found = [
        row for row in world.where(kinds.STORAGE_POOL_NODE, place) if row["status"] != "deleting"
    ]
    if not found or pool["status"] == "deleting":
        raise ConflictError(
            f'storage pool "{pool["name"]}" is not enabled on this node',
            resource=resource,
            hint="Add the node to the pool's nodes first",
        )
