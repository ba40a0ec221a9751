# SPDX-License-Identifier: Apache-2.0
"""Regular expressions of rules: whether one is found in a text, in time that cannot explode.

Debian 12 has no binding of a linear-time engine, and Python's own goes back and tries again, for
years if somebody writes ``(a+)+$``. So this is Thompson's construction: all places where the
expression may be are followed through the text at once, each character once. A step costs at most
some operations for each place of the expression (``MOST_PLACES``), and is remembered. The worst
that could be found takes 25 ms, on a text of the greatest length (``LONGEST``).

What an automaton cannot decide (back references, looking around) is refused when it is read.
Letters, digits and white space of ``\\w``, ``\\d``, ``\\s`` are JavaScript's: ASCII but for spaces.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pextra.access.grammar import once, reader
from pextra.model.errors import InputError

if TYPE_CHECKING:
    from lark import Token, Transformer

Accepts = Callable[[str], bool]
"""Whether a character is one of some."""

MOST_PLACES = 256
"""Places of an expression, counted copies of repeated parts included."""
MOST_DEPTH = 32
"""Groups within groups."""
LONGEST = 256
"""Characters of a text that is looked at; names and identifiers have at most 63."""

_START, _END, _BOUNDARY, _INSIDE = 1, 2, 4, 8
_ASSERTIONS = {"^": _START, "$": _END, "\\b": _BOUNDARY, "\\B": _INSIDE}
_REMEMBERED = 1024
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_LINE_ENDS = frozenset("\n\r\u2028\u2029")
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_SPACES = frozenset("\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff") | frozenset(
    map(chr, range(0x2000, 0x200B))
)
_SETS: dict[str, Accepts] = {
    "d": lambda letter: "0" <= letter <= "9",
    "w": lambda letter: letter in _WORD,
    "s": _SPACES.__contains__,
}
_IN_CLASS = re.compile(r"\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\.|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of an expression.

    Attributes:
        kind: ``character``, ``assertion``, ``sequence``, ``either``, ``repeat``.
        size: How many places it has.
        depth: How many groups are within each other.
        parts: What it is made of.
        accepts: The characters of a ``character``, or those that it is not.
        inverted: It is none of these.
        assertion: What has to hold, of an ``assertion``.
        low: Least times of a ``repeat``.
        high: Most times; None without end.
    """

    kind: str
    size: int
    depth: int = 0
    parts: tuple[_Part, ...] = ()
    accepts: Accepts = bool
    inverted: bool = False
    assertion: int = 0
    low: int = 0
    high: int | None = None


def _checked(part: _Part) -> _Part:
    if part.size > MOST_PLACES:
        raise InputError(
            f"the regular expression has more than {MOST_PLACES} places",
            hint="Repeat less, or write several shorter ones",
        )
    if part.depth > MOST_DEPTH:
        raise InputError(f"the regular expression has groups {part.depth} deep, {MOST_DEPTH} go")
    return part


def _combined(kind: str, parts: tuple[_Part, ...]) -> _Part:
    if len(parts) == 1:
        return parts[0]
    depth = max((part.depth for part in parts), default=0)
    return _checked(_Part(kind, 1 + sum(part.size for part in parts), depth, parts))


def _repeated(part: _Part, low: int, high: int | None) -> _Part:
    copies = max(low + 1 if high is None else high, 1)
    return _checked(
        _Part("repeat", 1 + part.size * copies, part.depth, (part,), low=low, high=high)
    )


def _character(accepts: Accepts, *, inverted: bool = False) -> _Part:
    return _Part("character", 1, accepts=accepts, inverted=inverted)


def _escaped(text: str) -> Accepts | str:
    """What an escape means: some characters, or one."""
    letter = text[1]
    if letter in "ux" and len(text) > 2:
        return chr(int(text[2:], 16))
    if letter.lower() in _SETS:
        accepts = _SETS[letter.lower()]
        return accepts if letter.islower() else lambda letter: not accepts(letter)
    if letter in _CONTROL:
        return _CONTROL[letter]
    if letter.isalnum():
        raise InputError(
            f"\\{letter} is not possible in a regular expression",
            hint="Back references and properties of Unicode are not among what is",
        )
    return letter


