# SPDX-License-Identifier: Apache-2.0
"""Ordered lists of references as rows of their own: the policies of a role, the roles of a user."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from pextra.engine.world import World
from pextra.model import ids
from pextra.model.fields import Row
from pextra.model.names import AnyName, KindName

if TYPE_CHECKING:
    from typing import TypedDict

    class Link(TypedDict):
        """A row that ties two others together, and says in which place."""

        id: str
        place: int


R = TypeVar("R", bound="Link")


def linked(kind: KindName[R], owner: AnyName, id: str, world: World) -> list[R]:
    """The links of a resource, in their order."""
    return sorted(world.by(kind, f"{owner}_id", id), key=lambda row: (row["place"], row["id"]))


def link(
    kind: AnyName,
    owner: AnyName,
    id: str,
    target: AnyName,
    wanted: Sequence[str],
    world: World,
    *,
    fresh: bool,
    purge: bool,
) -> None:
    """Plan the links of a resource: those that are wanted first, then the others that it has.

    Args:
        kind: The kind of the links.
        owner: The kind of the resource.
        id: The resource.
        target: The kind that the links lead to.
        wanted: Identifiers of what it is to be linked with, in order.
        world: The rows.
        fresh: The resource is new, and has none yet.
        purge: Others go.
    """
    some: list[Row] = [] if fresh else [*linked(kind, owner, id, world)]
    there = {str(row[f"{target}_id"]): row for row in some}
    wanted = list(dict.fromkeys(wanted))
    others = [key for key in there if key not in wanted]
    if purge:
        for key in others:
            world.drop(kind, there[key]["id"])
        others = []
    for place, key in enumerate((*wanted, *others), 1):
        row = there.get(key)
        if row is not None:
            world.put(kind, {**row, "place": place})
            continue
        world.put(kind, {
            "id": ids.new_id(world.specs[kind].prefix), f"{owner}_id": id, f"{target}_id": key,
            "place": place, "creation": dt.datetime.now(dt.UTC),
        })  # fmt: skip


def unlink(kind: AnyName, owner: AnyName, id: str, world: World) -> None:
    """Plan that a resource has no links."""
    for row in linked(kind, owner, id, world):
        world.drop(kind, row["id"])


def called(owner: AnyName, target: AnyName, row: Mapping[str, object], world: World) -> str:
    """What a plan calls a link: both names, also of what goes."""
    return ": ".join(_name(kind, str(row[f"{kind}_id"]), world) for kind in (owner, target))


def _name(kind: AnyName, id: str, world: World) -> str:
    row = world.get(kind, id) or world.before(kind, id)
    return str(row[world.specs[kind].key]) if row else id
