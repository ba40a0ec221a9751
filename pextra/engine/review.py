# SPDX-License-Identifier: Apache-2.0
"""Why a plan cannot be as a whole, although each of its requests can. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pextra.engine import unique
from pextra.engine.kind import AnyKind
from pextra.engine.world import World
from pextra.model.change import RowChange
from pextra.model.errors import PextraError
from pextra.model.names import AnyName, Key
from pextra.model.request import Request


def problems(
    kinds: Mapping[str, AnyKind], asked: Mapping[Key, Request], world: World
) -> Iterator[PextraError]:
    """What rows would have twice, and what the kinds say of their changes."""
    yield from unique.problems(kinds, world)
    changes: dict[AnyName, list[RowChange]] = {}
    for change in world.changes():
        changes.setdefault(change.spec.owned_by or change.spec.name, []).append(change)
    for name, some in changes.items():
        yield from kinds[name].review(some, asked, world)
