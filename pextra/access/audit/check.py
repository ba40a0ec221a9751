# SPDX-License-Identifier: Apache-2.0
"""What was done to a chain of audit rows since they were sealed.

A row that was changed no longer has the hash that it was sealed with. Rows that are missing leave
their numbers free, and rows that were moved have the hash of another number. Whoever seals all of
a chain again, or cuts its end off, is found by what nodes have signed: see ``records``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pextra.access.audit.chain import Head, digest
from pextra.model.values import Document

MOST = 1000
"""So many rows of a chain that are not as they were sealed are looked at one by one."""
_PAIRED = 50
"""Up to so many, each is compared with the place of each other one."""


class Tampering(enum.StrEnum):
    """What was done to an audit log."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    MOVED = "moved"
    CUT = "cut"
    REWRITTEN = "rewritten"
    FORGED = "forged"
    UNSEALED = "unsealed"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed.

    Attributes:
        what: What was done.
        chain: The chain.
        first: The number of the first row that it is about; None where it is about no row.
        last: The number of the last one.
        text: A sentence for people.
    """

    what: Tampering
    chain: str
    first: int | None
    last: int | None
    text: str

    def as_dict(self) -> Document:
        """The finding as it is returned."""
        return {
            "what": self.what.value, "chain": self.chain, "first": self.first, "last": self.last,
            "text": self.text,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """How far somebody saw a chain.

    Attributes:
        head: How far.
        source: Who, and when, for people.
    """

    head: Head
    source: str


@dataclass(slots=True)
class _Seen:
    """What a walk along a chain noted."""

    end: Head
    count: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    bad: list[Document] = field(default_factory=list)
    bad_count: int = 0
    breaks: list[int] = field(default_factory=list)
    """Numbers of rows that do not follow the row before them, though both are whole."""
    missed: list[tuple[int, str]] = field(default_factory=list)
    """Numbers of rows that are not those that somebody saw there, and who that was."""


def check_chain(
    chain: str, start: Head, rows: Iterable[Document], head: Head | None, marks: Sequence[Mark]
) -> tuple[int, list[Finding]]:
    """Look at a chain from its start to its end.

    Args:
        chain: Its name.
        start: What the first row follows.
        rows: Its rows, by number.
        head: Its end, as the store keeps it beside the rows; None where it keeps none.
        marks: How far others saw it.

    Returns:
        How many rows there are, and what was found.
    """
    seen = _walk(start, rows, marks)
    found = [*_misplaced(chain, seen), *_broken(chain, start, seen)]
    gaps = sorted(seen.gaps)
    found += [_of(Tampering.REMOVED, chain, first, last, "missing") for first, last in gaps]
    for sequence, source in seen.missed:
        text = f"row {sequence} is not the one that {source} saw: rows up to it were sealed again"
        found.append(Finding(Tampering.REWRITTEN, chain, sequence, sequence, text))
    return seen.count, [*found, *_ends(chain, seen, head, marks)]


def _walk(start: Head, rows: Iterable[Document], marks: Sequence[Mark]) -> _Seen:
    seen, whole = _Seen(start), True
    wanted: dict[int, list[Mark]] = {}
    for mark in marks:
        wanted.setdefault(mark.head.sequence, []).append(mark)
    for row in rows:
        sequence, hash = int(str(row["sequence"])), str(row["hash"])
        before, is_whole = seen.end, _fits(row, sequence, str(row["previous"]), hash)
        if not is_whole:
            seen.bad_count += 1
            if len(seen.bad) < MOST:
                seen.bad.append(row)
        if sequence > before.sequence + 1:
            seen.gaps.append((before.sequence + 1, sequence - 1))
        elif row["previous"] != before.hash and whole and is_whole:
            seen.breaks.append(sequence)
        for mark in wanted.get(sequence, ()):
            if mark.head.hash != hash:
                seen.missed.append((sequence, mark.source))
        seen.end, seen.count, whole = Head(sequence, hash), seen.count + 1, is_whole
    return seen


def _fits(row: Mapping[str, object], sequence: int, previous: str, hash: str) -> bool:
    """Whether a row's hash is the one that it would have at a place."""
    try:
        return digest(row, sequence, previous) == hash
    except (ValueError, TypeError):
        return False


