# SPDX-License-Identifier: Apache-2.0
"""A storage pool on one node: what libvirt there knows of it. Part of the pool."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.host.machine import Host
from pextra.host.pools.backend import Pool
from pextra.host.pools.defined import PoolState, masked
from pextra.host.pools.options import overlap
from pextra.host.pools.types import backend, pool_of
from pextra.kinds.storage_pool.kind import refuse_volumes
from pextra.kinds.storage_pool_node.branch import Branch, decide, going
from pextra.model import ids, kinds
from pextra.model.errors import ConflictError, ForeignError, PextraError
from pextra.model.fields import Field, Row
from pextra.model.plan import Phase, Shown, Step, Work
from pextra.model.request import Request, label
from pextra.model.returned import Returned
from pextra.model.spec import KindSpec
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.model.rows import StoragePoolNodeRow, StoragePoolRow


@dataclass(frozen=True, slots=True)
class PoolWork(Work):
    """What a step needs: the pool, what libvirt knows it by, and how messages call it."""

    type: str
    pool: Pool
    uuid: str
    resource: str


class StoragePoolNode(Kind["StoragePoolNodeRow", PoolState]):
    """A pool on one node: what libvirt there knows of it."""

    spec = KindSpec(
        name=kinds.STORAGE_POOL_NODE,
        table="storage_pool_nodes",
        prefix="pooln",
        fields=(
            Field("name", required=True),
            Field("storage_pool", ref=kinds.STORAGE_POOL, required=True),
            Field("node", ref=kinds.NODE, required=True),
        ),
        computed={
            "internal_id": Returned("What libvirt on the node knows the pool by, V(null) before."),
            "error": Returned("What went wrong when the node last tried, V(null) if nothing did."),
        },
        scope=("storage_pool_id", "node_id"),
        owned_by=kinds.STORAGE_POOL,
        rank=65,
        host_rank=20,
        on_host=True,
    )

    def draft(
        self,
        request: Request,
        current: StoragePoolNodeRow | None,
        row: StoragePoolNodeRow,
        world: World,
    ) -> None:
        """A new one is not realised yet."""
        if current is None:
            row.update({"internal_id": None, "error": None})

    def retire(self, request: Request, current: StoragePoolNodeRow, world: World) -> None:
        """A node lets go of a pool only without volumes in it."""
        pool = world.get(kinds.STORAGE_POOL, current["storage_pool_id"])
        if pool is not None:
            refuse_volumes(world, pool, current["node_id"], request.label)

    def learned(self, row: StoragePoolNodeRow, world: World) -> Row:
        """That it is realised: what libvirt knows it by, and that nothing is wrong."""
        return {"internal_id": ids.uuid_of(row["id"]), "error": None}

    def observe(
        self, rows: Sequence[StoragePoolNodeRow], host: Host, world: World
    ) -> Mapping[str, PoolState]:
        """libvirt's pools: three listings; ours are known by UUID."""
        from pextra.host.pools import defined

        items = {}
        for row in rows:
            pool = world.get(kinds.STORAGE_POOL, row["storage_pool_id"])
            if pool is not None and row["node_id"] == world.here:
                items[row["id"]] = defined.OnHost(pool["type"], row["id"], pool_of(pool, host))
        return defined.observe(items, host)

    def going(self, row: StoragePoolNodeRow, world: World) -> bool:
        """Whether it, or the pool as a whole, is marked for removal."""
        return going(row, world.row(kinds.STORAGE_POOL, row["storage_pool_id"]))

    def branch(self, row: StoragePoolNodeRow, seen: PoolState | None, world: World) -> str | None:
        """The branch of the propagation algorithm."""
        pool = world.get(kinds.STORAGE_POOL, row["storage_pool_id"])
        return decide(row, pool, seen or PoolState(), _held(row, seen, world)).value

    def lost(self, row: StoragePoolNodeRow, seen: PoolState | None, world: World) -> bool:
        """Whether somebody else's pool has taken its place, and no volume is in it."""
        return self.branch(row, seen, world) == Branch.FORGET.value

    def failed(self, row: StoragePoolNodeRow, error: PextraError, seen: PoolState | None) -> Row:
        """Why this node does not have the pool; and that libvirt has it, if it has."""
        told = f"{error.message}. {error.hint}" if error.hint else error.message
        known = {"internal_id": ids.uuid_of(row["id"])} if seen is not None and seen.defined else {}
        return {"error": told, **known}

    def converge(
        self,
        request: Request | None,
        row: StoragePoolNodeRow | None,
        gone: StoragePoolNodeRow | None,
        seen: PoolState | None,
        world: World,
    ) -> Iterable[Step]:
        """Define, start and autostart; or stop and undefine. Of other nodes, nothing."""
        current = row or gone
        if current is None or seen is None or current["node_id"] != world.here:
            return
        pool = world.row(kinds.STORAGE_POOL, current["storage_pool_id"])
        resource = self._resource(current, world)
        before: Document = {key: getattr(seen, key) for key in ("defined", "active", "autostart")}
        if gone is not None:
            if _held(current, seen, world):
                raise ConflictError(
                    "it cannot be destroyed here: it still holds volumes", resource=resource
                )
            if seen.defined:
                yield self._step(current, pool, "undefine", before, None, world)
            return
        if seen.foreign:
            raise ForeignError(
                "libvirt has a pool of that name that is not ours",
                resource=resource,
                hint="Use another name; pools of others are never touched",
            )
        if seen.available:
            return
        where = pool_of(pool, world.host)
        dict(where.secrets)  # what cannot be read is told before anything is changed
        if not seen.started:
            with _told_of(where, resource):
                backend(pool["type"]).test(where)
        if not seen.defined:
            _check_alone(current, pool, world, resource)
        after: Document = dict.fromkeys(before, True)
        if seen.defined and not seen.prepared:
            before, after = {**before, "credentials": "(other)"}, {**after, "credentials": "(set)"}
        if seen.trouble:
            before, after = {**before, "trouble": seen.trouble}, {**after, "trouble": None}
        action = "start" if seen.defined and seen.prepared else "define"
        yield self._step(current, pool, action, before, after, world)

    def _resource(self, row: StoragePoolNodeRow, world: World) -> str:
        """How messages call it: a pool's trouble is that of one of its nodes."""
        node = world.before(kinds.NODE, row["node_id"]) or world.get(kinds.NODE, row["node_id"])
        name = node["name"] if node else row["node_id"]
        return f"{label('storage_pool', row['name'])} on node {name}"

    def _step(
        self,
        row: StoragePoolNodeRow,
        pool: StoragePoolRow,
        action: str,
        before: Shown,
        after: Shown,
        world: World,
    ) -> Step:
        work = PoolWork(
            pool["type"], pool_of(pool, world.host), ids.uuid_of(row["id"]),
            self._resource(row, world),
        )  # fmt: skip
        return Step(
            kinds.STORAGE_POOL_NODE, row["id"], row["name"], action, Phase.HOST, before, after,
            work=work,
        )  # fmt: skip

    def execute(self, step: Step, host: Host) -> None:
        """Carry out a step with libvirt."""
        from pextra.host.pools import defined

        work = step.work_as(PoolWork)
        type, trouble = backend(work.type), (step.before or {}).get("trouble")
        with _told_of(work.pool, work.resource):
            if step.action == "undefine":
                defined.undefine(host.qemu, type, work.pool, work.uuid)
                return
            if step.action == "define":
                defined.define(host.qemu, type, work.pool, work.uuid)
            defined.start(host.qemu, type, work.pool, work.uuid, anew=bool(trouble))


