# SPDX-License-Identifier: Apache-2.0
"""The branches of the propagation algorithm."""

from __future__ import annotations

from typing import Any

import pytest

from pextra.host.pools.defined import PoolState
from pextra.kinds.storage_pool_node.branch import Branch, decide

POOL = {"status": "ready"}
GOING = {"status": "deleting"}
NEW = {"status": "pending", "internal_id": None}
HERE = {"status": "ready", "internal_id": "uuid"}
LEAVING = {"status": "deleting", "internal_id": "uuid"}
ABSENT = PoolState()
STOPPED = PoolState(defined=True, autostart=True)
RUNNING = PoolState(defined=True, active=True, autostart=True)


@pytest.mark.parametrize(
    ("association", "pool", "seen", "held", "branch"),
    [
        (None, POOL, ABSENT, 0, Branch.NONE),
        (HERE, None, RUNNING, 0, Branch.NONE),
        (NEW, POOL, ABSENT, 0, Branch.REALISE),
        (NEW, POOL, STOPPED, 0, Branch.REALISE),
        (NEW, POOL, RUNNING, 0, Branch.REALISE),
        (NEW, POOL, PoolState(foreign=True), 0, Branch.REALISE),
        (HERE, POOL, RUNNING, 3, Branch.AVAILABLE),
        (HERE, POOL, STOPPED, 3, Branch.START),
        (HERE, POOL, PoolState(True, True, True, trouble="gone"), 0, Branch.START),
        (HERE, POOL, PoolState(True, True, False), 0, Branch.START),
        (HERE, POOL, PoolState(True, True, True, prepared=False), 0, Branch.START),
        (HERE, POOL, ABSENT, 0, Branch.REALISE),
        (HERE, POOL, ABSENT, 3, Branch.REALISE),
        (HERE, POOL, PoolState(foreign=True), 0, Branch.FORGET),
        (HERE, POOL, PoolState(foreign=True), 3, Branch.REALISE),
        (LEAVING, POOL, RUNNING, 0, Branch.REMOVE),
        (LEAVING, POOL, ABSENT, 0, Branch.REMOVE),
        (LEAVING, GOING, STOPPED, 0, Branch.REMOVE),
        (HERE, GOING, RUNNING, 0, Branch.REMOVE),
        (NEW, GOING, ABSENT, 0, Branch.REMOVE),
        (LEAVING, POOL, RUNNING, 1, Branch.HELD),
    ],
)
def test_each_state_takes_its_branch(
    association: dict[str, Any] | None,
    pool: dict[str, Any] | None,
    seen: PoolState,
    held: int,
    branch: Branch,
) -> None:
    assert decide(association, pool, seen, held) is branch
