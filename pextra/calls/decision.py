# SPDX-License-Identifier: Apache-2.0
"""Whether a user may do something, and why. Nothing here writes, and nothing is denied by it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pextra.access.actions import Actions
from pextra.access.attributes import Environment, Resource
from pextra.access.decisions import Decision, may
from pextra.calls.call import Answer, Call, Procedure, options, plain
from pextra.kinds import rights
from pextra.kinds.registry import KINDS
from pextra.kinds.view import View
from pextra.model import ids, kinds, units
from pextra.model.errors import InputError, NotFoundError
from pextra.model.fields import Field
from pextra.model.names import AnyName
from pextra.model.request import label
from pextra.model.values import Document
from pextra.store.transaction import Transaction

if TYPE_CHECKING:
    from pextra.model.rows import UserRow

NAME = "policy_decision_info"
FIELDS = (
    Field("user", required=True),
    Field("organization"),
    Field("action", required=True),
    Field("resource"),
    Field("at", parse=units.parse_time),
    Field("source_address"),
    Field("door"),
)


def _look(call: Call) -> Answer:
    given = options(FIELDS, call.given, NAME)

    def work(tx: Transaction) -> Answer:
        return decided(View(tx, call.host, dt.datetime.now(dt.UTC)), given)

    found: Answer = plain(call.store.transact(work, read_only=True))
    return {"changed": False, **found}


def decided(view: View, given: Mapping[str, Any]) -> Document:
    """The answer, from the options.

    Raises:
        InputError: There is no such action, or the address is none.
        NotFoundError: There is no such user or resource.
        ConflictError: A name means several.
    """
    action = given["action"]
    actions = Actions(kind.spec for kind in KINDS.values())
    if action not in actions.all:
        raise InputError(f"{action!r} is no action", resource=NAME, hint=actions.nearest(action))
    user = _user(view, given)
    resource = _resource(view, action, given.get("resource"), user)
    at = given.get("at") or view.now
    environment = Environment(at, given.get("source_address"), given.get("door"))
    if given.get("source_address") and environment.address is None:
        raise InputError(f"{given['source_address']!r} is no IP address", resource=NAME)
    its = rights.held(user["id"], view)
    found = may(rights.rights_of(user, its), action, resource, environment)
    return {
        "allowed": found.allowed,
        **_told(found, its),
        **_barred(user, at),
        "action": action,
        "user": {
            "id": user["id"],
            "username": user["username"],
            "organization_id": user["organization_id"],
            "is_root": user["is_root"],
            "roles": list(its.roles),
        },
        "resource": {
            "kind": resource.kind,
            "id": resource.id,
            "name": resource.name,
            "organization_id": resource.organization_id,
            "containers": list(resource.containers),
        },
        "at": at,
    }


def _told(found: Decision, its: rights.Held) -> Document:
    """Why, and by which statement of which policy of which role."""
    return {
        "why": found.why,
        "role": its.through.get(found.policy) if found.policy is not None else None,
        "policy": found.policy,
        "number": found.number,
        "statement": found.statement.as_dict() if found.statement is not None else None,
    }


def _barred(user: UserRow, at: dt.datetime) -> Document:
    """That a user may do nothing, whatever policies say; empty where that is not so."""
    if not user["enabled"]:
        why = "the user is disabled"
    elif user["expiry"] is not None and user["expiry"] <= at:
        why = "the user has expired"
    else:
        return {}
    rest = dict.fromkeys(("role", "policy", "number", "statement"))
    return {**rest, "allowed": False, "why": why}


def _user(view: View, given: Mapping[str, Any]) -> UserRow:
    scope: dict[str, str | int | None] = {}
    if given.get("organization"):
        scope["organization_id"] = view.require(kinds.ORGANIZATION, given["organization"])["id"]
    user = view.require(kinds.USER, given["user"], scope)
    if any(user["organization_id"] != id for id in scope.values()):
        raise NotFoundError("does not exist", resource=label(kinds.USER, given["user"]))
    return user


def _resource(view: View, action: str, ref: str | None, user: UserRow) -> Resource:
    """What the action is about: an existing resource, or one of its kind that is to be made."""
    own = user["organization_id"]
    noun = action.partition(".")[0]
    kind = KINDS[noun].spec.name if noun in KINDS else None
    if ref is None:
        made = noun == kinds.ORGANIZATION and action.endswith(".create")
        return Resource(noun, None, None if kind is None or made else own)
    by_id = next((item.spec for item in KINDS.values() if ids.is_id(item.spec.prefix, ref)), None)
    if by_id is not None and by_id.owned_by is None:
        return rights.resource_of(by_id.name, view.require(by_id.name, ref), view)
    if kind is None:
        raise InputError(f"{action} is about no resource", resource=NAME)
    return rights.resource_of(kind, _named(view, kind, ref, own), view)


def _named(view: View, kind: AnyName, name: str, organization_id: str) -> Mapping[str, object]:
    """The resource of a name: of the user's organization, where names are unique in one."""
    if kind == kinds.ORGANIZATION or "organization_id" not in KINDS[kind].spec.columns:
        found: Mapping[str, object] = view.require(kind, name)
        return found
    row: Mapping[str, object] | None = view.find(kind, name, {"organization_id": organization_id})
    return row if row is not None else view.require(kind, name)


PROCEDURES = (Procedure(NAME, FIELDS, _look),)
