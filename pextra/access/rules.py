# SPDX-License-Identifier: Apache-2.0
"""Rules: conditions in the guide's expression language, ``rules.lark``.

A rule is read once, checked, and becomes functions; nothing of it is ever evaluated as a program.
What has a wrong type (``env.day_of_week == "Sunday"``) is refused then, so that deciding has no
errors.

An attribute that is not known (the resource has no such tag, nobody said where the request comes
from) makes a condition neither true nor false, but *unknown*, also when that is negated.
Unknown goes on as in Kleene's logic: ``unknown && false`` is false and ``unknown || true`` is true,
because it would be that whatever the attribute were; everything else is unknown. A statement with
a rule that is unknown matches if it denies, and does not if it allows. So whoever hides an
attribute gains nothing, and ``resource.tags.includes("env") && resource.tags.env == "prod"`` has an
answer for what has no such tag.
"""

from __future__ import annotations

import difflib
import functools
import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pextra.access import regex
from pextra.access.attributes import (
    ATTRIBUTES,
    AttributeValue,
    Environment,
    Get,
    Resource,
    Subject,
    Type,
    attribute,
)
from pextra.access.grammar import once, reader
from pextra.model.errors import InputError

if TYPE_CHECKING:
    from lark import Token, Transformer

Evaluate: TypeAlias = Callable[[Subject, Resource, Environment], "bool | None"]

