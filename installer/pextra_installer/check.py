"""Data to a plan, or all that is wrong with it. Pure."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from pextra_installer.fieldtypes import near_match
from pextra_installer.plan import Plan
from pextra_installer.problems import AnswersError, Path, Problem, ProblemKind, path_text


@functools.cache
def adapter() -> TypeAdapter[Plan]:
    """The checker of plans, made once: it takes a moment."""
    return TypeAdapter(Plan)


Check = Callable[[Mapping[str, Any]], Iterable[Problem]]
"""Looks at answers for what the plan's types cannot know, such as the day that it is."""


def plan_of(data: object, source: str = "the answers", *checks: Check) -> Plan:
    """The plan that data describe.

    Args:
        data: Mappings, lists, texts, numbers and booleans, as a file's reader gives them.
        source: What they are called in the error.
        checks: What else to look for.

    Raises:
        AnswersError: With every problem; no secret's value is in it.
    """
    more = [problem for look in checks if isinstance(data, Mapping) for problem in look(data)]
    problems: list[Problem] = []
    try:
        plan = adapter().validate_python(data)
        if not more:
            return plan
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        below = {detail["loc"][:length] for detail in found for length in range(len(detail["loc"]))}
        details = [detail for detail in found if not _follows(detail, below)]
        problems = [problem for detail in details for problem in _problems(detail)]
    raise AnswersError(sorted({*problems, *more}, key=lambda one: path_text(one.path)), source)


def data_of(plan: Plan) -> dict[str, Any]:
    """The data of a plan: what is unset is left out, sizes and enumerations are texts."""
    data: dict[str, Any] = adapter().dump_python(plan, mode="json", exclude_none=True)
    return data


def fields_at(path: Path) -> Sequence[str]:
    """The keys that are known at a place in the answers; none where no mapping belongs."""
    current: Any = Plan
    for part in path:
        if isinstance(part, int):
            current = _item_of(current)
        elif dataclasses.is_dataclass(current):
            hints = typing.get_type_hints(current)
            current = _plain(hints.get(part))
        else:
            current = None
    current = _plain(current)
    if not dataclasses.is_dataclass(current):
        return ()
    return tuple(field.name for field in dataclasses.fields(current))


def _plain(hint: Any) -> Any:
    """A field's type without annotations and without None."""
    if typing.get_origin(hint) is typing.Annotated:
        return _plain(typing.get_args(hint)[0])
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        kinds = [kind for kind in typing.get_args(hint) if kind is not types.NoneType]
        return _plain(kinds[0])
    return hint


def _item_of(hint: Any) -> Any:
    return _plain(typing.get_args(_plain(hint))[0]) if typing.get_args(_plain(hint)) else None


def _follows(detail: ErrorDetails, below: Set[Path]) -> bool:
    """Whether a list is too short only because its entries are not acceptable.

    Args:
        below: The places that errors lie below.
    """
    return detail["type"] == "too_short" and detail["loc"] in below


def _problems(detail: ErrorDetails) -> list[Problem]:
    path: Path = detail["loc"]
    context: Mapping[str, Any] = detail.get("ctx") or {}
    kind = detail["type"]
    if kind == "pextra":
        return [Problem(path, str(context["text"]), str(context["hint"]) or None)]
    if kind == "pextra_rules":
        return [Problem((*path, *key), text, hint) for key, text, hint in context["found"]]
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return [_unknown(path)]
    if kind in ("missing", "missing_argument", "missing_keyword_only_argument"):
        hint = f"Add {path[-1]}" if path else None
        return [Problem(path, "it is missing", hint, kind=ProblemKind.MISSING)]
    message, hint = _wrong_type(kind, context, path)
    told = ProblemKind.TYPE if kind in _TYPES else ProblemKind.OTHER
    return [Problem(path, message, hint, kind=told)]


def _unknown(path: Path) -> Problem:
    known = fields_at(path[:-1])
    near = near_match(str(path[-1]), known)
    hint = f"Did you mean {near}?" if near else f"Known keys: {', '.join(known)}"
    return Problem(path, "this key is not known", hint)


_TYPES = {
    "string_type": ("a text belongs here", "Put it in quotes"),
    "bool_type": ("true or false belongs here", "Write it without quotes"),
    "int_type": ("a whole number belongs here", "Write it without quotes"),
    "tuple_type": ("a list belongs here", None),
    "list_type": ("a list belongs here", None),
    "dataclass_type": ("a mapping of keys belongs here", None),
    "dataclass_exact_type": ("a mapping of keys belongs here", None),
}


def _wrong_type(kind: str, context: Mapping[str, Any], path: Path) -> tuple[str, str | None]:
    if kind in _TYPES:
        message, hint = _TYPES[kind]
        known = fields_at(path)
        return message, f"Known keys: {', '.join(known)}" if known else hint
    if kind in ("enum", "literal_error"):
        choices = str(context["expected"]).replace(" or ", ", ").replace("'", "")
        if path == ("version",):
            hint = f"This installer reads version {choices}; take a newer one for later versions"
            return "this version of the format is not known", hint
        return "this is not one of the choices", f"Use one of: {choices}"
    if kind in ("greater_than_equal", "less_than_equal"):
        low = kind == "greater_than_equal"
        bound = context["ge"] if low else context["le"]
        return f"the number is too {'small' if low else 'large'}", f"The limit is {bound}"
    if kind == "too_short":
        return "the list is too short", f"Give at least {context['min_length']}"
    if kind == "too_long":
        return "the list is too long", f"Give at most {context['max_length']}"
    return f"this cannot be used ({kind})", None
