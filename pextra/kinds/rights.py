# SPDX-License-Identifier: Apache-2.0
"""Users, roles and policies of the store, as decisions need them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from pextra.access import predefined
from pextra.access.attributes import Environment, Resource, Subject
from pextra.access.decisions import PolicySet, Rights, may
from pextra.access.statements import Policy
from pextra.engine.world import World
from pextra.model import kinds
from pextra.model.change import RowChange
from pextra.model.errors import ConflictError
from pextra.model.fields import Row
from pextra.model.names import AnyName, Key, KindName
from pextra.model.request import Request, label

if TYPE_CHECKING:
    from pextra.kinds.links import Link
    from pextra.model.rows import UserRow

R = TypeVar("R", bound=Row)
L = TypeVar("L", bound="Link")
_INSIDE: tuple[AnyName, ...] = (kinds.NODE, kinds.CLUSTER, kinds.DATACENTER)
"""What resources are in, from the inside out; the organization is around all of it."""


class Reader(Protocol):
    """What gives rows: the world as it will be, or as it is."""

    def get(self, kind: KindName[R], id: str | None) -> R | None:
        """The row with this identifier."""

    def by(self, kind: KindName[R], column: str, value: str | None) -> list[R]:
        """The rows whose column has this value."""


class Before:
    """The rows of a world as the store has them, without what is planned."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, kind: KindName[R], id: str | None) -> R | None:
        """The row with this identifier."""
        row = self._world.get(kind, id)
        return row if id is None else self._world.before(kind, id)

    def by(self, kind: KindName[R], column: str, value: str | None) -> list[R]:
        """The rows whose column has this value."""
        found = {row["id"]: row for row in self._world.by(kind, column, value)}
        for (name, id), _before in self._world.replaced().items():
            row = self._world.before(kind, id) if name == kind else None
            if name == kind:
                found.pop(id, None)
            if row is not None and row[column] == value:
                found[id] = row
        return list(found.values())


@dataclass(frozen=True, slots=True)
class Held:
    """The roles of a user, in their order, and their policies.

    Attributes:
        roles: The names of the roles.
        policies: The policies, each once, in the order in which they are asked.
        through: The role that each policy came with first, by the policy's name.
    """

    roles: tuple[str, ...]
    policies: tuple[Policy, ...]
    through: Mapping[str, str]


def held(user_id: str, rows: Reader) -> Held:
    """The roles and policies of a user.

    A policy of an organization never has the name of a predefined one, so names tell them apart.
    """
    roles: list[str] = []
    policies: dict[str, Policy] = {}
    through: dict[str, str] = {}
    for link in _in_order(rows.by(kinds.USER_ROLE, "user_id", user_id)):
        role = rows.get(kinds.ROLE, link["role_id"])
        if role is None:
            continue
        roles.append(role["name"])
        for part in _in_order(rows.by(kinds.ROLE_POLICY, "role_id", role["id"])):
            policy = rows.get(kinds.POLICY, part["policy_id"])
            if policy is not None and policy["id"] not in policies:
                policies[policy["id"]] = predefined.policy_of(policy)
                through[policy["name"]] = role["name"]
    return Held(tuple(roles), tuple(policies.values()), through)


def rights_of(user: UserRow, its: Held) -> Rights:
    """What a user may do, as decisions take it."""
    subject = Subject(
        user["id"], user["username"], user["organization_id"], its.roles, root=user["is_root"]
    )
    return Rights(subject, PolicySet(its.policies))


def resource_of(kind: AnyName, row: Mapping[str, object], rows: Reader) -> Resource:
    """A resource as decisions have it, with the node, cluster and datacenter that it is in."""
    inside: dict[str, str] = {}
    known = {f"{kind}_id": row["id"], **row}
    for place in _INSIDE:
        id = known.get(f"{place}_id")
        if isinstance(id, str):
            inside[place] = id
            around: Row = rows.get(place, id) or {}
            known |= {key: value for key, value in around.items() if key.endswith("_id")}
    inside.pop(kind, None)
    found = known.get("organization_id")
    name = row.get("name") or row.get("username")
    return Resource(
        kind,
        str(row["id"]),
        found if isinstance(found, str) else None,
        tuple(inside.values()),
        str(name) if name else None,
    )


def acting(world: World) -> UserRow | None:
    """The platform user who asks for what is planned; None where that is nobody, or not clear.

    Whoever comes without an organization is known by its Linux user on the node.
    """
    principal = world.principal
    if principal is None:
        return None
    if principal.organization_id is None:
        found = world.by(kinds.USER, "linux_user", principal.user)
    else:
        whose = {"organization_id": principal.organization_id, "username": principal.user}
        found = world.where(kinds.USER, whose)
    return found[0] if len(found) == 1 else None


def lockouts(
    kind: AnyName, changes: Sequence[RowChange], asked: Mapping[Key, Request], world: World
) -> Iterator[ConflictError]:
    """Changes by which their own author could no longer take them back.

    Args:
        kind: The kind that the changes are of, parts of it included.
        changes: These.
        asked: The requests of the plan; one with ``force`` is not looked at.
        world: The rows as they will be.
    """
    touched = [
        id
        for id in dict.fromkeys(_owner(kind, change) for change in changes)
        if (kind, id) not in asked or not asked[kind, id].options.get("force")
    ]
    principal = world.principal
    author = acting(world) if touched else None
    if principal is None or author is None or author["is_root"]:
        return
    environment = Environment(dt.datetime.now(dt.UTC), principal.origin, principal.door)
    before = Before(world)
    was = before.get(kinds.USER, author["id"]) or author
    old, new = rights_of(was, held(was["id"], before)), rights_of(author, held(author["id"], world))
    for id in touched:
        row: Row | None = before.get(kind, id) or world.get(kind, id)
        if row is None:
            continue
        lost = [
            action
            for action, resource in _wanted_back(kind, row, author["organization_id"])
            if may(old, action, resource, environment).allowed
            and not may(new, action, resource, environment).allowed
        ]
        if lost:
            yield ConflictError(
                f"user {author['username']}, who asks for it, could no longer do"
                f" {', '.join(dict.fromkeys(lost))}",
                resource=label(kind, row.get("name") or row.get("username")),
                hint="Set force=true if that is meant",
            )


def _wanted_back(kind: AnyName, row: Row, organization_id: str) -> Iterable[tuple[str, Resource]]:
    """What its author has to be able to do to take a change back, and about what."""
    yield f"{kind}.update", Resource(kind, row["id"], row["organization_id"])
    for name in (kinds.POLICY, kinds.ROLE):
        yield f"{name}.update", Resource(name, None, organization_id)


def _owner(kind: AnyName, change: RowChange) -> str:
    """The identifier of what a change is of, or of a part of."""
    row = change.after or change.before or {}
    return change.id if change.spec.name == kind else str(row[f"{kind}_id"])


def _in_order(links: Iterable[L]) -> list[L]:
    return sorted(links, key=lambda row: (row["place"], row["id"]))
