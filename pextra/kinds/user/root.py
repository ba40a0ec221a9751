# SPDX-License-Identifier: Apache-2.0
"""Root users: policies do not bind them, and one of them can always be used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from pextra.engine.world import World
from pextra.model import kinds
from pextra.model.change import RowChange
from pextra.model.errors import ConflictError
from pextra.model.request import label

if TYPE_CHECKING:
    from pextra.model.rows import UserRow

_MOST = 1000
"""Root users that are looked at to find another one."""


def problems(changes: Sequence[RowChange], world: World) -> Iterator[ConflictError]:
    """Changes of users after which no root user is left that can be used as long as before."""
    now = dt.datetime.now(dt.UTC)
    worse: list[tuple[RowChange, int]] = []
    for change in changes:
        before, after = (
            _use(cast("UserRow | None", row), now) for row in (change.before, change.after)
        )
        if after < before:
            worse.append((change, before))
    if not worse or not world.some(kinds.ORGANIZATION, {}, 1):
        return  # without an organization there is nothing to be seen to
    left = world.some(kinds.USER, {"is_root": True, "enabled": True}, _MOST)
    best = max((_use(row, now) for row in left), default=0)
    for change, before in worse:
        if best < before:
            row = change.before or {}
            how = "never expires and " if best else ""
            yield ConflictError(
                f"no other root user {how}is enabled",
                resource=label(kinds.USER, row.get("username")),
                hint="The last root user stays as it is. Make another one first",
            )


def _use(row: UserRow | None, now: dt.datetime) -> int:
    """How long a root user can be used: 2 for ever, 1 until it expires, 0 not at all."""
    if row is None or not row["is_root"] or not row["enabled"]:
        return 0
    if row["expiry"] is None:
        return 2
    return 1 if row["expiry"] > now else 0
