# Copied from pextra/model/values.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""Values as people write them in YAML, JSON or on a command line, brought to a field's type.

What is accepted besides the type itself is what Ansible accepts: ``yes`` for a boolean, ``"5"`` for
a number, ``a,b`` for a list, ``a=1 b=2`` or JSON for a dictionary. A dictionary or a list is never
made a text: that would store how Python prints it. A boolean neither: it may have been ``no``.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ansible_collections.pextra.ce.plugins.module_utils.bare.model.errors import InputError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

Value: TypeAlias = (
    "bool | int | float | str | dt.datetime | Sequence[Value] | Mapping[str, Value] | None"
)
"""What a row holds and what is shown: JSON, and moments, which become texts."""
Cell: TypeAlias = "str | int | None"
"""A value of a column that rows are found by; whether something is true is a number too."""
Document: TypeAlias = "dict[str, Value]"
"""Something that is shown or returned, key by key."""
Options: TypeAlias = Mapping[str, Any]
"""What is asked for, option by option: as it was given, or as the options' fields have made it."""

UNSTORABLE = "characters that cannot be stored: NUL, or half a surrogate pair"

_TRUE = frozenset({"y", "yes", "on", "1", "true", "t"})
_FALSE = frozenset({"n", "no", "off", "0", "false", "f"})
_MOST_DIGITS = 100
_MOST_VALUES, _DEEPEST = 10_000, 50
"""What a document may hold: a few lines of YAML with aliases can stand for gigabytes."""
_INT8 = 1 << 63
"""The store's integers have 64 bits."""


def convert(type: str, value: object) -> Any:
    """The value as the type has it.

    Args:
        type: ``str``, ``int``, ``float``, ``bool``, ``list``, ``dict``, or ``raw``, which the
            field's own parser looks at.

    Raises:
        InputError: It cannot be brought to that type.
    """
    return _CONVERTERS[type](value)


def quoted(value: object) -> str:
    """A value as messages show it: at most 80 characters of its representation.

    What is in a mapping or a list is not shown: it may be a secret that stands at a wrong place.
    """
    if isinstance(value, (Mapping, list, tuple)):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    if isinstance(value, int) and not -(10**_MOST_DIGITS) < value < 10**_MOST_DIGITS:
        return f"a number of over {_MOST_DIGITS} digits"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _wrong(value: object, expected: str) -> InputError:
    return InputError(f"{quoted(value)} is not {expected}")


def _text(value: Any) -> str:
    if isinstance(value, (Mapping, list, tuple, set)):
        raise _wrong(value, "a text")
    if isinstance(value, bool):
        raise InputError(
            f"it is {str(value).lower()}, and not a text",
            hint="YAML takes yes, no, on and off without quotes for that: write it in quotes",
        )
    if isinstance(value, int):
        _check_digits(value)
    text = str(value)
    strange = not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)
    if strange or "\0" in text:
        raise InputError(f"it has {UNSTORABLE}")
    return text


def document(value: object) -> Any:
    """A value as JSON has it, with texts that can be stored: what the store keeps of a document.

    A moment, which YAML has and JSON has not, becomes a text, as Ansible sends it.

    Raises:
        InputError: It has what JSON has not, is too deep or too much, or refers to itself.
    """
    left = _MOST_VALUES

    def copied(item: Any, depth: int) -> Any:
        nonlocal left
        left -= 1
        if left < 0 or depth > _DEEPEST:
            raise InputError(
                f"it has more than {_MOST_VALUES} values, or more than {_DEEPEST} within each other"
            )
        if isinstance(item, Mapping):
            return {_key(key): copied(part, depth + 1) for key, part in item.items()}
        if isinstance(item, (list, tuple)):
            return [copied(part, depth + 1) for part in item]
        return _single(item)

    return copied(value, 0)


def _key(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InputError("it has a key that is neither a text nor a number")
    return _text(value)


def _single(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        _check_digits(value)
    elif isinstance(value, float):
        return _float(value)
    elif hasattr(value, "isoformat"):
        return str(value.isoformat())
    elif value is not None and not isinstance(value, bool):
        raise InputError("it has values that are neither texts, numbers, lists nor mappings")
    return value


def _check_digits(value: int) -> None:
    if not -(10**_MOST_DIGITS) < value < 10**_MOST_DIGITS:
        raise _wrong(value, "acceptable")


def _int(value: Any) -> int:
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, str) and len(value) <= _MOST_DIGITS:
        try:
            number = int(value.strip())
        except ValueError:
            number = None
    if number is None:
        raise _wrong(value, "a whole number")
    if not -_INT8 <= number < _INT8:
        raise InputError(f"{quoted(value)} does not fit into 64 bits")
    return number


def _float(value: Any) -> float:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
    raise _wrong(value, "a number")


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, float) and value in (0.0, 1.0):
        return bool(value)
    if isinstance(value, (int, str)):
        text = str(value).strip().lower() if isinstance(value, str) or value in (0, 1) else ""
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
    raise _wrong(value, "true or false")


def _list(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")] if value else []
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return [str(value)]
    raise _wrong(value, "a list")


def _dict(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str):
        found = _json(value) if value.lstrip().startswith("{") else _pairs(value)
        if found is not None:
            return found
    raise _wrong(value, "a dictionary")


def _json(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _pairs(text: str) -> dict[str, Any] | None:
    reader = shlex.shlex(text, posix=True, punctuation_chars="")
    reader.whitespace += ","
    reader.whitespace_split = True
    reader.commenters = ""
    try:
        words = list(reader)
    except ValueError:
        return None
    if not words or not all("=" in word for word in words):
        return None
    return dict(word.split("=", 1) for word in words)


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "list": _list,
    "dict": _dict,
    "raw": lambda value: value,
}
