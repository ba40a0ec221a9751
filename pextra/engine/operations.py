# SPDX-License-Identifier: Apache-2.0
"""The operations that a store keeps, with progress, log and result.

Their owner is a process: when it is
gone and the operation has not ended, whoever looks next on that node says that it failed. What it
had begun is finished by asking again, or by reconcile.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pextra.engine.operation import Line, Operation, State, of_row
from pextra.engine.progress import SILENT, Event, Progress
from pextra.host import process
from pextra.host.machine import Host
from pextra.model import ids
from pextra.model.change import RowChange
from pextra.model.errors import (
    CancelledError,
    ConflictError,
    IncompleteError,
    NotFoundError,
    PextraError,
    StoreError,
    each,
)
from pextra.model.fields import Row
from pextra.model.names import KindName
from pextra.model.principal import Principal
from pextra.model.request import label
from pextra.model.spec import KindSpec
from pextra.model.values import Document, Value
from pextra.store.transaction import Transaction

if TYPE_CHECKING:
    from pextra.store.connection import Store

KEPT = dt.timedelta(days=7)
"""How long operations are kept after they began."""
_FORGOTTEN_AT_ONCE = 100
_SPEC = KindSpec(
    KindName("operation"), "operations", "op", (), rank=0,
    moments=("creation", "started", "finished"),
)  # fmt: skip
_LINES = KindSpec(KindName("operation_line"), "operation_lines", "opl", (), rank=1, moments=("at",))
_POWER_FROM = 0.9
"""How far an operation is when the host is done and power remains."""
_running: set[str] = set()
"""Operations that this process is carrying out or will carry out."""
_guard = threading.Lock()


class Operations:
    """The operations that are kept in a store.

    Args:
        store: The database.
        host: This machine.
    """

    def __init__(self, store: Store, host: Host) -> None:
        self._store = store
        self._key = host.key

    def queue(self, name: str, options: Mapping[str, Value], principal: Principal) -> str:
        """Keep an operation that this process will carry out; its identifier.

        Args:
            name: What will be called.
            options: The options, without secrets.
            principal: Who asks.
        """
        id = ids.new_id("op")
        row: Row = {
            "id": id, "name": name, "options": dict(options), "actor": principal.user,
            "origin": principal.origin, "door": principal.door,
            "organization_id": principal.organization_id,
            "request_id": principal.request_id or id, "host_key": self._key,
            "owner": process.mark(), "state": State.QUEUED.value, "progress": 0.0, "line": "",
            "cancel": False, "creation": _now(),
        }  # fmt: skip

        def work(tx: Transaction) -> None:
            nodes = tx.query("SELECT id FROM nodes WHERE host_key = %s", [self._key])
            node_id = nodes[0]["id"] if nodes else None
            tx.write([RowChange(_SPEC, id, None, {**row, "node_id": node_id})])
            _forget_old(tx)

        with _guard:
            _running.add(id)
        try:
            self._store.transact(work)
        except BaseException:
            with _guard:
                _running.discard(id)
            raise
        return id

    def carry_out(
        self,
        id: str,
        work: Callable[[Progress], Mapping[str, Value]],
        *,
        also: Progress = SILENT,
        masked: Callable[[Any], Any] = lambda value: value,
    ) -> Mapping[str, Value]:
        """Do what a queued operation is; what ``work`` answers.

        Args:
            id: Its identifier.
            work: Does it, and tells how far it is.
            also: What follows it besides.
            masked: Takes secrets out of what is kept of result, error and log.

        Raises:
            PextraError: What ``work`` raises; it is kept, too.
            CancelledError: It was asked to stop before it began, or between two steps.
        """
        try:
            self._begin(id)
            try:
                answer = work(_Follower(self._store, id, also, masked))
            except CancelledError as error:
                self._end(id, State.CANCELLED, error=masked(_told(error)))
                raise
            except PextraError as error:
                results = error.results if isinstance(error, IncompleteError) else None
                self._end(id, State.FAILED, result=masked(results), error=masked(_told(error)))
                raise
            except BaseException as error:
                text = f"it ended unexpectedly: {type(error).__name__}"
                told: Document = {"code": "internal", "message": text, "hint": None, "errors": []}
                self._end(id, State.FAILED, error=told)
                raise
            self._end(id, State.SUCCEEDED, result=masked(dict(answer)))
            return answer
        finally:
            with _guard:
                _running.discard(id)

    def _begin(self, id: str) -> None:
        def work(tx: Transaction) -> bool:
            row = _row(tx, id)
            if row["state"] != State.QUEUED.value:
                return False
            _update(tx, row, {"state": State.RUNNING.value, "started": _now()})
            return True

        if not self._store.transact(work):
            raise CancelledError("it was cancelled before it began")

    def _end(self, id: str, state: State, **known: Any) -> None:
        def work(tx: Transaction) -> None:
            rows = tx.select(_SPEC, {"id": [id]})
            if rows:
                done = {"progress": 1.0} if state is State.SUCCEEDED else {}
                ended = {"state": state.value, "finished": _now(), **done, **known}
                _update(tx, rows[0], ended)

        # The run itself counts. Who looks later is told that it ended without a word.
        with contextlib.suppress(StoreError):
            self._store.transact(work)

    def forget(self, id: str) -> None:
        """Keep an operation no longer."""
        self._store.transact(lambda tx: _delete(tx, [id]))

    def find(self, id: str) -> Operation:
        """The operation with this identifier, and its log.

        Raises:
            NotFoundError: There is none, or it is no longer kept.
        """
        self.recover()

        def work(tx: Transaction) -> tuple[Row, list[Row]]:
            return _row(tx, id), tx.select(_LINES, {"operation_id": [id]})

        row, lines = self._store.transact(work, read_only=True)
        lines.sort(key=lambda line: int(line["number"]))
        return of_row(row, tuple(Line(line["at"], line["text"]) for line in lines))

    def recent(self, limit: int) -> list[Operation]:
        """The newest operations, of all nodes."""
        self.recover()
        rows = self._store.transact(
            lambda tx: tx.query(
                "SELECT * FROM operations ORDER BY creation DESC, id LIMIT %s", [limit]
            ),
            read_only=True,
        )
        return [of_row(row, ()) for row in rows]

    def cancel(self, id: str) -> Operation:
        """Ask an operation to stop between two steps; one that has not begun does not begin.

        Raises:
            NotFoundError: There is none.
            ConflictError: It has ended.
        """
        self.recover()

        def work(tx: Transaction) -> None:
            row = _row(tx, id)
            if State(row["state"]).ended:
                raise ConflictError(
                    f"it has {row['state']} already", resource=label("operation", id)
                )
            changes: Document = {"cancel": True}
            if row["state"] == State.QUEUED.value:
                changes |= {"state": State.CANCELLED.value, "finished": _now()}
            _update(tx, row, changes)

        self._store.transact(work)
        return self.find(id)

    def recover(self) -> None:
        """Say of this node's operations whose process is gone that they failed."""

        def work(tx: Transaction) -> None:
            states = [State.QUEUED.value, State.RUNNING.value]
            for row in tx.select(_SPEC, {"host_key": [self._key], "state": states}):
                if not _is_carried_out(row):
                    error = {
                        "code": "interrupted",
                        "message": "it ended without a word: its process or database was gone",
                        "hint": "Run it again, or pextra reconcile: both finish what it began",
                        "errors": [],
                    }  # fmt: skip
                    ended = {"state": State.FAILED.value, "error": error, "finished": _now()}
                    _update(tx, row, ended)

        self._store.transact(work)


