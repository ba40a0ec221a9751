# SPDX-License-Identifier: Apache-2.0
"""Policies and their statements: read from JSON, checked, and written again.

A policy is ``{name, enabled, description, statements}``, or with ``policy`` in place of
``statements`` as the platform's vendor has it. A statement is
``{effect, actions, resources, rule}`` in both; ours may have an ``id`` and a ``description``, which
the vendor's shape leaves out.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pextra.access.patterns import Pattern
from pextra.model.errors import InputError, PextraError
from pextra.model.fields import Field, normalise
from pextra.model.request import label
from pextra.model.units import parse_name
from pextra.model.values import Document, quoted

if TYPE_CHECKING:
    from pextra.access.actions import Actions

MOST_STATEMENTS = 1024
"""Of a policy. Source: the platform's user guide, policies."""
MOST_PATTERNS = 16_384
"""Actions and resources of all statements of a policy: 16 a statement, at the most statements."""
MOST_RULES = 131_072
"""Characters of all different rules of a policy: reading so many takes less than a second."""
MOST_PLACES = 4096
"""Places of the regular expressions of all different rules: 16 times what one may have."""
MOST_POLICIES = 1024
"""That are read at once."""

# Compiled when they are first used: few runs do.
_ACTION = r"[a-z0-9_.*]{1,128}"
_RESOURCE = r"[A-Za-z0-9_*-]{1,128}"
_ID = r"[A-Za-z0-9_-]{1,64}"


class Effect(enum.Enum):
    """What a statement does with what it matches."""

    ALLOW = "allow"
    DENY = "deny"


def _pattern(allowed: str, what: str) -> Any:
    """A parser of lists of patterns, which drops what is there twice."""

    def parse(values: list[str]) -> list[str]:
        if not values:
            raise InputError(f"a statement needs {what}", hint="* is all of them")
        for value in values:
            if re.fullmatch(allowed, value) is None:
                raise InputError(f"{quoted(value)} is not possible in {what}")
        return list(dict.fromkeys(Pattern(value).text for value in values))

    return parse


def _parse_id(value: str) -> str:
    if re.fullmatch(_ID, value) is None:
        raise InputError(f"{quoted(value)} is not 1 to 64 letters, digits, _ and -")
    return value


def _parse_description(value: str) -> str:
    if len(value) > 1024:
        raise InputError(f"it has {len(value)} characters, at most 1024 are possible")
    return value


def _parse_rule(value: str) -> str | None:
    from pextra.access import rules  # of many runs none has a rule

    text = value.strip()
    if text:
        rules.compiled(text)
    return text or None


