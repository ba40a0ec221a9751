# SPDX-License-Identifier: Apache-2.0
"""Bringing this node's storage pools to what the store says of them: reconcile, for pools alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pextra.calls.call import Answer, Call, Procedure, options, told
from pextra.calls.reconcile import reconciled
from pextra.engine.reconcile import Finding, Scope
from pextra.engine.world import World
from pextra.kinds.registry import KINDS
from pextra.kinds.storage_pool_node.branch import Branch
from pextra.model import kinds
from pextra.model.errors import HostError, IncompleteError
from pextra.model.fields import Field
from pextra.model.plan import Step
from pextra.model.request import label
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.model.rows import StoragePoolRow

FIELDS = (Field("storage_pools", "list", elements="str"),)


@dataclasses.dataclass(slots=True)
class _Pool:
    """What was found of one pool, and done."""

    name: str
    branch: str = Branch.NONE.value
    error: str | None = None
    steps: list[Step] = dataclasses.field(default_factory=list)


def _propagate(call: Call) -> Answer:
    """See to the pools; fail in the end if one of them could not be seen to."""
    names = options(FIELDS, call.given, "storage_pool_propagation")["storage_pools"]
    wanted = _wanted(call, names) if names is not None else []
    scope = Scope("storage_pool", tuple(row["id"] for row in wanted) if names is not None else None)
    pools = _by_pool(wanted, reconciled(call, scope))
    answer = result(pools, diff=call.diff)
    failed = [
        HostError(item.error, resource=label("storage_pool", item.name))
        for item in pools.values()
        if item.error is not None
    ]
    if failed:
        raise IncompleteError(failed, answer)
    return answer


def _wanted(call: Call, names: Sequence[str]) -> list[StoragePoolRow]:
    """The named pools of this node's cluster."""
    world = World({name: kind.spec for name, kind in KINDS.items()}, call.store, call.host)
    node = world.this_node("storage pool propagation")
    scope = {"cluster_id": node["cluster_id"]}
    return [world.require(kinds.STORAGE_POOL, name, scope) for name in names]


def _by_pool(wanted: Sequence[StoragePoolRow], findings: Sequence[Finding]) -> dict[str, _Pool]:
    """The findings by pool, sorted by name: its association's, and its own if it goes."""
    found = {row["id"]: _Pool(row["name"]) for row in wanted}
    for item in findings:
        id = item.parent[1] if item.parent is not None else item.id
        pool = found.setdefault(id, _Pool(item.name))
        pool.branch = item.branch or pool.branch
        pool.steps += item.steps
        if item.error is not None:
            error = item.error
            pool.error = f"{error.message}. {error.hint}" if error.hint else error.message
    return dict(sorted(found.items(), key=lambda entry: (entry[1].name, entry[0])))


def result(pools: dict[str, _Pool], *, diff: bool) -> Answer:
    """What is returned."""
    shown: list[Document] = [
        {
            "id": id,
            "name": item.name,
            "branch": item.branch,
            "changed": bool(item.steps),
            "error": item.error,
        }
        for id, item in pools.items()
    ]
    steps = [step for item in pools.values() for step in item.steps]
    return {**told(steps, diff=diff), "storage_pools": shown}


PROCEDURES = (Procedure("storage_pool_propagation", FIELDS, _propagate),)