class _Follower(Progress):
    """Keeps how far an operation is, and hears whether it is to stop."""

    def __init__(self, store: Store, id: str, also: Progress, masked: Callable[[Any], Any]) -> None:
        self._store = store
        self._id = id
        self._also = also
        self._masked = masked
        self._number = 0
        self._progress = 0.0

    def report(self, event: Event) -> None:
        """A step begins; it is a line of the log."""
        self._also.report(event)
        share = event.fraction * _POWER_FROM
        if event.phase == "power":
            share = _POWER_FROM + event.fraction * (1 - _POWER_FROM)
        self._progress = max(self._progress, share)
        self._number += 1
        text = str(self._masked(event.text))
        line: Row = {
            "id": ids.new_id("opl"), "operation_id": self._id, "number": self._number,
            "at": _now(), "text": text,
        }  # fmt: skip

        def work(tx: Transaction) -> None:
            _update(tx, _row(tx, self._id), {"progress": self._progress, "line": text})
            tx.write([RowChange(_LINES, line["id"], None, line)])

        self._quietly(work)

    def stopping(self) -> bool:
        """Whether somebody asked the operation to stop, by the store or by what follows it."""
        return self._also.stopping() or bool(
            self._quietly(lambda tx: bool(_row(tx, self._id)["cancel"]))
        )

    def _quietly(self, work: Callable[[Transaction], bool | None]) -> bool | None:
        """Do it, unless the database is away: the run does not end for a word about it."""
        try:
            return self._store.transact(work)
        except (StoreError, NotFoundError):
            return None


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _row(tx: Transaction, id: str) -> Row:
    rows = tx.select(_SPEC, {"id": [id]})
    if not rows:
        raise NotFoundError(
            "does not exist", resource=label("operation", id),
            hint=f"Operations are kept for {KEPT.days} days: pextra operation list shows them",
        )  # fmt: skip
    return rows[0]


def _update(tx: Transaction, row: Row, values: Row) -> None:
    tx.write([RowChange(_SPEC, row["id"], row, {**row, **values})])


def _delete(tx: Transaction, gone: Sequence[str]) -> None:
    lines = tx.select(_LINES, {"operation_id": gone}) if gone else []
    changes = [RowChange(_LINES, row["id"], row, None) for row in lines]
    tx.write([*changes, *(RowChange(_SPEC, id, {}, None) for id in gone)])


def _forget_old(tx: Transaction) -> None:
    rows = tx.query(
        "SELECT id FROM operations WHERE creation < %s AND finished IS NOT NULL"
        " ORDER BY creation LIMIT %s",
        [_now() - KEPT, _FORGOTTEN_AT_ONCE],
    )
    _delete(tx, [row["id"] for row in rows])


def _is_carried_out(row: Row) -> bool:
    if row["owner"] != process.mark():
        return process.alive(row["owner"])
    with _guard:
        return row["id"] in _running


def _told(error: PextraError) -> Document:
    """An error as it is kept."""
    return {
        "code": error.code, "message": str(error), "hint": error.hint,
        "errors": [item.as_dict() for item in each(error)],
    }  # fmt: skip