STATEMENT = (
    Field(
        "effect",
        choices=tuple(effect.value for effect in Effect),
        required=True,
        doc=("Whether it allows or denies what it matches. What any statement denies is denied.",),
    ),
    Field(
        "actions",
        "list",
        elements="str",
        required=True,
        parse=_pattern(_ACTION, "actions"),
        doc=("Actions, or patterns of them with V(*), such as V(instance.*).",),
    ),
    Field(
        "resources",
        "list",
        elements="str",
        required=True,
        parse=_pattern(_RESOURCE, "resources"),
        doc=(
            "Identifiers, or patterns of them with V(*), such as V(inst-*). One of an organization,"
            " a datacenter, a cluster or a node reaches what is in it.",
        ),
    ),
    Field(
        "rule",
        nullable=True,
        parse=_parse_rule,
        doc=("A condition, without which the statement does not match.",),
    ),
    Field("id", nullable=True, parse=_parse_id, doc=("A name for the statement.",)),
    Field("description", default="", parse=_parse_description, doc=("Text for people.",)),
)
"""The fields of a statement."""
_POLICY = (
    Field("name", required=True, parse=parse_name),
    Field("enabled", "bool", default=True),
    Field("description", default="", parse=_parse_description),
    Field("statements", "raw"),
    Field("policy", "raw"),
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What is allowed or denied.

    Attributes:
        effect: Which of these.
        actions: Patterns of actions.
        resources: Patterns of resources' identifiers.
        rule: A condition besides; None without one.
        id: A name for it; None without one.
        description: Text for people.
    """

    effect: Effect
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    rule: str | None = None
    id: str | None = None
    description: str = ""

    def as_dict(self) -> Document:
        """As JSON has it; what it does not have is left out."""
        own: Document = {"id": self.id} if self.id else {}
        own |= {"description": self.description} if self.description else {}
        return {**own, **self.as_vendor()}

    def as_vendor(self) -> Document:
        """As JSON of the platform's vendor has it."""
        found: Document = {
            "effect": self.effect.value,
            "actions": list(self.actions),
            "resources": list(self.resources),
        }
        return {**found, "rule": self.rule} if self.rule else found


@dataclass(frozen=True, slots=True)
class Policy:
    """Statements under a name.

    Attributes:
        name: Its name, unique in an organization.
        statements: In the order in which they are asked.
        enabled: Whether it is asked at all.
        description: Text for people.
    """

    name: str
    statements: tuple[Statement, ...]
    enabled: bool = True
    description: str = ""

    def as_dict(self) -> Document:
        """As JSON has it."""
        return {**self._head(), "statements": [item.as_dict() for item in self.statements]}

    def as_vendor(self) -> Document:
        """As JSON of the platform's vendor has it."""
        return {**self._head(), "policy": [item.as_vendor() for item in self.statements]}

    def check(self, actions: Actions) -> None:
        """See that its actions exist, and that its resources can.

        Raises:
            InputError: Some do not; the message names the statement, the hint the nearest name.
        """
        for problem in self.problems(actions):
            raise problem

    def problems(self, actions: Actions) -> Iterator[InputError]:
        """What of its actions does not exist, and of its resources cannot: one a pattern."""
        checks = (("actions", actions.check_action), ("resources", actions.check_resource))
        for number, statement in enumerate(self.statements, 1):
            for name, check in checks:
                for pattern in getattr(statement, name):
                    try:
                        check(pattern)
                    except InputError as error:
                        yield _at(number, label("policy", self.name), error)

    def _head(self) -> Document:
        return {"name": self.name, "enabled": self.enabled, "description": self.description}


def parse_policies(data: object) -> tuple[Policy, ...]:
    """The policies of a document: one, a list, or an object with ``policies``.

    Raises:
        InputError: One is unacceptable, or two have one name.
    """
    if isinstance(data, Mapping) and "policies" in data:
        rest = sorted(str(key) for key in data if key != "policies")
        if rest:
            raise InputError(f"beside policies there is {', '.join(rest)}")
        data = data["policies"]
    documents = data if isinstance(data, list) else [data]
    if len(documents) > MOST_POLICIES:
        raise InputError(f"there are {len(documents)} policies, at most {MOST_POLICIES} go at once")
    found: dict[str, Policy] = {}
    for number, document in enumerate(documents, 1):
        policy = parse_policy(document, where=f"policy {number}")
        if policy.name.casefold() in found:
            raise InputError(f"there are two policies of the name {policy.name!r}")
        found[policy.name.casefold()] = policy
    return tuple(found.values())


def parse_policy(data: object, where: str = "policy") -> Policy:
    """The policy of a document.

    Args:
        data: What JSON or YAML has, of our shape or the vendor's.
        where: How messages call it as long as its name is not known.

    Raises:
        InputError: It is unacceptable.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"{quoted(data)} is not an object", resource=where)
    values = normalise(_POLICY, data, where)
    if "name" not in values:
        raise InputError("name is missing", resource=where)
    where = label("policy", values["name"])
    if ("statements" in values) is ("policy" in values):
        raise InputError("it needs statements, or policy as the vendor has it", resource=where)
    statements = parse_statements(values.get("statements", values.get("policy")), where)
    return Policy(
        values["name"], statements, values.get("enabled", True), values.get("description", "")
    )


def parse_statements(data: object, where: str = "policy") -> tuple[Statement, ...]:
    """The statements of a policy.

    Args:
        data: A list of objects.
        where: How messages call the policy.

    Raises:
        InputError: One is unacceptable, or they are too many or too long.
    """
    if not isinstance(data, list):
        raise InputError(f"statements: {quoted(data)} is not a list", resource=where)
    if len(data) > MOST_STATEMENTS:
        raise InputError(
            f"it has {len(data)} statements, at most {MOST_STATEMENTS} are possible",
            resource=where,
            hint="Divide it into several policies; a role can have them all",
        )
    statements = tuple(_statement(item, number, where) for number, item in enumerate(data, 1))
    patterns = sum(len(item.actions) + len(item.resources) for item in statements)
    if patterns > MOST_PATTERNS:
        raise InputError(
            f"its statements name {patterns} actions and resources, at most {MOST_PATTERNS} go",
            resource=where,
        )
    _check_rules(statements, where)
    _check_ids(statements, where)
    return statements


def stored_statements(data: Iterable[Mapping[str, Any]]) -> tuple[Statement, ...]:
    """The statements that the store has, which were checked when they were written.

    What only a newer version knows stays as it is: see ``rules.stored``.
    """
    return tuple(
        Statement(
            Effect(item["effect"]),
            tuple(item["actions"]),
            tuple(item["resources"]),
            item.get("rule"),
            item.get("id"),
            item.get("description", ""),
        )
        for item in data
    )


def _statement(data: object, number: int, where: str) -> Statement:
    try:
        if not isinstance(data, Mapping):
            raise InputError(f"{quoted(data)} is not an object")
        values = normalise(STATEMENT, data, "")
        for name in ("effect", "actions", "resources"):
            if name not in values:
                raise InputError(f"{name} is missing")
    except PextraError as error:
        raise _at(number, where, error) from None
    return Statement(
        Effect(values["effect"]),
        tuple(values["actions"]),
        tuple(values["resources"]),
        values.get("rule"),
        values.get("id"),
        values.get("description", ""),
    )


def _check_rules(statements: Iterable[Statement], where: str) -> None:
    """See that the rules are read and asked in a bounded time also when they are many."""
    texts = {item.rule for item in statements if item.rule}
    if not texts:
        return
    from pextra.access import rules

    characters = sum(len(text) for text in texts)
    if characters > MOST_RULES:
        raise InputError(
            f"its different rules have {characters} characters, at most {MOST_RULES} go",
            resource=where,
        )
    places = sum(rules.compiled(text).places for text in texts)
    if places > MOST_PLACES:
        raise InputError(
            f"its regular expressions have {places} places together, at most {MOST_PLACES} go",
            resource=where,
        )


def _check_ids(statements: Iterable[Statement], where: str) -> None:
    seen: dict[str, int] = {}
    for number, statement in enumerate(statements, 1):
        if statement.id is not None:
            first = seen.setdefault(statement.id, number)
            if first != number:
                raise InputError(
                    f"statements {first} and {number} have one id, {statement.id!r}", resource=where
                )


def _at(number: int, where: str, error: PextraError) -> InputError:
    """An error of a statement, with its number."""
    return InputError(f"statement {number}: {error.message}", resource=where, hint=error.hint)