def _class(text: str) -> _Part:
    """One of the characters in ``[…]``, or none of those in ``[^…]``."""
    body = text[1:-1]
    inverted = body.startswith("^")
    written = ["\b" if item == "\\b" else item for item in _IN_CLASS.findall(body[inverted:])]
    items = [_escaped(item) if len(item) > 1 else item for item in written]
    sets, singles, ranges, place = list[Accepts](), set[str](), list[tuple[str, str]](), 0
    while place < len(items):
        item = items[place]
        dash = place + 2 < len(items) and written[place + 1] == "-"
        last = items[place + 2] if dash else None
        if isinstance(item, str) and isinstance(last, str):
            if last < item:
                raise InputError(f"{item}-{last} is not a range of characters")
            ranges.append((item, last))
            place += 3
            continue
        if isinstance(item, str):
            singles.add(item)
        else:
            sets.append(item)
        place += 1

    def accepts(letter: str) -> bool:
        return (
            letter in singles
            or any(low <= letter <= high for low, high in ranges)
            or any(one(letter) for one in sets)
        )

    return _character(accepts, inverted=inverted)


def _builder() -> Transformer[Any, Any]:
    """Makes parts of what the grammar finds."""
    from lark import Transformer

    class Builder(Transformer[Any, Any]):
        def start(self, items: list[_Part]) -> _Part:
            return items[0]

        def alternatives(self, items: list[_Part]) -> _Part:
            return _combined("either", tuple(items))

        def sequence(self, items: list[_Part]) -> _Part:
            return _combined("sequence", tuple(items))

        def star(self, items: list[Any]) -> _Part:
            return _repeated(items[0], 0, None)

        def plus(self, items: list[Any]) -> _Part:
            return _repeated(items[0], 1, None)

        def optional(self, items: list[Any]) -> _Part:
            return _repeated(items[0], 0, 1)

        def counted(self, items: list[Any]) -> _Part:
            low, comma, high = items[1][1:-1].partition(",")
            most = int(high) if high else None if comma else int(low)
            if most is not None and most < int(low):
                raise InputError(f"{items[1]} is not a count: it goes from more to less")
            return _repeated(items[0], int(low), most)

        def group(self, items: list[Any]) -> _Part:
            part: _Part = items[-1]
            return _checked(_Part("sequence", part.size, part.depth + 1, (part,)))

        def assertion(self, items: list[Token]) -> _Part:
            return _Part("assertion", 1, assertion=_ASSERTIONS[items[0]])

        def character_class(self, items: list[Token]) -> _Part:
            return _class(items[0])

        def escape(self, items: list[Token]) -> _Part:
            found = _escaped(items[0])
            return _character(found.__eq__ if isinstance(found, str) else found)

        def any(self, _items: list[Token]) -> _Part:
            return _character(_LINE_ENDS.__contains__, inverted=True)

        def character(self, items: list[Token]) -> _Part:
            return _character(str(items[0]).__eq__)

    return Builder()


_parse = once(lambda: reader("regex", _builder(), "the regular expression"))


