# SPDX-License-Identifier: Apache-2.0
"""Propagation of storage pools on this node: each pool by itself, none stopped by another's error.

A pool that needs something is looked at again under the host's lock: a run at the same time may
have seen to it. What is done is written down right after it, pool by pool, so that a run that is
killed has lost nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pextra.engine.world import Source, World
from pextra.host.lock import host_lock
from pextra.host.machine import Host
from pextra.host.pools import defined
from pextra.host.pools.defined import OnHost, PoolState
from pextra.host.pools.types import backend, pool_of
from pextra.kinds.registry import KINDS
from pextra.kinds.storage_pool.propagation.decision import Branch, decide
from pextra.model import ids
from pextra.model.change import RowChange
from pextra.model.errors import ConflictError, ForeignError, PextraError
from pextra.model.fields import Row
from pextra.model.plan import Phase, Step
from pextra.model.principal import Principal

if TYPE_CHECKING:
    from pextra.store.connection import Store
from pextra.store.transaction import Transaction

_READ = ("node", "storage_pool", "storage_pool_node", "volume")
_SPECS = {name: KINDS[name].spec for name in _READ}
_POOL, _ASSOCIATION = _SPECS["storage_pool"], _SPECS["storage_pool_node"]


@dataclass(frozen=True, slots=True)
class Propagated:
    """What propagation did with one pool, or would do.

    Attributes:
        steps: What it changed.
        error: Why it could not do it.
    """

    id: str
    name: str
    branch: Branch
    steps: tuple[Step, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """One pool on this node, as it was just read."""

    pool: Row
    association: Row
    seen: PoolState
    branch: Branch
    on_host: OnHost

    @property
    def uuid(self) -> str:
        """What libvirt knows the pool by."""
        return ids.uuid_of(self.association["id"])


def propagate(
    store: Store, host: Host, principal: Principal, names: Sequence[str] | None, *, check: bool
) -> list[Propagated]:
    """See to every pool of this node, or to the named ones.

    Raises:
        NotFoundError: This machine is no node, or a named pool does not exist.
    """
    world = _world(store, host)
    node = world.this_node("storage pool propagation")
    wanted = _wanted(world, node, names)
    cases = _cases(world, host, wanted)
    found = []
    for id, pool in wanted.items():
        case = cases.get(id)
        if case is None:
            found.append(Propagated(id, pool["name"], Branch.NONE))
        elif case.branch is Branch.AVAILABLE and _written(case, None) is None:
            found.append(Propagated(id, pool["name"], case.branch))
        elif check:
            found.append(_predicted(case))
        else:
            found.append(_see_to(store, host, principal, pool))
    if check:
        return found
    swept = store.transact(lambda tx: _sweep(tx, host, principal, node["cluster_id"]))
    return [
        dataclasses.replace(item, steps=(*item.steps, *swept.pop(item.id, ()))) for item in found
    ] + [Propagated(id, steps[0].name, Branch.NONE, steps) for id, steps in swept.items()]


def _world(source: Source, host: Host) -> World:
    return World(_SPECS, source, host)


def _wanted(world: World, node: Row, names: Sequence[str] | None) -> dict[str, Row]:
    """The pools by id, sorted by name: the named ones, or those that this node has to do with."""
    if names is None:
        here = world.by("storage_pool_node", "node_id", node["id"])
        rows = [world.row("storage_pool", item["storage_pool_id"]) for item in here]
    else:
        scope = {"cluster_id": node["cluster_id"]}
        rows = [world.require("storage_pool", name, scope) for name in names]
    return {row["id"]: row for row in sorted(rows, key=lambda row: (row["name"], row["id"]))}


def _cases(world: World, host: Host, wanted: Iterable[str]) -> dict[str, _Case]:
    """These pools on this node, from one look at libvirt."""
    here, ids_wanted = world.here, set(wanted)
    rows = {
        item["storage_pool_id"]: item
        for item in world.by("storage_pool_node", "node_id", here)
        if item["storage_pool_id"] in ids_wanted
    }
    on_host = {
        id: OnHost(
            world.row("storage_pool", id)["type"], item["id"],
            pool_of(world.row("storage_pool", id), host),
        )
        for id, item in rows.items()
    }  # fmt: skip
    seen = defined.observe(on_host, host)
    found = {}
    for id, association in rows.items():
        pool = world.row("storage_pool", id)
        going = "deleting" in (association["status"], pool["status"])
        volumes = {"storage_pool_id": id, "node_id": here}
        held = len(world.where("volume", volumes)) if going else 0
        branch = decide(association, pool, seen[id], held)
        found[id] = _Case(pool, association, seen[id], branch, on_host[id])
    return found


def _see_to(store: Store, host: Host, principal: Principal, pool: Row) -> Propagated:
    """Do what one pool needs, and write down what came of it."""
    with host_lock():
        world = _world(store, host)
        case = _cases(world, host, [pool["id"]]).get(pool["id"])
        if case is None:
            return Propagated(pool["id"], pool["name"], Branch.NONE)
        steps, error = _host_steps(case), None
        try:
            _act(case, store, host)
        except PextraError as failure:
            error = defined.masked(failure, case.on_host.pool)
            steps = ()
        written = store.transact(lambda tx: _record(tx, host, principal, case, steps, error))
    return Propagated(pool["id"], pool["name"], case.branch, written, error)


def _act(case: _Case, store: Store, host: Host) -> None:
    """Carry a branch out on the host.

    Raises:
        PextraError: It could not be.
    """
    type, pool, uuid = backend(case.on_host.type), case.on_host.pool, case.uuid
    if case.branch is Branch.REALISE:
        if case.seen.foreign:
            raise ForeignError("libvirt has a pool of that name that is not ours")
        if not case.seen.started:
            type.test(pool)
        defined.define(host.qemu, type, pool, uuid)
        store.transact(lambda tx: _note(tx, case))
        defined.start(host.qemu, type, pool, uuid, anew=case.seen.trouble is not None)
    elif case.branch is Branch.START:
        if not case.seen.started:
            type.test(pool)
        if not case.seen.prepared:
            defined.define(host.qemu, type, pool, uuid)
        defined.start(host.qemu, type, pool, uuid, anew=case.seen.trouble is not None)
    elif case.branch is Branch.REMOVE and case.seen.defined:
        defined.undefine(host.qemu, type, pool, uuid)
    elif case.branch is Branch.HELD:
        raise ConflictError("it cannot be destroyed here: it still holds volumes")


def _note(tx: Transaction, case: _Case) -> None:
    """Store what libvirt knows the pool by: from here on it is realised."""
    row = case.association
    tx.write([RowChange(_ASSOCIATION, row["id"], row, {**row, "internal_id": case.uuid})])


def _predicted(case: _Case) -> Propagated:
    """What would be done; whether the server can be reached is tried, as that changes nothing."""
    error = None
    try:
        if case.branch in (Branch.REALISE, Branch.START) and not case.seen.started:
            if case.seen.foreign:
                raise ForeignError("libvirt has a pool of that name that is not ours")
            backend(case.on_host.type).test(case.on_host.pool)
        elif case.branch is Branch.HELD:
            raise ConflictError("it cannot be destroyed here: it still holds volumes")
    except PextraError as failure:
        error = defined.masked(failure, case.on_host.pool)
    steps = _host_steps(case) if error is None else ()
    change = _written(case, error)
    steps = (*steps, *((_store_step(change),) if change is not None else ()))
    return Propagated(case.pool["id"], case.pool["name"], case.branch, steps, error)


def _host_steps(case: _Case) -> tuple[Step, ...]:
    seen = case.seen
    before: Row = {"defined": seen.defined, "active": seen.active, "autostart": seen.autostart}
    if seen.trouble:
        before["trouble"] = seen.trouble
    if case.branch is Branch.REALISE:
        return (_step(case, "define", before, _on()),) if not seen.available else ()
    if case.branch is Branch.START:
        return (_step(case, "start", before, _on()),)
    if case.branch is Branch.REMOVE and seen.defined:
        return (_step(case, "undefine", before, None),)
    return ()


def _on() -> dict[str, Any]:
    return {"defined": True, "active": True, "autostart": True}


def _step(case: _Case, action: str, before: Mapping[str, Any], after: Any) -> Step:
    row = case.association
    return Step(_ASSOCIATION.name, row["id"], row["name"], action, Phase.HOST, before, after)


def _written(case: _Case, error: str | None) -> RowChange | None:
    """What becomes of the association's row, if that is another one."""
    row = case.association
    after: Row | None
    if error is not None:
        after = {**row, "error": error}
    elif case.branch in (Branch.FORGET, Branch.REMOVE):
        after = None
    else:
        after = {**row, "internal_id": case.uuid, "status": "ready", "error": None}
    return RowChange(_ASSOCIATION, row["id"], row, after) if after != row else None


