# SPDX-License-Identifier: Apache-2.0
"""Audit rows as a chain: each is sealed with its number and the hash of the one before it.

The hash is SHA-256 of ``pextra.audit.v1``, a line feed, and the row's canonical JSON: everything
that an exported row has but the hash itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pextra.access.audit.canonical import canonical
from pextra.model.fields import Row
from pextra.model.values import Document

DOMAIN = b"pextra.audit.v1\n"
"""Keeps what is hashed here apart from what is hashed elsewhere."""
EARLIER = "earlier"
"""The chain of the rows that were written before there were chains."""
_SAME = (
    "origin", "door", "organization_id", "request_id", "correlation_id", "kind", "resource_id",
    "name", "action", "outcome", "message", "before", "after", "chain", "step", "sequence",
    "previous", "hash",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain is.

    Attributes:
        sequence: The number of its last row; 0 before the first.
        hash: That row's hash, 64 hexadecimal digits.
    """

    sequence: int
    hash: str


START = Head(0, "0" * 64)
"""What the first row of a chain follows."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What sealing adds to a row.

    Attributes:
        id: The row's identifier.
        sequence: Its number in the chain.
        previous: The hash of the row before it.
        hash: Its own hash.
    """

    id: str
    sequence: int
    previous: str
    hash: str


def moment(value: dt.datetime) -> str:
    """A time in UTC, with microseconds: ``2026-01-31T12:00:00.000000Z``."""
    return f"{value.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def entry(row: Row) -> Document:
    """A row of the store as it is returned, exported and, but for its hash, hashed."""
    known = {name: row[name] for name in _SAME}
    return {"id": str(row["id"]), "at": moment(row["at"]), "user": row["actor"], **known}


def digest(item: Mapping[str, object], sequence: int, previous: str) -> str:
    """The hash that a row has at a place of its chain."""
    sealed = {**item, "sequence": sequence, "previous": previous}
    sealed.pop("hash", None)
    return hashlib.sha256(DOMAIN + canonical(sealed)).hexdigest()


def sealed(rows: Iterable[Row], head: Head) -> list[Seal]:
    """Seals for rows that follow a chain's end, in the order in which they were written."""
    seals: list[Seal] = []
    for row in sorted(rows, key=_order):
        sequence = head.sequence + 1
        seal = Seal(str(row["id"]), sequence, head.hash, digest(entry(row), sequence, head.hash))
        seals.append(seal)
        head = Head(sequence, seal.hash)
    return seals


def _order(row: Row) -> tuple[dt.datetime, str, int, str]:
    return row["at"], row["request_id"], row["step"], str(row["id"])
