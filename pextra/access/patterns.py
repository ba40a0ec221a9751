# SPDX-License-Identifier: Apache-2.0
"""Names with wildcards: ``*`` is any text, none and dots included. Nothing else is special."""

from __future__ import annotations

from dataclasses import dataclass, field

WILDCARD = "*"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A name or several, such as ``instance.read``, ``org-*`` or ``*.list``.

    Attributes:
        text: As it was written, with each run of wildcards as one.
        head: What is before the first wildcard: all of it where there is none.
        literal: It has no wildcard.
        prefix: Its only wildcard is at its end.
    """

    text: str
    head: str = field(init=False, compare=False)
    literal: bool = field(init=False, compare=False)
    prefix: bool = field(init=False, compare=False)
    _parts: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        text = self.text
        while "**" in text:
            text = text.replace("**", WILDCARD)
        parts = text.split(WILDCARD)
        for name, value in (
            ("text", text),
            ("head", parts[0]),
            ("literal", len(parts) == 1),
            ("prefix", len(parts) == 2 and parts[1] == ""),
            ("_parts", tuple(parts)),
        ):
            object.__setattr__(self, name, value)

    def matches(self, name: str) -> bool:
        """Whether it is one of the names; the time grows with the name's length, and not faster."""
        if self.literal:
            return name == self.text
        first, *middle, last = self._parts
        if len(name) < len(first) + len(last) or not name.startswith(first):
            return False
        place, end = len(first), len(name) - len(last)
        for part in middle:
            # The first place is as good as any later one: what follows may be anywhere behind.
            place = name.find(part, place, end)
            if place < 0:
                return False
            place += len(part)
        return name.endswith(last)