def _check_alone(
    row: StoragePoolNodeRow, pool: StoragePoolRow, world: World, resource: str
) -> None:
    """Refuse a directory that another pool on this node has, by whatever path or mount.

    Raises:
        ForeignError: A pool in libvirt has it.
        ConflictError: A pool of ours has it.
    """
    from pextra.host.pools import defined, mounts

    path = pool["options"].get("path")
    if not path:
        return
    mounted = mounts.table()
    real = mounts.resolved(path, mounted)
    for item in world.by(kinds.STORAGE_POOL_NODE, "node_id", row["node_id"]):
        other = world.row(kinds.STORAGE_POOL, item["storage_pool_id"])
        theirs = other["options"].get("path")
        if item["id"] == row["id"] or not theirs or going(item, other):
            continue
        reals = real, mounts.resolved(theirs, mounted)
        if overlap(*reals) or overlap(*(mounts.place(path, mounted) for path in reals)):
            raise ConflictError(
                f'its directory {path} is that of pool "{other["name"]}", {theirs}, or within it,'
                " or around it",
                resource=resource,
                hint="Use another directory",
            )
    found = defined.beside(world.host, ids.uuid_of(row["id"]), path)
    if found is not None:
        raise ForeignError(
            f'its directory {path} is that of pool "{found[0]}" in libvirt, {found[1]}',
            resource=resource,
            hint="Use another directory; pools of others are never touched",
        )


def _held(row: StoragePoolNodeRow, seen: PoolState | None, world: World) -> int:
    """Volumes of the pool on this node, but for those that the same plan removes.

    They are counted only where it matters: it goes, or cannot be made again.
    """
    pool = world.get(kinds.STORAGE_POOL, row["storage_pool_id"])
    if pool is None or not (going(row, pool) or (seen is not None and seen.foreign)):
        return 0
    place = {"storage_pool_id": row["storage_pool_id"], "node_id": row["node_id"]}
    return sum(
        ("volume", item["id"]) not in world.retired for item in world.where(kinds.VOLUME, place)
    )


@contextlib.contextmanager
def _told_of(pool: Pool, resource: str) -> Iterator[None]:
    """Have errors say which pool they are about, and none of its secrets."""
    try:
        yield
    except PextraError as error:
        hint = masked(error.hint, pool) if error.hint else None
        raise type(error)(masked(error.message, pool), resource=resource, hint=hint) from None
