# SPDX-License-Identifier: Apache-2.0
"""Sealing this node's audit rows, and signing how far all chains are.

A run seals when it is over and its caller has the answer. One process of a node seals at a time.
Whoever finds another one at it leaves its rows to that one, which looks once more after it has let
go of the lock. What a killed run leaves is sealed by the next one, or by the timer. A run
never fails because of it: what goes wrong is told in the journal.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pextra.access.audit import chain as chains
from pextra.access.audit import records
from pextra.access.audit.chain import EARLIER, START, Head
from pextra.access.audit.records import State
from pextra.host import journal
from pextra.host.audit_files import AuditFiles
from pextra.host.machine import Host
from pextra.model.errors import InputError, PextraError
from pextra.model.values import Document
from pextra.store import audit as rows
from pextra.store.transaction import Transaction

if TYPE_CHECKING:
    from pextra.store.connection import Store

EVERY = 60.0
"""Seconds after which a node signs how far all chains are, if any went on."""
_owed: list[Callable[[], None]] | None = None
"""What this process has put off; None while it puts nothing off."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the node's file ``audit.toml`` says.

    Attributes:
        syslog: The server that gets checkpoints besides the journal.
        retention_days: After so many days this node removes its own rows; None: never.
    """

    syslog: str | None = None
    retention_days: int | None = None


def settings(host: Host) -> Settings:
    """The node's settings.

    Raises:
        InputError: The file is not acceptable.
    """
    import tomllib

    path = f"{host.config_dir}/audit.toml"
    try:
        with open(path, "rb") as file:
            found = tomllib.load(file)
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    unknown = sorted(found.keys() - {"syslog", "retention_days"})
    days, server = found.get("retention_days"), found.get("syslog")
    if unknown:
        raise InputError(f"{path} has {unknown[0]}", hint="Possible are: retention_days, syslog")
    if days is not None and (not isinstance(days, int) or isinstance(days, bool) or days < 1):
        raise InputError(f"{path}: retention_days is no number of days: {days!r}")
    if server is not None:
        journal.address(str(server))
    return Settings(server, days)


def files(host: Host) -> AuditFiles:
    """Where this node keeps its key and its last checkpoint."""
    return AuditFiles(f"{host.state_dir}/audit")


@contextlib.contextmanager
def put_off() -> Iterator[list[Callable[[], None]]]:
    """Within the block, this process's runs do not seal: what is yielded then has to be called."""
    global _owed
    owed = list[Callable[[], None]]()
    _owed = owed
    try:
        yield owed
    finally:
        _owed = None


def after_run(store: Store, host: Host) -> None:
    """Seal what a run that is over has written, now or when its caller has the answer."""
    if _owed is not None:
        _owed.append(lambda: _late(store, host))
    else:
        _quietly(store, host)


def _late(store: Store, host: Host) -> None:
    """Seal with a store that its run has closed; it connects again."""
    with store:
        _quietly(store, host)


def _quietly(store: Store, host: Host) -> None:
    try:
        seal_all(store, host)
    except (PextraError, OSError) as error:
        text = f"audit rows wait to be sealed: {error}"
        with contextlib.suppress(OSError):
            journal.tell(text, journal.WARNING)


def seal_all(store: Store, host: Host, *, sign: bool = False) -> int:
    """Seal this node's rows, and sign a checkpoint when it is time; how many were sealed.

    Args:
        store: The database.
        host: This machine.
        sign: Sign a checkpoint in any case where a chain went on since the last one.

    Raises:
        PextraError: Rows or the node's files cannot be read or written.
    """
    kept, count = files(host), 0
    while True:
        with kept.locked() as mine:
            if not mine:
                return count
            count += _sealed(store, host.key, kept)
            age = kept.age()
            if sign or age is None or not 0 <= age < EVERY:
                sign = False
                count += _sealed_earlier(store)
                checkpoint(store, host)
        # Whoever found the lock taken has written its rows before, and counts on this.
        if not store.transact(lambda tx: rows.is_waiting(tx, host.key), read_only=True):
            return count


def _sealed(store: Store, chain: str, kept: AuditFiles) -> int:
    """Seal the rows of a chain; how many there were."""
    record = kept.seen()
    known = records.states_of(record).get(chain) if record is not None else None
    floor, count = known.head if known is not None else START, 0
    while True:
        done = store.transact(lambda tx: _seal(tx, chain, floor), ordered=False)
        count += done
        if done < rows.SEALED_AT_ONCE:
            return count


def _seal(
    tx: Transaction, chain: str, floor: Head = START, since: dt.datetime | None = None
) -> int:
    """Seal some rows of a chain, from its end on.

    An end that was cut off is not filled again: the chain goes on from where this node saw it.
    """
    waiting = rows.unsealed(tx, chain, since)
    if not waiting:
        return 0
    known = rows.chains(tx, [chain]).get(chain)
    head = Head(known.sequence, known.hash) if known is not None else START
    seals = chains.sealed(waiting, floor if floor.sequence > head.sequence else head)
    told = [
        {"id": item.id, "sequence": item.sequence, "previous": item.previous, "hash": item.hash}
        for item in seals
    ]
    rows.seal(tx, chain, told, (seals[-1].sequence, seals[-1].hash))
    return len(seals)


