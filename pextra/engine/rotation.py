# SPDX-License-Identifier: Apache-2.0
"""Every secret of the store: counted, and encrypted again with another key.

A page of rows is a transaction, so what was done stays done wherever it is interrupted, and runs
of others wait for a page at most. Each value is encrypted again only if it has not that key yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pextra.engine.encryption import Kinds, encrypted
from pextra.engine.kind import AnyKind
from pextra.engine.progress import SILENT, Event, Progress, begin
from pextra.host.machine import Host
from pextra.host.secrets import versions
from pextra.host.secrets.cipher import Key
from pextra.host.secrets.keyring import Keyring
from pextra.model.change import RowChange
from pextra.model.encrypted import Encrypted, Place, is_plain, places, token_of
from pextra.model.errors import ConflictError, SecretError
from pextra.model.fields import Row

if TYPE_CHECKING:
    from pextra.store.connection import Store
    from pextra.store.transaction import Transaction

PAGE = 200
"""Rows that are looked at together."""
_DAMAGED = "(damaged)"


@dataclass(slots=True)
class Survey:
    """The secrets of a store.

    Attributes:
        rows: How many rows were looked at.
        keys: How many values are encrypted with each key, by its id.
        plain: How many values are in the clear.
        unreadable: The values whose key is not on this node, and the id of that.
    """

    rows: int = 0
    keys: Counter[str] = field(default_factory=Counter)
    plain: int = 0
    unreadable: list[tuple[Place, str]] = field(default_factory=list)


def survey(kinds: Kinds, store: Store, keyring: Keyring) -> Survey:
    """Look at every secret, and decrypt none."""
    found = Survey()
    here = frozenset(id for id in keyring.ids() if keyring.has(id))
    for kind in _secretive(kinds):
        for page in _pages(kind, store):
            found.rows += len(page)
            for row in page:
                _count(kind, row, here, found)
    return found


def _secretive(kinds: Kinds) -> Iterator[AnyKind]:
    return (kind for kind in kinds.values() if kind.spec.encrypted)


def _pages(kind: AnyKind, store: Store) -> Iterator[list[Row]]:
    last, full = "", True
    while full:

        def work(tx: Transaction, after: str = last) -> list[Row]:
            return tx.page(kind.spec, after, PAGE)

        page = store.transact(work, read_only=True)
        full = len(page) == PAGE
        if page:
            last = page[-1]["id"]
            yield page


def _count(kind: AnyKind, row: Row, here: frozenset[str], found: Survey) -> None:
    for place, value in places(kind.spec.name, row, kind.spec.encrypted):
        if is_plain(value):
            found.plain += 1
            continue
        token = token_of(value)
        id = token.key if token is not None else _DAMAGED
        found.keys[id] += 1
        if id not in here:
            found.unreadable.append((place, id))


def encrypt_again(
    kinds: Kinds, store: Store, host: Host, key: Key, rows: int, progress: Progress = SILENT
) -> int:
    """Encrypt with a key what has another one, or none; the number of values.

    What cannot be read here stays as it is, and so does the rest of its row.

    Args:
        kinds: All kinds.
        store: The database.
        host: This machine.
        key: The key that the store says new secrets have.
        rows: How many rows there are.
        progress: What follows it.

    Raises:
        ConflictError: Another run has begun to use another key.
        CancelledError: Somebody asked it to stop.
    """
    pages, begun, count = max(1, -(-rows // PAGE)), 1, 0
    for kind in _secretive(kinds):
        last: str | None = ""
        while last is not None:
            text = f"encrypt {kind.spec.name.replace('_', ' ')}s"
            begin(progress, Event("store", min(begun, pages), pages, text))
            turn = _Turn(kind, host, key, last)
            last, done = store.transact(turn.work)
            begun, count = begun + 1, count + done
    return count


@dataclass(frozen=True, slots=True)
class _Turn:
    """A page of rows of a kind, after an identifier."""

    kind: AnyKind
    host: Host
    key: Key
    after: str

    def work(self, tx: Transaction) -> tuple[str | None, int]:
        """Encrypt it; the last identifier, None at the end, and how many values."""
        used = versions.in_use(versions.read(tx))
        if used is None or used.id != self.key.id:
            raise ConflictError(
                f"another run encrypts with the key {used.id if used else 'none'} now",
                hint="Run it again when that has ended",
            )
        rows = tx.page(self.kind.spec, self.after, PAGE)
        changes, count = [], 0
        for row in rows:
            stale = self._stale(row)
            after = self._again(row, stale) if stale else None
            if after is not None:
                changes.append(RowChange(self.kind.spec, row["id"], row, after))
                count += len(stale)
        tx.write(changes)
        return (rows[-1]["id"] if len(rows) == PAGE else None), count

    def _stale(self, row: Row) -> list[Place]:
        found = []
        for place, value in places(self.kind.spec.name, row, self.kind.spec.encrypted):
            token = token_of(value) if type(value) is Encrypted else None
            if token is None or token.key != self.key.id:
                found.append(place)
        return found

    def _again(self, row: Row, stale: list[Place]) -> Row | None:
        keyring, spec = self.host.keyring, self.kind.spec
        try:
            opened = keyring.opened(spec.name, row, [place.path for place in stale])
            after = encrypted(spec, opened, self.key)
            return {**after, **self.kind.encrypted(row, after, self.host)}
        except SecretError:
            return None
