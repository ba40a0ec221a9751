# SPDX-License-Identifier: Apache-2.0
"""The one text that a JSON value has, as RFC 8785 (JSON Canonicalization Scheme) writes it.

It differs in one thing: an integer is written with all of its digits, also above 2**53, where
RFC 8785 knows only the nearest number of double precision. Sizes in bytes can be that large.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def canonical(value: Any) -> bytes:
    """The canonical JSON of a value, in UTF-8.

    Raises:
        ValueError: A number is infinite or none, or a text has half a surrogate pair.
        TypeError: JSON has no such value, or a name in an object is no text.
    """
    return _text(value).encode()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        names = sorted(value, key=_order)
        return "{" + ",".join(f"{_text(name)}:{_text(value[name])}" for name in names) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_text, value)) + "]"
    raise TypeError(f"JSON has no {type(value).__name__}")


def _order(name: object) -> bytes:
    """What names are sorted by: their UTF-16 code units (RFC 8785, 3.2.3)."""
    if not isinstance(name, str):
        raise TypeError(f"a name is {type(name).__name__}")
    return name.encode("utf-16-be")


def _number(value: float) -> str:
    """A number as ECMAScript writes it (ECMA-262, Number::toString).

    Python and ECMAScript choose the same digits, the fewest that tell the number apart.
    """
    if not math.isfinite(value):
        raise ValueError(f"JSON has no {value}")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _mark, exponent = f"{abs(value)!r}".partition("e")
    whole, _dot, part = mantissa.partition(".")
    part = "" if part == "0" else part
    point = len(whole) + int(exponent or 0)
    digits = whole + part
    point -= len(digits) - len(digits.lstrip("0"))
    digits = digits.strip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1:+d}"
