# SPDX-License-Identifier: Apache-2.0
"""Secrets of rows on their way into the store.

While a run is planned and carried out, a secret that was given is in the clear, and one that the
store had is encrypted. What is given again is told from what is new by its mark, so nothing is
decrypted for that. ``as_written`` is the one place where secrets of a run are encrypted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pextra.engine.kind import AnyKind
from pextra.host.secrets import versions
from pextra.model.change import RowChange
from pextra.model.encrypted import Encrypted, is_plain, places, replaced, value_at
from pextra.model.fields import Row
from pextra.model.spec import KindSpec
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.host.machine import Host
    from pextra.host.secrets.cipher import Key
    from pextra.store.transaction import Transaction

Kinds = Mapping[str, AnyKind]


def keep_same(spec: KindSpec, current: Row | None, row: Document, host: Host) -> None:
    """Have secrets that were given as they are stored be those of the store, in place."""
    for place, given in places(spec.name, row, spec.encrypted) if current is not None else ():
        there = value_at(current, place.path)
        if (
            type(there) is Encrypted
            and type(given) is not Encrypted
            and host.keyring.same(place, there, given)
        ):
            row.update(replaced(row, place.path, there))


def is_secretive(change: RowChange) -> bool:
    """Whether a change has a secret that is to be encrypted."""
    after = change.after
    return after is not None and any(
        is_plain(value) and value != value_at(change.before, place.path)
        for place, value in places(change.spec.name, after, change.spec.encrypted)
    )


def check(tx: Transaction, changes: Iterable[RowChange], host: Host) -> None:
    """See that this node can encrypt the secrets of a plan, and have loaded what that needs.

    Raises:
        SecretError: It cannot.
    """
    if any(map(is_secretive, changes)):
        versions.check(tx, host.keyring)
        import cryptography.hazmat.primitives.ciphers.aead  # noqa: F401 - not while others wait


def as_written(
    tx: Transaction, kinds: Kinds, changes: Sequence[RowChange], host: Host
) -> list[RowChange]:
    """The changes as they are written: with each new secret encrypted.

    Raises:
        SecretError: This node does not have the key for it.
    """
    if not any(_reaches(change) for change in changes):
        return list(changes)
    keys: list[Key] = []

    def current() -> Key:
        if not keys:
            keys.append(versions.current(tx, host, dt.datetime.now(dt.UTC)))
        return keys[0]

    return [_as_written(kinds, change, host, current) for change in changes]


def _reaches(change: RowChange) -> bool:
    """Whether a change makes another one of a column that has secrets."""
    before, after = change.before or {}, change.after
    return after is not None and any(
        after.get(column) != before.get(column)
        for column in {path[0] for path in change.spec.encrypted}
    )


def _as_written(kinds: Kinds, change: RowChange, host: Host, key: Callable[[], Key]) -> RowChange:
    if change.after is None or not _reaches(change):
        return change
    after = dict(change.after)
    if is_secretive(change):
        after = encrypted(change.spec, after, key(), change.before)
    named = kinds[change.spec.name].encrypted(change.after, after, host)
    return replace(change, after={**after, **named})


def encrypted(spec: KindSpec, row: Row, key: Key, before: Row | None = None) -> Document:
    """A row with its secrets encrypted; those that the store has in the clear stay so."""
    from pextra.host.secrets import cipher

    found = dict(row)
    for place, value in places(spec.name, row, spec.encrypted):
        if is_plain(value) and value != value_at(before, place.path):
            found = replaced(found, place.path, cipher.encrypt(key, place, value))
    return found