def _record(
    tx: Transaction,
    host: Host,
    principal: Principal,
    case: _Case,
    steps: tuple[Step, ...],
    error: str | None,
) -> tuple[Step, ...]:
    """Write the association's new row, and the audit rows of what was done."""
    world = _world(tx, host)
    current = world.get(_ASSOCIATION.name, case.association["id"])
    if current is None:
        return steps
    change = _written(case, error)
    if change is not None:
        after = change.after
        if after is not None:
            # Meanwhile it may have been marked for removal.
            status = current["status"] if current["status"] == "deleting" else after["status"]
            after = {**current, **after, "status": status}
        tx.write([RowChange(_ASSOCIATION, current["id"], current, after)])
        steps = (*steps, _store_step(change))
    tx.audit(steps, principal)
    return steps


def _store_step(change: RowChange) -> Step:
    before, after = change.before or {}, change.after
    name, keys = str(before["name"]), ("status", "internal_id", "error")
    if after is None:
        shown = {key: before[key] for key in keys}
        return Step(_ASSOCIATION.name, change.id, name, "delete", Phase.STORE, shown, None)
    changed = [key for key in keys if before[key] != after[key]]
    return Step(
        _ASSOCIATION.name, change.id, name, "update", Phase.STORE,
        {key: before[key] for key in changed}, {key: after[key] for key in changed},
    )  # fmt: skip


def _sweep(
    tx: Transaction, host: Host, principal: Principal, cluster: str
) -> dict[str, tuple[Step, ...]]:
    """Forget the cluster's pools that are marked for destruction and that no node has any more."""
    world, found = _world(tx, host), dict[str, tuple[Step, ...]]()
    for row in list(world.by("storage_pool", "cluster_id", cluster)):
        if row["status"] != "deleting":
            continue
        if not world.by("storage_pool_node", "storage_pool_id", row["id"]):
            shown = _POOL.public(row)
            found[row["id"]] = (
                Step(_POOL.name, row["id"], row["name"], "delete", Phase.STORE, shown, None),
            )
            tx.write([RowChange(_POOL, row["id"], row, None)])
            tx.audit(found[row["id"]], principal)
    return found
