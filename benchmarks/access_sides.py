# SPDX-License-Identifier: Apache-2.0
"""What decides on access: this tree, Cedar and pycasbin, each asked the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pextra.access.attributes import Environment, Resource, Subject
from pextra.access.decisions import PolicySet, Rights, may
from pextra.access.patterns import WILDCARD, Pattern
from pextra.access.statements import Effect, Policy, Statement

ANN = Subject("user-ann", "ann", "org-1")
NOW = Environment()
PLACES = ("k0", "k1", "k2", "k3", "k4")
"""The attributes in which Cedar finds the identifiers of a resource and of what it is in."""


@dataclass(frozen=True, slots=True)
class Request:
    """Something that is asked."""

    action: str
    resource: Resource


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, and the statement that it is due to: its place among all, or None."""

    allowed: bool
    statement: int | None


class Side(Protocol):
    """Something that decides."""

    name: str

    def prepare(self, policies: Sequence[Policy]) -> None:
        """Read policies."""

    def question(self, request: Request) -> Callable[[], Any]:
        """What asks, ready to be called as often as one likes."""

    def allows(self, request: Request) -> bool:
        """Whether it is allowed."""


class Ours:
    """This tree."""

    name = "pextra.access"

    def prepare(self, policies: Sequence[Policy]) -> None:
        """Read policies."""
        self._policies = list(policies)
        self._rights = Rights(ANN, PolicySet(policies))

    def question(self, request: Request) -> Callable[[], Any]:
        """What asks."""
        return lambda: may(self._rights, request.action, request.resource, NOW)

    def allows(self, request: Request) -> bool:
        """Whether it is allowed."""
        return self.verdict(request).allowed

    def verdict(self, request: Request) -> Verdict:
        """What is decided; policies have different names."""
        found = may(self._rights, request.action, request.resource, NOW)
        if found.number is None:
            return Verdict(found.allowed, None)
        before = 0
        for policy in self._policies:
            if policy.name == found.policy:
                break
            before += len(policy.statements)
        return Verdict(found.allowed, before + found.number - 1)


class Cedar:
    """Cedar, with everything read before: policies, entities, and the request as it wants it."""

    name = "cedarpy"

    def prepare(self, policies: Sequence[Policy]) -> None:
        """Read policies; disabled ones become what never matches, so that places stay the same."""
        import cedarpy

        self._library = cedarpy
        texts = [
            _cedars(statement, policy.enabled)
            for policy in policies
            for statement in policy.statements
        ]
        self._policies = cedarpy.PolicySet.from_str("\n".join(texts))

    def question(self, request: Request) -> Callable[[], Any]:
        """What asks."""
        entities = self._library.Entities.from_json_str(json.dumps(_entities(request.resource)))
        asked = {
            "principal": {"type": "User", "id": ANN.id},
            "action": {"type": "Action", "id": request.action},
            "resource": {"type": "Resource", "id": request.resource.keys[0]},
            "context": {"action": request.action},
        }
        return lambda: self._library.is_authorized(asked, self._policies, entities)

    def allows(self, request: Request) -> bool:
        """Whether it is allowed."""
        return self.verdict(request).allowed

    def verdict(self, request: Request) -> Verdict:
        """What is decided.

        Raises:
            RuntimeError: Cedar could not evaluate a policy.
        """
        found = self.question(request)()
        if found.diagnostics.errors:
            raise RuntimeError(str(found.diagnostics.errors))
        places = [int(reason.removeprefix("policy")) for reason in found.diagnostics.reasons]
        return Verdict(bool(found.allowed), min(places) if places else None)


class Casbin:
    """pycasbin, which is asked about the resource alone, not about what it is in."""

    name = "pycasbin"

    _MODEL = """
[request_definition]
r = obj, act

[policy_definition]
p = obj, act, eft

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = keyMatch(r.obj, p.obj) && keyMatch(r.act, p.act)
"""

    def prepare(self, policies: Sequence[Policy]) -> None:
        """Read policies."""
        import casbin

        self._enforcer = casbin.Enforcer(casbin.Enforcer.new_model(text=self._MODEL))
        self._enforcer.add_policies(
            list(
                dict.fromkeys(
                    (resource, action, statement.effect.value)
                    for policy in policies
                    for statement in policy.statements
                    for action in statement.actions
                    for resource in statement.resources
                )
            )
        )

    def question(self, request: Request) -> Callable[[], Any]:
        """What asks."""
        key, action = request.resource.keys[0], request.action
        return lambda: self._enforcer.enforce(key, action)

    def allows(self, request: Request) -> bool:
        """Whether it is allowed."""
        return bool(self.question(request)())


def _cedars(statement: Statement, enabled: bool) -> str:
    """A statement in Cedar's language."""
    effect = "permit" if statement.effect is Effect.ALLOW else "forbid"
    actions = " || ".join(_action(Pattern(item)) for item in statement.actions)
    resources = " || ".join(_reaches(Pattern(item)) for item in statement.resources)
    condition = f"({actions}) && ({resources})" if enabled else "false"
    return f"{effect}(principal, action, resource) when {{ {condition} }};"


def _action(pattern: Pattern) -> str:
    if pattern.text == WILDCARD:
        return "true"
    if pattern.literal:
        return f"action == Action::{json.dumps(pattern.text)}"
    return f"context.action like {json.dumps(pattern.text)}"


def _reaches(pattern: Pattern) -> str:
    if pattern.text == WILDCARD:
        return "true"
    if pattern.literal:
        return f"resource in Resource::{json.dumps(pattern.text)}"
    return " || ".join(f"resource.{place} like {json.dumps(pattern.text)}" for place in PLACES)


def _entities(resource: Resource) -> list[dict[str, Any]]:
    """A resource in all that it is in."""
    keys = resource.keys
    attributes = {
        place: keys[number] if number < len(keys) else "" for number, place in enumerate(PLACES)
    }
    return [
        {
            "uid": {"type": "Resource", "id": key},
            "attrs": attributes if number == 0 else {},
            "parents": [{"type": "Resource", "id": item} for item in keys[number + 1 :]],
        }
        for number, key in enumerate(keys)
    ]
