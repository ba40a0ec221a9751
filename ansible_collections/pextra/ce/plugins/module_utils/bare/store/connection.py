# Copied from pextra/store/connection.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""The store: one SQL database, used by any number of threads at once.

Every transaction is SERIALIZABLE and is tried again, a bounded number of times, when the
database says that it could not be ordered (40001) or that another one was faster (23505). A
connection that broke is replaced: where it broke before the commit, the transaction is tried again.
"""

from __future__ import annotations

import itertools
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Self, TypeVar

from ansible_collections.pextra.ce.plugins.module_utils.bare.model.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.bare.model.spec import KindSpec
from ansible_collections.pextra.ce.plugins.module_utils.bare.model.values import Cell
from ansible_collections.pextra.ce.plugins.module_utils.bare.store import failures
from ansible_collections.pextra.ce.plugins.module_utils.bare.store.address import conninfo, secured
from ansible_collections.pextra.ce.plugins.module_utils.bare.store.schema import VERSION, check_version
from ansible_collections.pextra.ce.plugins.module_utils.bare.store.transaction import Transaction

if TYPE_CHECKING:
    import psycopg

ATTEMPTS = 12
PATIENCE = 120.0
"""Seconds for which a transaction is tried again that could not be ordered among others."""
IDLE = 4
"""Connections that are kept open for the next transactions."""
_CONTENTION = ("40001", "40P01")
_RETRIED = (*_CONTENTION, "23505", "42P07")
_BEGIN = (
    # Settings of the role, the database or a pooler's other clients are not ours: what changes how
    # values are read is set for each transaction. Tables of few rows would be read whole, and
    # transactions that have nothing to do with each other would then stand in each other's way.
    b"BEGIN ISOLATION LEVEL %s; SET LOCAL datestyle = 'ISO, YMD';"
    b" SET LOCAL timezone = 'UTC'; SET LOCAL standard_conforming_strings = on;"
    b" SET LOCAL idle_in_transaction_session_timeout = 0;"
    b" SET LOCAL enable_seqscan = off"
)
_SNAPSHOT = b"REPEATABLE READ READ ONLY"
"""What only reads sees one moment, and keeps no other transaction from what it does."""
_UNORDERED = b"REPEATABLE READ"
"""For what constraints alone keep right. No serialisable transaction is done again because of it:
only those take part in the order that PostgreSQL watches (its manual, 13.2.3)."""
_T = TypeVar("_T")


class Store:
    """A pool of connections to the database, opened when first used.

    Args:
        database: The connection string; without one it is this node's own.
        any_schema: Whether a schema is accepted that this program does not know.
    """

    def __init__(self, database: str | None = None, *, any_schema: bool = False) -> None:
        self._conninfo = conninfo(database)
        self._any_schema = any_schema
        self._idle: list[psycopg.Connection[Row]] = []
        self._lock = threading.Lock()
        self._checked = any_schema

    def connect(self) -> psycopg.Connection[Row]:
        """A connection of the caller's own, outside any transaction.

        Raises:
            StoreError: The database is down or refuses.
        """
        try:
            import psycopg
            from psycopg.rows import dict_row

            # It would print what a transaction that is tried again was interrupted in.
            logging.getLogger("psycopg").addHandler(logging.NullHandler())
        except ImportError as error:
            raise failures.no_driver(error) from None
        try:
            return psycopg.connect(
                secured(self._conninfo),
                row_factory=dict_row,
                application_name="pextra-ce",
                autocommit=True,
                client_encoding="utf8",
                # A pooler of transactions hands each one to another session.
                prepare_threshold=None,
            )
        except psycopg.OperationalError as error:
            raise failures.unreachable(error) from None

    def transact(
        self,
        work: Callable[[Transaction], _T],
        *,
        read_only: bool = False,
        ordered: bool = True,
    ) -> _T:
        """The result of ``work`` in one serialisable transaction, tried again on conflict.

        Args:
            work: Is done in it, perhaps several times.
            read_only: It sees one moment, and cannot write.
            ordered: Whether it is ordered among the others. If not, it sees one moment and nobody
                else's changes of the rows that it changes; constraints have to do the rest.

        Raises:
            StoreError: The database failed, is too busy, or has another schema version.
            ConflictError: A uniqueness constraint stands in the way.
        """
        level = b"SERIALIZABLE" if ordered else _UNORDERED
        begin = _BEGIN % (_SNAPSHOT if read_only else level)
        deadline = time.monotonic() + PATIENCE
        for attempt in itertools.count(1):
            try:
                return self._attempt(work, begin, read_only=read_only)
            except _Again as again:
                error = again.error
                if again.lost:
                    self.close()  # the others will be lost, too
                    tried = attempt > IDLE + 1
                else:
                    contends = error.sqlstate in _CONTENTION and time.monotonic() < deadline
                    tried = not contends and attempt >= ATTEMPTS
                if tried:
                    raise failures.translated(error) from None
            time.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 6)))  # noqa: S311
        raise AssertionError("unreachable")

    def select(
        self, spec: KindSpec, where: Mapping[str, Sequence[Cell]], limit: int | None = None
    ) -> list[Row]:
        """Rows of a kind, in a transaction of their own; see ``Transaction.select``."""
        return self.transact(lambda tx: tx.select(spec, where, limit), read_only=True)

    def _attempt(self, work: Callable[[Transaction], _T], begin: bytes, *, read_only: bool) -> _T:
        connection = self._take()
        import psycopg

        commits = False
        try:
            self._begin(connection, begin)
            result = work(Transaction(connection))
            commits = not read_only
            connection.execute(b"COMMIT")
        except psycopg.Error as error:
            lost = connection.closed or connection.broken
            if lost and commits:
                raise failures.unknown(error) from None
            if lost or error.sqlstate in _RETRIED:
                raise _Again(error, lost=lost) from None
            raise failures.translated(error) from None
        finally:
            self._give_back(connection)
        return result

    def _begin(self, connection: psycopg.Connection[Row], begin: bytes) -> None:
        """Begin a transaction; the first one asks for the schema's version with it."""
        if self._checked:
            connection.execute(begin)
            return
        done = connection.execute(begin + b"; " + VERSION)
        while done.nextset():
            pass
        check_version(int(done.fetchall()[0]["version"]))
        self._checked = True

    def _take(self) -> psycopg.Connection[Row]:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self.connect()

    def _give_back(self, connection: psycopg.Connection[Row]) -> None:
        """Keep a connection for the next transaction, if it is fit for one."""
        import psycopg

        try:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.execute(b"ROLLBACK")
        except psycopg.Error:
            connection.close()
        with self._lock:
            if not connection.closed and len(self._idle) < IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def __enter__(self) -> Self:
        """The store, closed at the end of the block."""
        return self

    def __exit__(self, *_reason: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


class _Again(Exception):
    """A transaction may be tried again.

    Attributes:
        error: Why it failed.
        lost: The connection broke.
    """

    def __init__(self, error: psycopg.Error, *, lost: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.lost = lost