MOST_CHARACTERS = 4096
"""Of a rule. The guide's longest example has 130; reading this many takes some 20 ms."""
MOST_DEPTH = 32
"""Conditions within conditions."""

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    # Both sides have one type, so that loose and strict comparison are the same.
    "==": operator.eq,
    "===": operator.eq,
    "!=": operator.ne,
    "!==": operator.ne,
    **_ORDERS,
}
_METHODS: Mapping[str, Callable[[Any, Any], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "includes": operator.contains,
}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|.)", re.DOTALL)
_CONTROL = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that has been read.

    Attributes:
        text: As it was written.
        holds: Whether it holds in a case; None where that is unknown.
        attributes: What it looks at, by name.
        strange: The names among these that are no attributes.
        places: How many places its regular expressions have together, which bounds its time.
    """

    text: str
    holds: Evaluate
    attributes: Mapping[str, Get]
    strange: tuple[str, ...] = ()
    places: int = 0

    def unknown(
        self, subject: Subject, resource: Resource, environment: Environment
    ) -> tuple[str, ...]:
        """The names of the attributes that are not known in a case."""
        return tuple(
            name
            for name, get in self.attributes.items()
            if get(subject, resource, environment) is None
        )


@dataclass(frozen=True, slots=True)
class _Operand:
    """A value: its type, where it comes from, how it is written, and the attributes in it."""

    type: Type
    get: Get
    shown: str
    attributes: Mapping[str, Get]


@dataclass(frozen=True, slots=True)
class _Condition:
    """What holds or not.

    Attributes:
        holds: How that is found.
        attributes: What it looks at, by name.
        depth: How many conditions are within each other.
        places: How many places its regular expressions have together.
    """

    holds: Evaluate
    attributes: Mapping[str, Get]
    depth: int = 1
    places: int = 0


@functools.lru_cache(4096)
def compiled(text: str) -> Rule:
    """The rule that a text is.

    Raises:
        InputError: It cannot be read, compares what is never equal, names what is no attribute, or
            is too long or too deep.
    """
    rule = _read(text)
    if rule.strange:
        name = rule.strange[0]
        near = difflib.get_close_matches(name, ATTRIBUTES, 1)
        raise InputError(
            f"the rule names {name!r}, which is no attribute",
            hint=f"Did you mean {near[0]}?" if near else f"There are: {', '.join(ATTRIBUTES)}",
        )
    return rule


@functools.lru_cache(4096)
def stored(text: str) -> Rule:
    """The rule of a policy that the store has, which another version may have checked.

    What this version does not know is unknown: attributes, and all of a rule that it cannot read.
    """
    try:
        return _read(text)
    except InputError:
        return Rule(text, lambda _s, _r, _e: None, {}, ("a rule that cannot be read",))


def _read(text: str) -> Rule:
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"the rule has {len(text)} characters, at most {MOST_CHARACTERS} go")
    condition: _Condition = _parse(text)
    if condition.places > regex.MOST_PLACES:
        raise InputError(
            f"the rule's regular expressions have {condition.places} places together, at most"
            f" {regex.MOST_PLACES} go"
        )
    strange = tuple(name for name in condition.attributes if attribute(name) is None)
    return Rule(text, condition.holds, condition.attributes, strange, condition.places)


def _never(_subject: Subject, _resource: Resource, _environment: Environment) -> None:
    """The value of what is no attribute."""


def _named(name: str) -> _Operand:
    found = attribute(name)
    if found is None:
        return _Operand(Type.UNKNOWN, _never, name, {name: _never})
    return _Operand(found.type, found.get, name, {name: found.get})


def _constant(type: Type, value: AttributeValue, shown: str) -> _Operand:
    return _Operand(type, lambda _s, _r, _e: value, shown, {})


def _both(function: Callable[[Any, Any], bool], left: _Operand, right: _Operand) -> _Condition:
    """What compares two values, and is unknown where one of them is."""
    first, second = left.get, right.get

    def holds(subject: Subject, resource: Resource, environment: Environment) -> bool | None:
        one = first(subject, resource, environment)
        other = second(subject, resource, environment)
        return None if one is None or other is None else function(one, other)

    return _Condition(holds, {**left.attributes, **right.attributes})


def _joined(conditions: Collection[_Condition], decisive: bool) -> _Condition:
    """All of some conditions (False decides), or any of them (True does)."""
    parts = tuple(item.holds for item in conditions)

    def holds(subject: Subject, resource: Resource, environment: Environment) -> bool | None:
        result: bool | None = not decisive
        for part in parts:
            found = part(subject, resource, environment)
            if found is decisive:
                return decisive
            if found is None:
                result = None
        return result

    return _deeper(holds, conditions)


def _deeper(holds: Evaluate, conditions: Collection[_Condition]) -> _Condition:
    """What is made of some conditions."""
    depth = 1 + max(item.depth for item in conditions)
    if depth > MOST_DEPTH:
        raise InputError(f"the rule has conditions more than {MOST_DEPTH} deep")
    attributes = {name: get for item in conditions for name, get in item.attributes.items()}
    return _Condition(holds, attributes, depth, sum(item.places for item in conditions))


def _compared(left: _Operand, sign: str, right: _Operand) -> _Condition:
    types = {left.type, right.type} - {Type.UNKNOWN}
    if Type.LIST in types:
        raise InputError(
            f"the rule compares a list: {left.shown} {sign} {right.shown}",
            hint='A list is looked into: principal.roles.includes("operator")',
        )
    if len(types) > 1:
        raise InputError(
            f"the rule compares {left.shown}, {left.type.value}, with {right.shown},"
            f" {right.type.value}",
            hint="Numbers are written without quotes, texts with them",
        )
    return _both(_COMPARISONS[sign], left, right)


def _called(receiver: _Operand, method: str, argument: _Operand) -> _Condition:
    function = _METHODS.get(method)
    if function is None:
        near = difflib.get_close_matches(method, _METHODS, 1)
        raise InputError(
            f"the rule calls {method!r}, which is not possible",
            hint=f"Did you mean {near[0]}?" if near else f"Possible are: {', '.join(_METHODS)}",
        )
    of = (Type.TEXT, Type.LIST) if method == "includes" else (Type.TEXT,)
    if receiver.type not in (*of, Type.UNKNOWN):
        raise InputError(f"{receiver.shown} is {receiver.type.value}, which has no {method}")
    if argument.type not in (Type.TEXT, Type.UNKNOWN):
        raise InputError(f"{method} takes a text, and {argument.shown} is {argument.type.value}")
    return _both(function, receiver, argument)


def _tested(expression: str, method: str, argument: _Operand) -> _Condition:
    if method != "test":
        raise InputError(f"a regular expression has no {method!r}", hint="It has test")
    if argument.type not in (Type.TEXT, Type.UNKNOWN):
        raise InputError(f"test takes a text, and {argument.shown} is {argument.type.value}")
    compiled = regex.compiled(expression)
    test, get = compiled.test, argument.get

    def holds(subject: Subject, resource: Resource, environment: Environment) -> bool | None:
        value = get(subject, resource, environment)
        return test(value) if isinstance(value, str) else None

    return _Condition(holds, argument.attributes, places=compiled.places)


def _unquoted(literal: str) -> str:
    """What a text in quotes is."""

    def meaning(match: re.Match[str]) -> str:
        letter = match[1]
        if len(letter) > 1:
            return chr(int(letter[1:], 16))
        if letter.isalnum() and letter not in _CONTROL:
            raise InputError(f"\\{letter} is not possible in a text")
        return _CONTROL.get(letter, letter)

    text = _ESCAPE.sub(meaning, literal[1:-1])
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InputError("a text of the rule has half a surrogate pair")
    return text


def _builder() -> Transformer[Any, Any]:
    """Makes conditions of what the grammar finds."""
    from lark import Transformer

    class Builder(Transformer[Any, Any]):
        def start(self, items: list[_Condition]) -> _Condition:
            return items[0]

        def disjunction(self, items: list[_Condition]) -> _Condition:
            return _joined(items, True)

        def conjunction(self, items: list[_Condition]) -> _Condition:
            return _joined(items, False)

        def negated(self, items: list[_Condition]) -> _Condition:
            inner = items[0].holds

            def holds(
                subject: Subject, resource: Resource, environment: Environment
            ) -> bool | None:
                found = inner(subject, resource, environment)
                return None if found is None else not found

            return _deeper(holds, items)

        def comparison(self, items: list[Any]) -> _Condition:
            return _compared(*items)

        def path_call(self, items: list[Any]) -> _Condition:
            receiver, separator, method = items[0].rpartition(".")
            if not separator:
                raise InputError(f"the rule calls {method!r}, which is not possible")
            return _called(_named(receiver), method, items[1])

        def text_call(self, items: list[Any]) -> _Condition:
            return _called(self.text(items), str(items[1]), items[2])

        def regex_call(self, items: list[Any]) -> _Condition:
            return _tested(str(items[0]), str(items[1]), items[2])

        def attribute(self, items: list[str]) -> _Operand:
            return _named(items[0])

        def text(self, items: list[Token]) -> _Operand:
            return _constant(Type.TEXT, _unquoted(items[0]), str(items[0]))

        def number(self, items: list[Token]) -> _Operand:
            return _constant(Type.NUMBER, float(items[0]), str(items[0]))

        def path(self, items: list[str]) -> str:
            return ".".join(items)

        def path_key(self, items: list[Any]) -> str:
            return f"{items[0]}.{_unquoted(items[1])}"

    return Builder()


_parse = once(lambda: reader("rules", _builder(), "the rule"))
