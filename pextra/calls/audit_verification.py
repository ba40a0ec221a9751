# SPDX-License-Identifier: Apache-2.0
"""The check of all chains of audit rows, against what this node and the others have signed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pextra.access.audit import check, records
from pextra.access.audit.chain import Head, entry
from pextra.access.audit.check import Finding, Mark, Tampering
from pextra.calls.call import Answer
from pextra.engine import sealing
from pextra.host.machine import Host
from pextra.licensing import keys
from pextra.model.values import Document
from pextra.store import audit as rows
from pextra.store.audit import Chain
from pextra.store.connection import Store
from pextra.store.transaction import Transaction

UNSEALED_AFTER = dt.timedelta(minutes=1)
"""Rows that are older than this, and not sealed, are told."""
_MOST_WAITING = 20


@dataclass(frozen=True, slots=True)
class _Now:
    """What the store has at one moment.

    Attributes:
        chains: What is kept of chains beside their rows.
        last: The number of the last row of each chain that has any.
    """

    chains: Mapping[str, Chain]
    last: Mapping[str, int]


def _now(tx: Transaction) -> _Now:
    return _Now(rows.chains(tx), {name: rows.last(tx, name) for name in rows.names(tx)})


class Verification:
    """Looks at all chains of a store.

    Args:
        store: The database.
        host: This machine; what it has signed itself counts most.
        given: Checkpoints from elsewhere, such as a journal.
    """

    def __init__(self, store: Store, host: Host, given: Sequence[Mapping[str, Any]]) -> None:
        self._store = store
        self._host = host
        self._given = given
        self._findings: list[Finding] = []
        self._marks: dict[str, list[Mark]] = {}
        self._keys: dict[str, str | None] = {}

    def run(self) -> Answer:
        """What was found, and how much was looked at.

        Raises:
            InputError: A checkpoint that was given is none.
            HostError: This node's own files cannot be read.
        """
        kept = sealing.files(self._host)
        # Before the store, so that it does not know of rows that were not there yet.
        pem, seen = kept.key(), kept.seen()
        now = self._store.transact(_now, read_only=True)
        self._learn(now.chains, pem, seen)
        names = sorted({*now.chains, *now.last, *self._marks})
        chains = [self._chain(name, now) for name in names]
        for name in now.last:
            self._waiting(name)
        return {
            "whole": not self._findings,
            "chains": chains,
            "findings": [item.as_dict() for item in self._findings],
        }

    def _learn(
        self, there: Mapping[str, Chain], pem: bytes | None, seen: Mapping[str, Any] | None
    ) -> None:
        """What is to be believed: this node's own word first, then what others have signed."""
        self._keys = {name: item.public_key for name, item in there.items()}
        for name, state in (records.states_of(seen) if seen is not None else {}).items():
            known = self._keys.get(name)
            if state.key is not None and known not in (None, state.key) and name != self._host.key:
                self._forged(name, "the key of its node is not the one that this node saw first")
            self._keys[name] = state.key or known
        if pem is not None:
            self._keys[self._host.key] = keys.public_key_of(pem).hex()
        if seen is not None:
            self._believe(seen, "this node's own checkpoint")
        for item in there.values():
            if item.checkpoint is not None:
                self._believe(item.checkpoint, f"the checkpoint of {item.name}")
        for number, record in enumerate(self._given, 1):
            self._believe(record, f"the checkpoint that was given ({number})")

    def _believe(self, record: Mapping[str, Any], source: str) -> None:
        """Take the heads of a checkpoint, if its signature is right."""
        states, signer = records.states_of(record), str(record.get("by"))
        if not self._is_signed(record):
            self._forged(signer, f"{source} is not signed with its node's key")
            return
        for name, state in states.items():
            mark = Mark(state.head, f"{source}, {record.get('at')}")
            self._marks.setdefault(name, []).append(mark)

    def _is_signed(self, record: Mapping[str, Any]) -> bool:
        """Whether a node has signed it; the key of one that is not known is its own word."""
        key = self._keys.get(str(record.get("by"))) or str(record.get("key"))
        return records.is_signed(record, key, keys.signature_matches)

    def _forged(self, chain: str, text: str) -> None:
        self._findings.append(Finding(Tampering.FORGED, chain, None, None, text))

    def _chain(self, name: str, now: _Now) -> Document:
        """Look at a chain; once more, where it was pruned meanwhile."""
        kept = now.chains.get(name)
        count, first, found = self._checked(name, kept, now.last.get(name, 0))
        if found:
            again = self._store.transact(_now, read_only=True)
            pruned = kept.pruned if kept is not None else None
            kept = again.chains.get(name)
            if (kept.pruned if kept is not None else None) != pruned:
                count, first, found = self._checked(name, kept, again.last.get(name, 0))
        self._findings += found
        return {
            "chain": name, "rows": count, "first": first, "last": now.last.get(name, 0),
            "whole": not found,
        }  # fmt: skip

    def _checked(self, name: str, kept: Chain | None, last: int) -> tuple[int, int, list[Finding]]:
        """How many rows a chain has, the number of the first, and what was found."""
        pruned = kept.pruned if kept is not None else None
        start, found = records.pruned_head(pruned), list[Finding]()
        if pruned is not None:
            right = pruned.get("chain") == name and pruned.get("type") == records.PRUNED
            if not right or not self._is_signed(pruned):
                text = "the record of what was pruned is not signed with a node's key"
                found.append(Finding(Tampering.FORGED, name, None, start.sequence, text))
        head = Head(kept.sequence, kept.hash) if kept is not None else None
        marks = self._marks.get(name, ())
        walk = (entry(row) for row in rows.walk(self._store, name, start.sequence, last))
        count, wrong = check.check_chain(name, start, walk, head, marks)
        for mark in marks:
            if mark.head.sequence == start.sequence and mark.head.hash != start.hash:
                text = f"what was pruned is not what {mark.source} saw"
                found.append(Finding(Tampering.REWRITTEN, name, None, start.sequence, text))
        return count, start.sequence + 1, [*found, *wrong]

    def _waiting(self, name: str) -> None:
        """Rows that nobody has sealed for long."""
        before = dt.datetime.now(dt.UTC) - UNSEALED_AFTER
        waiting = self._store.transact(
            lambda tx: rows.waiting(tx, name, before, _MOST_WAITING + 1), read_only=True
        )
        if waiting:
            ids = ", ".join(str(row["id"]) for row in waiting[:_MOST_WAITING])
            more = " and more" if len(waiting) > _MOST_WAITING else ""
            text = f"not sealed for over a minute: {ids}{more}"
            self._findings.append(Finding(Tampering.UNSEALED, name, None, None, text))
