# SPDX-License-Identifier: Apache-2.0
"""Policies: what is allowed and denied. What their statements were stays, version by version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from pextra.access import predefined
from pextra.access.statements import Policy as Parsed
from pextra.access.statements import Statement, parse_statements
from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds import shared
from pextra.kinds.policy.fields import COMPUTED, FIELDS, STEERING
from pextra.kinds.policy_version.kind import version_id
from pextra.model import kinds
from pextra.model.change import RowChange
from pextra.model.errors import (
    AggregateError,
    ConflictError,
    InputError,
    NotFoundError,
    PextraError,
)
from pextra.model.names import Key
from pextra.model.request import Request
from pextra.model.spec import KindSpec
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.access.actions import Actions
    from pextra.model.rows import PolicyRow, PolicyVersionRow

_SOURCES = ("statements", "document", "copy_of", "restore")


class Policy(Kind["PolicyRow", None]):
    """Statements under a name."""

    spec = KindSpec(
        name=kinds.POLICY,
        table="policies",
        prefix="iampol",
        fields=FIELDS,
        computed=COMPUTED,
        options=STEERING,
        scope=("organization_id",),
        rank=42,
    )

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The organization, and the name that a document gives."""
        found = dict(shared.organization_of(request, super().resolve(request, world), world))
        values = request.values
        if "id" not in values and "name" not in values and values.get("document"):
            found["name"] = _of_document(request)["name"]
        return found

    def draft(
        self, request: Request, current: PolicyRow | None, row: PolicyRow, world: World
    ) -> None:
        """Take the statements from where the request says, check them, and count the version."""
        shared.check_own(request, current, row, predefined.POLICIES)
        if current is None:
            row["version"] = 1
        wanted = self._wanted(request, current, row, world)
        if wanted is None:
            if current is not None:
                row["statements"] = current["statements"]
        else:
            row["statements"] = cast(Any, [item.as_dict() for item in wanted])
        if current is not None and row["statements"] == current["statements"]:
            return
        _check(row["name"], wanted or (), current, request, world)
        row["version"] = current["version"] + 1 if current is not None else 1
        world.put(kinds.POLICY_VERSION, _version(row))

    def _wanted(
        self, request: Request, current: PolicyRow | None, row: PolicyRow, world: World
    ) -> tuple[Statement, ...] | None:
        """The statements that the request gives; None where it gives none."""
        given = {**request.options, **request.values}
        sources = [name for name in _SOURCES if given.get(name) is not None]
        if len(sources) > 1:
            raise InputError(f"give one of {', '.join(sources)}", resource=request.label)
        if "document" in sources:
            found = _of_document(request)
            row["enabled"] = request.values.get("enabled", found.get("enabled", row["enabled"]))
            text = found.get("description", row["description"])
            row["description"] = request.values.get("description", text)
            return parse_statements(found["statements"], request.label)
        if "restore" in sources:
            return _earlier(request, current, world)
        if "copy_of" in sources and current is None:
            return self._copied(request, row, world)
        if "statements" in sources:
            return parse_statements(list(request.values["statements"]), request.label)
        return None

    def _copied(self, request: Request, row: PolicyRow, world: World) -> tuple[Statement, ...]:
        ref, organization = request.values["copy_of"], row["organization_id"]
        source = shared.require(kinds.POLICY, ref, organization, world, predefined.POLICY_IDS)
        return predefined.policy_of(source).statements

    def retire(self, request: Request, current: PolicyRow, world: World) -> None:
        """No role may have it; its versions go with it."""
        shared.check_removable(request, current)
        links = world.staying(kinds.ROLE_POLICY, {"policy_id": current["id"]})
        if links:
            roles = [world.row(kinds.ROLE, link["role_id"])["name"] for link in links]
            raise ConflictError(
                f"roles have it: {shared.named(roles)}",
                resource=request.label,
                hint="Take it from these roles first",
            )
        for version in world.by(kinds.POLICY_VERSION, "policy_id", current["id"]):
            world.drop(kinds.POLICY_VERSION, version["id"])

    def review(
        self, changes: Sequence[RowChange], asked: Mapping[Key, Request], world: World
    ) -> Iterable[PextraError]:
        """Nobody locks themselves out."""
        from pextra.kinds import rights

        return rights.lockouts(kinds.POLICY, changes, asked, world)

    def present(self, row: PolicyRow, world: World) -> Document:
        """The policy, also as the platform's export has it."""
        return {**super().present(row, world), **shown(row)}


def shown(row: PolicyRow) -> Document:
    """What is returned of a policy besides its columns, and in place of its statements."""
    policy = predefined.policy_of(row)
    return {
        "statements": [item.as_dict() for item in policy.statements],
        "predefined": row["organization_id"] is None,
        "document": policy.as_vendor(),
    }


def _of_document(request: Request) -> Mapping[str, Any]:
    """The policy of a request's document that the request is about."""
    policies, name = request.values["document"], request.values.get("name")
    if len(policies) == 1:
        only: Mapping[str, Any] = policies[0]
        return only
    for policy in policies:
        if policy["name"] == name:
            found: Mapping[str, Any] = policy
            return found
    names = shared.named([policy["name"] for policy in policies])
    raise InputError(
        f"the document has {len(policies)} policies, "
        + (f"and none is named {name!r}" if name else "so name must be given"),
        resource=request.label,
        hint=f"It has: {names}" if policies else None,
    )


def _earlier(request: Request, current: PolicyRow | None, world: World) -> tuple[Statement, ...]:
    """The statements of the version that a request restores."""
    number = request.options["restore"]
    known = current["version"] if current is not None else 0
    if current is not None:
        version = world.get(kinds.POLICY_VERSION, version_id(current["id"], number))
        if version is not None:
            return parse_statements(list(version["statements"]), request.label)
    raise NotFoundError(
        f"there is no version {number} to restore",
        resource=request.label,
        hint=f"There are versions 1 to {known}" if known else "The policy is not there yet",
    )


def _check(
    name: str,
    statements: tuple[Statement, ...],
    current: PolicyRow | None,
    request: Request,
    world: World,
) -> None:
    """See that actions exist and resources can, and that the edition has what is new.

    Raises:
        AggregateError: Some statements are wrong; all of them are told.
        FeatureError: There is a new rule, and the edition in force has no rules.
    """
    problems = tuple(Parsed(name, statements).problems(_actions(world.specs)))
    if problems:
        raise AggregateError(problems)
    known = {item.get("rule") for item in current["statements"]} if current is not None else set()
    if any(item.rule is not None and item.rule not in known for item in statements):
        from pextra.kinds import features
        from pextra.licensing.compliance import Feature

        features.require(Feature.IAM_ABAC_RULES, world, request.label)


_ACTIONS: dict[frozenset[str], Actions] = {}


def _actions(specs: Mapping[str, KindSpec]) -> Actions:
    """All actions there are, made once."""
    from pextra.access.actions import Actions

    key = frozenset(specs)
    if key not in _ACTIONS:
        _ACTIONS[key] = Actions(specs.values())
    return _ACTIONS[key]


def _version(row: PolicyRow) -> PolicyVersionRow:
    number = row["version"]
    return {
        "id": version_id(row["id"], number),
        "policy_id": row["id"],
        "number": number,
        "statements": cast(Any, row["statements"]),
        "creation": dt.datetime.now(dt.UTC),
    }
