# SPDX-License-Identifier: Apache-2.0
"""Secrets of a call, taken out of what is told of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pextra.model.fields import MASK

_NO_TEXTS = frozenset((int, bool, float, type(None)))
"""What has no letters that could be secret."""
_SHORT = 4
"""Secrets are masked wherever their letters are, and so half of a result if they are few. Below
this length they are masked as whole words, and in failures alone: no other result quotes any."""


def cleaned(value: Any, secrets: Iterable[str], *, short_ones: bool) -> Any:
    """The value with a mask in place of each secret.

    Args:
        value: Something that is told, as JSON has it.
        secrets: What must not be in it.
        short_ones: Mask short secrets, too.
    """
    pattern = _pattern(secrets, short_ones=short_ones)
    return value if pattern is None else _cleaned(value, pattern)


def _pattern(secrets: Iterable[str], *, short_ones: bool) -> re.Pattern[str] | None:
    """What finds secrets, as they are and as messages quote them; None if there is none."""
    quoted = {form for text in secrets for form in (text, repr(text)[1:-1]) if form}
    wanted = [
        re.escape(text) if len(text) >= _SHORT else rf"(?<!\w){re.escape(text)}(?!\w)"
        for text in sorted(quoted, key=len, reverse=True)
        if short_ones or len(text) >= _SHORT
    ]
    return re.compile("|".join(wanted)) if wanted else None


def _cleaned(value: Any, secret: re.Pattern[str]) -> Any:
    """The value with a mask in place of each secret in its texts."""
    if isinstance(value, str):
        return secret.sub(MASK, value)
    if isinstance(value, dict):
        return {
            key: item if type(item) in _NO_TEXTS else _cleaned(item, secret)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_cleaned(item, secret) for item in value]
    return value
