# SPDX-License-Identifier: Apache-2.0
"""What is unique and would be had twice after a plan, whatever the order of its requests. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pextra.engine.kind import AnyKind
from pextra.engine.world import World
from pextra.model.errors import ConflictError
from pextra.model.fields import Row
from pextra.model.request import label


def problems(kinds: Mapping[str, AnyKind], world: World) -> Iterator[ConflictError]:
    """Why the rows of a plan cannot be beside each other in the store.

    What goes keeps what it has until the run has cleared the host.
    """
    changes = list(world.changes())
    kept = {
        (change.spec.name, columns, _values(change.before, columns)): change.before
        for change in changes
        if change.before is not None and change.after is None and change.spec.owned_by is None
        for columns in change.spec.unique_keys
    }
    for change in changes:
        if change.after is None:
            continue
        spec, row, before = change.spec, change.after, change.before or {}
        for columns in spec.unique_keys:
            values = _values(row, columns)
            if None in values or values == _values(before, columns):
                continue
            there = world.where(spec.name, dict(zip(columns, values, strict=True)))
            other = next((item for item in there if item["id"] != row["id"]), None)
            other = other or kept.get((spec.name, columns, values))
            if other is not None:
                yield ConflictError(
                    kinds[spec.name].taken(columns, row, other, world),
                    resource=label(spec.name, row[spec.key]),
                )


def _values(row: Row, columns: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(row.get(column) for column in columns)
