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
from pextra.model.spec import KindSpec


def problems(kinds: Mapping[str, AnyKind], world: World) -> Iterator[ConflictError]:
    """Why the rows of a plan cannot be beside each other in the store."""
    for change in list(world.changes()):
        if change.after is None:
            continue
        spec, row, before = change.spec, change.after, change.before or {}
        for columns in spec.unique_keys:
            values = {column: row.get(column) for column in columns}
            if None in values.values() or all(before.get(key) == values[key] for key in columns):
                continue
            other = _other(spec, str(row["id"]), values, world)
            if other is not None:
                yield ConflictError(
                    kinds[spec.name].taken(columns, row, other, world),
                    resource=label(spec.name, row[spec.key]),
                )


def _other(spec: KindSpec, id: str, values: Mapping[str, Any], world: World) -> Row | None:
    """Another row that has these values, or keeps them until the run has cleared the host."""
    found: list[Row] = [row for row in world.where(spec.name, values) if row["id"] != id]
    if spec.owned_by is None:
        found += (
            before
            for (kind, gone), before in world.replaced().items()
            if kind == spec.name
            and before is not None
            and world.get(kind, gone) is None
            and all(before[column] == value for column, value in values.items())
        )
    return found[0] if found else None
