# SPDX-License-Identifier: Apache-2.0
"""Which changes of rows wait until the host is cleared of what goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pextra.engine.kind import AnyKind
from pextra.engine.planner import Drafted
from pextra.engine.world import World
from pextra.model.change import RowChange
from pextra.model.fields import Row
from pextra.model.names import AnyName


def is_going(row: Mapping[str, object]) -> bool:
    """Whether a row is marked for removal."""
    return row.get("status") == "deleting"


def changes(kinds: Mapping[str, AnyKind], drafted: Drafted) -> Iterator[RowChange]:
    """The changes that are written only after what goes is cleared from the host.

    Until then it can be taken back: with its parts, unless something else of the plan takes
    what is unique of one, and with what is let go of by it. A part of what stays goes at once.
    """
    world, planned = drafted.world, list(drafted.world.changes()) if drafted.hosted else []
    taken = {
        (item.spec.name, column, item.after[column])
        for item in planned
        if item.after is not None
        for column in item.spec.unique
    }
    for change in planned:
        spec, before, after = change.spec, change.before, change.after
        if before is None:
            continue
        if after is not None:
            let_go = after == kinds[spec.name].released(before)
            if let_go and _is_cleared_of_going(before, after, world):
                yield change
        elif spec.owned_by is None:
            yield change
        else:
            owner = world.get(spec.owned_by, before[f"{spec.owned_by}_id"])
            staying = owner is not None and not is_going(owner)
            if not staying and all(
                (spec.name, column, before[column]) not in taken for column in spec.unique
            ):
                yield change


def _is_cleared_of_going(before: Row, after: Row, world: World) -> bool:
    """Whether a row refers no more to something that goes."""
    for column, id in before.items():
        if column.endswith("_id") and id and after[column] is None:
            owner = world.get(AnyName(column.removesuffix("_id")), id)
            if owner is None or is_going(owner):
                return True
    return False