class Regex:
    """An expression that texts can be searched for; see the module. Threads can share it.

    States are numbers. One that reads a character has a bit in a set of states; the others only
    lead on to some, or do so where an assertion holds.
    """

    def __init__(self, text: str, *, ignore_case: bool = False) -> None:
        """Read an expression.

        Raises:
            InputError: It is not one, or has more than an automaton of this size can decide.
        """
        whole: _Part = _parse(text)
        self.text = text
        self.places = whole.size
        self._ignore_case = ignore_case
        self._leads: list[tuple[int, ...]] = [()]
        self._needs: dict[int, int] = {}
        self._reading = 0
        self._characters: dict[int, tuple[_Part, int]] = {}
        self._asserted = 0
        self._closures: dict[tuple[int, int], int] = {}
        self._readers: dict[str, int] = {}
        self._steps: dict[tuple[int, int], int] = {}
        self._first = self._add(whole, 0)
        self._anchored = not self._closure(self._first, _END | _BOUNDARY | _INSIDE)

    def test(self, text: str) -> bool | None:
        """Whether the expression is found anywhere in the text; None of one over ``LONGEST``."""
        if len(text) > LONGEST:
            return None
        holds = self._holds(text, 0)
        states = self._step(0, holds)
        for place, letter in enumerate(text, 1):
            if states & 1:
                return True
            if not states and self._anchored:
                return False
            holds = self._holds(text, place)
            states = self._step(states & self._readers_of(letter), holds)
        return bool(states & 1)

    def _new(self, leads: tuple[int, ...]) -> int:
        self._leads.append(leads)
        return len(self._leads) - 1

    def _add(self, part: _Part, then: int) -> int:
        """The state in which a part begins that goes on to another; state 0 is the end."""
        if part.kind == "character":
            state = self._new((then,))
            self._reading |= 1 << state
            copies = self._characters.get(id(part), (part, 0))[1]
            self._characters[id(part)] = part, copies | 1 << state
            return state
        if part.kind == "assertion":
            state = self._new((then,))
            self._needs[state] = part.assertion
            self._asserted |= part.assertion
            return state
        if part.kind == "either":
            return self._new(tuple(self._add(item, then) for item in part.parts))
        if part.kind == "sequence":
            for item in reversed(part.parts):
                then = self._add(item, then)
            return then
        (item,) = part.parts
        if part.high is None:
            loop = self._new(())
            self._leads[loop] = (self._add(item, loop), then)
            then = loop
        else:
            end = then
            for _copy in range(part.high - part.low):
                then = self._new((self._add(item, then), end))
        for _copy in range(part.low):
            then = self._add(item, then)
        return then

    def _holds(self, text: str, place: int) -> int:
        """Which of the assertions that the expression has hold at a place of a text."""
        if not self._asserted:
            return 0
        found = (_START if place == 0 else 0) | (_END if place == len(text) else 0)
        if self._asserted & (_BOUNDARY | _INSIDE):
            before = place > 0 and text[place - 1] in _WORD
            after = place < len(text) and text[place] in _WORD
            found |= _BOUNDARY if before is not after else _INSIDE
        return found

    def _readers_of(self, letter: str) -> int:
        """The states that read a character."""
        found = self._readers.get(letter)
        if found is None:
            spellings = {letter}
            if self._ignore_case:
                spellings |= {one for one in (letter.lower(), letter.upper()) if len(one) == 1}
            found = 0
            for part, copies in self._characters.values():
                if any(part.accepts(one) for one in spellings) is not part.inverted:
                    found |= copies
            _remember(self._readers, letter, found)
        return found

    def _step(self, read: int, holds: int) -> int:
        """The states after some have read a character; another try begins at each place."""
        found = self._steps.get((read, holds))
        if found is None:
            found, rest = self._closure(self._first, holds), read
            while rest:
                lowest = rest & -rest
                rest ^= lowest
                found |= self._closure(self._leads[lowest.bit_length() - 1][0], holds)
            _remember(self._steps, (read, holds), found)
        return found

    def _closure(self, state: int, holds: int) -> int:
        """The states that read, and the end, which one leads to without a character."""
        found = self._closures.get((state, holds))
        if found is None:
            found, seen, todo = 0, {state}, [state]
            while todo:
                one = todo.pop()
                if one == 0 or self._reading >> one & 1:
                    found |= 1 << one
                elif self._needs.get(one, 0) & ~holds == 0:
                    fresh = set(self._leads[one]) - seen
                    seen |= fresh
                    todo += fresh
            self._closures[state, holds] = found
        return found


def _remember(memory: dict[Any, int], key: object, value: int) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value


@functools.lru_cache(256)
def compiled(literal: str) -> Regex:
    """The expression of a literal as rules have it, such as ``/^web-/i``.

    Raises:
        InputError: It cannot be read, is too large, or has a flag besides ``i``.
    """
    text, _slash, flags = literal[1:].rpartition("/")
    if flags not in ("", "i"):
        raise InputError(f"the flags {flags!r} of a regular expression are not possible: only i is")
    return Regex(text, ignore_case=flags == "i")
