# SPDX-License-Identifier: Apache-2.0
"""A storage pool on one node: what libvirt there knows of it. Part of the pool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.host.machine import Host
from pextra.host.pools.types import backend, pool_of
from pextra.kinds.storage_pool.kind import refuse_volumes
from pextra.model import ids
from pextra.model.errors import ForeignError, PextraError
from pextra.model.fields import Field, Row
from pextra.model.plan import Phase, Step
from pextra.model.request import Request
from pextra.model.returned import Returned
from pextra.model.spec import KindSpec


class StoragePoolNode(Kind):
    """A pool on one node: what libvirt there knows of it."""

    spec = KindSpec(
        name="storage_pool_node",
        table="storage_pool_nodes",
        prefix="pooln",
        fields=(
            Field("name", required=True),
            Field("storage_pool", ref="storage_pool", required=True),
            Field("node", ref="node", required=True),
        ),
        facts={
            "internal_id": Returned("What libvirt on the node knows the pool by, V(null) before."),
            "error": Returned("What went wrong when the node last tried, V(null) if nothing did."),
        },
        scope=("storage_pool_id", "node_id"),
        owned_by="storage_pool",
        rank=65,
        host_rank=20,
        on_host=True,
    )

    def draft(self, request: Request, current: Row | None, row: Row, world: World) -> None:
        """A new one is not realised yet."""
        if current is None:
            row.update(internal_id=None, error=None)

    def retire(self, request: Request, current: Row, world: World) -> None:
        """A node lets go of a pool only without volumes in it."""
        pool = world.get("storage_pool", current["storage_pool_id"])
        if pool is not None:
            refuse_volumes(world, pool, current["node_id"], request.label)

    def learned(self, row: Row, world: World) -> Row:
        """That it is realised: what libvirt knows it by, and that nothing is wrong."""
        return {"internal_id": ids.uuid_of(row["id"]), "error": None}

    def observe(self, rows: Sequence[Row], host: Host, world: World) -> Mapping[str, Any]:
        """libvirt's pools: three listings; ours are known by UUID."""
        from pextra.host.pools import defined

        items = {}
        for row in rows:
            pool = world.get("storage_pool", row["storage_pool_id"])
            if pool is not None and row["node_id"] == world.here:
                items[row["id"]] = defined.OnHost(pool["type"], row["id"], pool_of(pool, host))
        return defined.observe(items, host)

    def converge(
        self, request: Request | None, row: Row | None, gone: Row | None, seen: Any, world: World
    ) -> Iterable[Step]:
        """Define, start and autostart; or stop and undefine. Of other nodes, nothing."""
        current = row or gone
        if current is None or seen is None or current["node_id"] != world.here:
            return
        pool = world.row("storage_pool", current["storage_pool_id"])
        if gone is not None:
            if seen.defined:
                yield self._step(current, pool, "undefine", {"state": "defined"}, None, world)
            return
        resource = f'storage_pool "{current["name"]}"'
        if seen.foreign:
            raise ForeignError(
                "libvirt has a pool of that name that is not ours",
                resource=resource,
                hint="Use another name; pools of others are never touched",
            )
        if seen.available:
            return
        if not seen.started:
            self._test(pool, current, world, resource)
        before: Row = {key: getattr(seen, key) for key in ("defined", "active", "autostart")}
        after: Row = dict.fromkeys(before, True)
        if seen.defined and not seen.prepared:
            before, after = {**before, "credentials": "(other)"}, {**after, "credentials": "(set)"}
        if seen.trouble:
            before, after = {**before, "trouble": seen.trouble}, {**after, "trouble": None}
        yield self._step(current, pool, "define", before, after, world)

    def _test(self, pool: Row, row: Row, world: World, resource: str) -> None:
        """Refuse what this node cannot have, before anything changes.

        Raises:
            PextraError: Something is missing or in the way; it names the node.
        """
        try:
            backend(pool["type"]).test(pool_of(pool, world.host))
        except PextraError as error:
            node = world.row("node", row["node_id"])
            raise type(error)(
                f"on node {node['name']}: {error.message}", resource=resource, hint=error.hint
            ) from None

    def _step(
        self, row: Row, pool: Row, action: str, before: Any, after: Any, world: World
    ) -> Step:
        payload = (pool["type"], pool_of(pool, world.host), ids.uuid_of(row["id"]))
        return Step(
            "storage_pool_node", row["id"], row["name"], action, Phase.HOST, before, after,
            payload=payload,
        )  # fmt: skip

    def execute(self, step: Step, host: Host) -> None:
        """Carry out a step with libvirt."""
        from pextra.host.pools import defined

        name, pool, uuid = step.payload
        type = backend(name)
        if step.action == "undefine":
            defined.undefine(host.qemu, type, pool, uuid)
            return
        defined.define(host.qemu, type, pool, uuid)
        defined.start(host.qemu, type, pool, uuid, anew=bool((step.before or {}).get("trouble")))