def _sealed_earlier(store: Store) -> int:
    """Seal what was written before there were chains; whichever node comes first does it."""
    since, count = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), 0

    def work(tx: Transaction) -> tuple[int, dt.datetime]:
        waiting = rows.unsealed(tx, EARLIER, since)
        last = waiting[-1]["at"] if waiting else since
        return _seal(tx, EARLIER, since=since), last

    if not store.transact(lambda tx: rows.is_waiting(tx, EARLIER), read_only=True):
        return 0
    while True:
        done, since = store.transact(work, ordered=False)
        count += done
        if done < rows.SEALED_AT_ONCE:
            return count


def key_pair(kept: AuditFiles) -> tuple[bytes, str]:
    """This node's private key in PEM, made when it is first needed, and its public key."""
    from pextra.licensing import keys

    pem = kept.key() or kept.keep_key(keys.generate_pair()[0])
    return pem, keys.public_key_of(pem).hex()


def checkpoint(store: Store, host: Host) -> Document | None:
    """Sign how far all chains are, and send it off; None where nothing changed since the last one.

    Raises:
        PextraError: The store or the node's files cannot be read or written.
    """
    kept, chain = files(host), host.key
    there = store.transact(rows.chains, read_only=True)
    record = kept.seen()
    known = records.states_of(record) if record is not None else {}
    now = {
        name: State(Head(item.sequence, item.hash), item.public_key) for name, item in there.items()
    }
    states, wrong = records.merged(known, now, lambda name, head: _follows(store, name, head))
    if wrong:
        text = "the audit log is not as this node saw it: pextra audit verify says what was done"
        journal.tell(text, journal.WARNING, {"PEXTRA_AUDIT_CHAINS": " ".join(wrong)})
    pem, key = key_pair(kept)
    if states == known and record is not None and record["key"] == key:
        kept.keep_seen(record)  # from now on, it is of now
        return None
    moment = dt.datetime.now(dt.UTC)
    if chain in states and states[chain].key is None:
        states[chain] = State(states[chain].head, key)
    drafted = records.checkpoint(chain, key, chains.moment(moment), states)
    made = _signed(drafted, pem)
    kept.keep_seen(made)
    store.transact(lambda tx: rows.note(tx, chain, public_key=key, checkpoint=made), ordered=False)
    _send(made, host, moment)
    return made


def _signed(record: Document, pem: bytes) -> Document:
    from pextra.licensing import keys

    return records.signed(record, lambda message: keys.sign(pem, message))


def _follows(store: Store, chain: str, head: Head) -> bool:
    """Whether a chain still has a row that was seen, or has had it pruned."""

    def work(tx: Transaction) -> bool:
        hash = rows.hash_at(tx, chain, head.sequence)
        if hash is None:
            pruned = rows.chains(tx, [chain])[chain].pruned
            return records.pruned_head(pruned).sequence >= head.sequence
        return hash == head.hash

    return store.transact(work, read_only=True)


def _send(record: Document, host: Host, moment: dt.datetime) -> None:
    """Send a checkpoint where the store's owner cannot change it."""
    text = json.dumps(record, separators=(",", ":"))
    journal.tell(f"audit checkpoint {text}", fields={"PEXTRA_AUDIT_CHECKPOINT": text})
    try:
        server = settings(host).syslog
        if server is not None:
            journal.send(server, f"audit checkpoint {text}", moment)
    except (OSError, PextraError) as error:
        journal.tell(f"the checkpoint was not sent to the syslog server: {error}", journal.WARNING)


def prunable(
    store: Store, names: Sequence[str] | None, before: dt.datetime
) -> dict[str, tuple[int, int]]:
    """The first and last row of each chain that may go: older than a moment, as all before them.

    Args:
        store: The database.
        names: The chains; None: all of them.
        before: The moment.
    """

    def work(tx: Transaction) -> dict[str, tuple[int, int]]:
        found = {}
        for name, item in rows.chains(tx, names).items():
            first = records.pruned_head(item.pruned).sequence + 1
            found[name] = first, rows.prunable(tx, item, first - 1, before)
        return {name: (first, last) for name, (first, last) in found.items() if first <= last}

    return store.transact(work, read_only=True)


def prune(
    store: Store,
    host: Host,
    chain: str,
    through: int,
    before: dt.datetime,
    also: Callable[[Transaction], None],
) -> int:
    """Remove the rows of a chain up to a number; how many there were.

    The record of it is signed and written first: a run that is killed leaves rows that no longer
    count, and that the next one removes.

    Args:
        store: The database.
        host: This machine.
        chain: The chain.
        through: The number of the last row that goes.
        before: The moment that all of them are older than.
        also: Is done in the same transaction as the record.
    """
    pem, key = key_pair(files(host))
    now = chains.moment(dt.datetime.now(dt.UTC))

    def work(tx: Transaction) -> None:
        end = Head(through, rows.hash_at(tx, chain, through) or START.hash)
        drafted = records.pruning(host.key, key, now, chain, end, chains.moment(before))
        rows.note(tx, chain, pruned=_signed(drafted, pem))
        rows.note(tx, host.key, public_key=key)
        also(tx)

    store.transact(work, ordered=False)
    return rows.prune(store, chain, through)


def finish_pruning(store: Store, names: Sequence[str] | None) -> None:
    """Remove what a run that was killed has left of rows that were pruned."""
    for name, item in store.transact(lambda tx: rows.chains(tx, names), read_only=True).items():
        if item.pruned is not None:
            rows.prune(store, name, records.pruned_head(item.pruned).sequence)