def _place(row: Document, others: Sequence[Document]) -> int | None:
    """The number under which a row was sealed that stands at another one; None: nowhere near."""
    at, previous, hash = int(str(row["sequence"])), str(row["previous"]), str(row["hash"])
    near = [at - 1, at + 1, *(int(str(item["sequence"])) for item in others)]
    for sequence in near:
        if sequence != at and _fits(row, sequence, previous, hash):
            return sequence
    for other in others:
        place = int(str(other["sequence"]))
        if other is not row and _fits(row, place, str(other["previous"]), str(other["hash"])):
            return place
    return None


def _misplaced(chain: str, seen: _Seen) -> Iterator[Finding]:
    """Rows that are not as they were sealed: moved, beside one that was inserted, or changed."""
    others = seen.bad if len(seen.bad) <= _PAIRED else []
    places = {int(str(row["sequence"])): _place(row, others) for row in seen.bad}
    shifts = {at: place - at for at, place in places.items() if place is not None}
    inserted = {at - 1 for at, by in shifts.items() if by == -1 and shifts.get(at - 1) is None}
    # Two that changed places look like a shift, too.
    inserted -= {at for at in inserted if at in seen_places(places, at)}
    gone = {at for at, by in shifts.items() if by == 1 and shifts.get(at - 1) != 1}
    gone -= {at for at in gone if at in places.values()}
    for at in sorted(inserted):
        yield _of(Tampering.INSERTED, chain, at, at, "not of the chain: the next was sealed there")
    for at in sorted(gone):
        yield _of(Tampering.REMOVED, chain, at, at, "missing: others were moved to fill its place")
    for first, last in _runs(at for at in shifts if at not in inserted):
        by = shifts[first]
        text = f"sealed {abs(by)} {'before' if by < 0 else 'after'} where they stand"
        yield _of(Tampering.MOVED, chain, first, last, text)
    changed = (at for at, place in places.items() if place is None and at not in inserted)
    for first, last in _runs(changed):
        yield _of(Tampering.CHANGED, chain, first, last, "not as they were sealed")
    if seen.bad_count > len(seen.bad):
        text = f"{seen.bad_count - len(seen.bad)} more rows are not as they were sealed"
        yield Finding(Tampering.CHANGED, chain, None, None, text)


def seen_places(places: Mapping[int, int | None], at: int) -> list[int]:
    """The places where rows belong, other than by the shift of the row after this one."""
    return [place for here, place in places.items() if place is not None and here != at + 1]


def _broken(chain: str, start: Head, seen: _Seen) -> Iterator[Finding]:
    """Rows that were sealed again after a change, which the row after them does not follow."""
    for at in seen.breaks:
        if at == start.sequence + 1:
            text = "it does not follow what the chain began with"
            yield Finding(Tampering.CHANGED, chain, at, at, f"row {at}: {text}")
        else:
            text = f"row {at - 1} was changed and sealed again: row {at} does not follow it"
            yield Finding(Tampering.CHANGED, chain, at - 1, at - 1, text)


def _ends(chain: str, seen: _Seen, head: Head | None, marks: Sequence[Mark]) -> Iterator[Finding]:
    end = seen.end
    far = [mark for mark in marks if mark.head.sequence > end.sequence]
    if head is not None and head.sequence > end.sequence:
        far.append(Mark(head, "the store's own record"))
    if far:
        last = max(far, key=lambda mark: mark.head.sequence)
        text = f"missing at the end, seen by {last.source}"
        yield _of(Tampering.CUT, chain, end.sequence + 1, last.head.sequence, text)
    if head is None and seen.count:
        text = "the store's record of the chain's end is gone"
        yield Finding(Tampering.REMOVED, chain, None, None, text)
    elif head is not None and head.sequence < end.sequence:
        text = "beyond the store's record of the chain's end"
        yield _of(Tampering.INSERTED, chain, head.sequence + 1, end.sequence, text)
    elif head is not None and head.sequence == end.sequence and head.hash != end.hash:
        text = f"row {end.sequence} is not the one that the store's record of the end says"
        yield Finding(Tampering.REWRITTEN, chain, end.sequence, end.sequence, text)


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Numbers as ranges of neighbours."""
    first = last = None
    for number in sorted(numbers):
        if first is None or last is None:
            first = last = number
        elif number == last + 1:
            last = number
        else:
            yield first, last
            first = last = number
    if first is not None and last is not None:
        yield first, last


def _of(what: Tampering, chain: str, first: int, last: int, text: str) -> Finding:
    if first == last:
        one = text.replace("they were", "it was").replace("they stand", "it stands")
        return Finding(what, chain, first, last, f"row {first}: {one}")
    return Finding(what, chain, first, last, f"rows {first} to {last}: {text}")
