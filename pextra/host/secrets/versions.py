# SPDX-License-Identifier: Apache-2.0
"""Which keys the cluster has, as the store says: one is current, the others only open."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pextra.host.secrets.cipher import Key
from pextra.host.secrets.keyring import Keyring
from pextra.model.errors import SecretError

if TYPE_CHECKING:
    from pextra.host.machine import Host
    from pextra.store.transaction import Transaction

_READ = (
    "SELECT k.id, k.version, k.state, k.creation,"
    " ARRAY(SELECT h.host_key FROM secret_key_hosts AS h WHERE h.key_id = k.id) AS hosts"
    " FROM secret_keys AS k ORDER BY k.version"
)
_ADD = "INSERT INTO secret_keys (id, version, state, creation) VALUES (%s, %s, %s, %s) RETURNING id"
_MARK = "UPDATE secret_keys SET state = %s WHERE id = %s RETURNING id"
_KNOWN = "SELECT key_id FROM secret_key_hosts WHERE host_key = %s AND key_id = ANY(%s)"
_PLAIN = "SELECT id FROM secret_keys WHERE version = 0"
_NO_MORE_PLAIN = "DELETE FROM secret_keys WHERE version = 0 RETURNING id"
_NOTE = "INSERT INTO secret_key_hosts (key_id, host_key) VALUES (%s, %s) RETURNING key_id"


class State(enum.Enum):
    """What a key is for."""

    NEXT = "next"
    """Nothing yet: it is on its way to the other nodes."""
    FILLING = "filling"
    """What is new is encrypted with it, and what was there is being encrypted again with it."""
    CURRENT = "current"
    """What is new is encrypted with it, and all that could be read was."""
    OLD = "old"
    """It only opens what is encrypted with it still, in the store or in backups."""
    PLAIN = "plain"
    """No key: what was there before secrets were encrypted may be in the clear."""


_IN_USE = (State.FILLING, State.CURRENT)


@dataclass(frozen=True, slots=True)
class Version:
    """A key as the store knows it.

    Attributes:
        id: The key's id.
        version: Its number.
        state: What it is for.
        creation: When it was made.
        hosts: The keys of the machines that are known to have it; see ``Host.key``.
    """

    id: str
    version: int
    state: State
    creation: dt.datetime
    hosts: frozenset[str]


def read(tx: Transaction) -> tuple[Version, ...]:
    """All of them, by version."""
    return tuple(
        Version(
            row["id"], row["version"], State(row["state"]), row["creation"], frozenset(row["hosts"])
        )
        for row in tx.query(_READ)
        if row["version"] > 0
    )


def may_be_plain(tx: Transaction) -> bool:
    """Whether secrets may be in the clear that were there before any were encrypted."""
    return bool(tx.query(_PLAIN))


def none_is_plain(tx: Transaction) -> None:
    """Say that every secret is encrypted."""
    tx.query(_NO_MORE_PLAIN)


def in_use(known: Iterable[Version]) -> Version | None:
    """The one that new secrets are encrypted with; None before there is one."""
    return next((item for item in known if item.state in _IN_USE), None)


def check(tx: Transaction, keyring: Keyring) -> None:
    """See that this node could encrypt something.

    Raises:
        SecretError: It does not have the key for it.
    """
    used = in_use(read(tx))
    if used is not None:
        _current(keyring, used)


def current(tx: Transaction, host: Host, now: dt.datetime) -> Key:
    """The key that new secrets are encrypted with; made here if the cluster has none.

    The file is there before the store names it, so no secret is ever without its key.

    Raises:
        SecretError: This node does not have it, or it cannot be made.
    """
    used = in_use(read(tx))
    if used is not None:
        return _current(host.keyring, used)
    key = host.keyring.make(1)
    add(tx, key, State.CURRENT, now)
    note(tx, host, [key.id])
    return key


def _current(keyring: Keyring, used: Version) -> Key:
    try:
        return keyring.get(used.id)
    except SecretError as error:
        raise SecretError(
            f"a secret cannot be encrypted: the cluster's key is {used.id}. {error.message}",
            hint=error.hint,
        ) from None


def add(tx: Transaction, key: Key, state: State, now: dt.datetime) -> None:
    """Have the store name a key."""
    tx.query(_ADD, (key.id, key.version, state.value, now))


def mark(tx: Transaction, id: str, state: State) -> None:
    """Say what a key is for from now on."""
    tx.query(_MARK, (state.value, id))


def note(tx: Transaction, host: Host, ids: Iterable[str]) -> tuple[str, ...]:
    """Have the store know that this machine has keys; those that it did not know of."""
    wanted = sorted(ids)
    known = {row["key_id"] for row in tx.query(_KNOWN, (host.key, wanted))}
    new = tuple(id for id in wanted if id not in known)
    for id in new:
        tx.query(_NOTE, (id, host.key))
    return new
