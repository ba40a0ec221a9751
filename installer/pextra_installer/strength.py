# SPDX-License-Identifier: Apache-2.0
"""How hard a password is to guess."""

from __future__ import annotations

_WORDS = ("very weak", "weak", "fair", "good", "strong")
WEAK = 1
"""Up to this place in the words above a password is asked about."""


def of(password: str) -> int:
    """From 0 to 4."""
    import zxcvbn

    return int(zxcvbn.zxcvbn(password[:100])["score"])


def word(password: str) -> str:
    """The same in words."""
    return _WORDS[of(password)]


def shown(password: str) -> str:
    """The same with a bar; none of no password."""
    if not password:
        return ""
    score = of(password)
    return f"{_WORDS[score]} ({'#' * (score + 1)}{'.' * (4 - score)})"
