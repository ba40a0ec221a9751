# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store: one SQL database, reached by a libpq connection string.

Every transaction is SERIALIZABLE and is tried again, a bounded number of times, when the
database says that it could not be ordered (40001) or that another one was faster (23505).
"""

from __future__ import annotations

import getpass
import itertools
import json
import os
import random
import re
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import KindSpec
from ansible_collections.pextra.ce.plugins.module_utils.engine.plan import Step
from ansible_collections.pextra.ce.plugins.module_utils.engine.world import RowChange
from ansible_collections.pextra.ce.plugins.module_utils.errors import (
    ConflictError,
    InputError,
    StoreError,
)

if TYPE_CHECKING:
    import psycopg

DEFAULT = "host=/var/run/postgresql port=5499 dbname=pextra_ce user=pextra_ce"
"""The node's own database, by peer authentication on a local socket."""
CONNINFO_FILE = "/etc/pextra-ce/database.conninfo"
"""What the role ``database`` writes on a node whose database is on another one."""
ATTEMPTS = 12
PATIENCE = 120.0
"""Seconds for which a transaction is tried again that could not be ordered among others."""
_ELSEWHERE = frozenset({"PGHOSTADDR", "PGSERVICE"})
_CONTENTION = ("40001", "40P01")
_RETRIED = (*_CONTENTION, "23505", "42P07")
_T = TypeVar("_T")


def conninfo(option: str | None) -> str:
    """The connection string: the option, else PEXTRA_CE_DATABASE, else the node's default.

    Raises:
        StoreError: The node's file, which has the default, cannot be read.
    """
    return option or os.environ.get("PEXTRA_CE_DATABASE") or _kept() or DEFAULT


def _kept() -> str | None:
    try:
        with open(CONNINFO_FILE, encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{CONNINFO_FILE} says where the database is, and cannot be read: {error}",
            hint="Run the playbook pextra.ce.database, or set the option database",
        ) from None


def secured(text: str) -> str:
    """The connection string with TLS verification for anything but a local socket.

    Raises:
        InputError: It cannot be parsed, or it turns verification off.
    """
    import psycopg

    try:
        parts = psycopg.conninfo.conninfo_to_dict(text)
    except psycopg.Error as error:
        raise InputError(
            f"the database's connection string is not acceptable: {str(error).strip()}",
            hint="Write it as libpq does: host=... dbname=... user=...",
        ) from None
    timeout = parts.get("connect_timeout", 10)
    hosts = str(parts.get("host") or os.environ.get("PGHOST") or "/").split(",")
    elsewhere = {"hostaddr", "service"} & set(parts) or _ELSEWHERE & set(os.environ)
    if not elsewhere and all(host.startswith(("/", "@")) for host in hosts):
        return psycopg.conninfo.make_conninfo(
            text, connect_timeout=parts.get("connect_timeout", 10)
        )
    mode = parts.get("sslmode", "verify-full")
    if mode not in ("verify-full", "verify-ca"):
        raise InputError(
            f"sslmode={mode} would leave the database connection unverified",
            hint="Use sslmode=verify-full with sslrootcert, or a local socket",
        )
    return psycopg.conninfo.make_conninfo(text, sslmode=mode, connect_timeout=timeout)


def who() -> tuple[str, str]:
    """Who acts and from where, for audit rows: user name and host name."""
    return os.environ.get("SUDO_USER") or getpass.getuser(), socket.gethostname()


class Transaction:
    """What may be done inside one transaction. Statements are static; values are parameters."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def rows(self, table: str) -> list[Row]:
        """Every row of a table, in one query."""
        from psycopg import sql

        query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))
        return self._connection.execute(query).fetchall()

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of a constant statement."""
        return self._connection.execute(statement.encode(), parameters).fetchall()

    def execute(self, statement: str) -> None:
        """Run a constant statement without parameters."""
        self._connection.execute(statement.encode())

    def write(self, changes: Sequence[RowChange]) -> None:
        """Clear references, delete, insert and update, so that constraints hold at each step."""
        inserts: dict[tuple[str, tuple[str, ...]], list[list[Any]]] = {}
        clearing: dict[tuple[str, tuple[str, ...]], list[list[Any]]] = {}
        updates: dict[tuple[str, tuple[str, ...]], list[list[Any]]] = {}
        deletes: list[tuple[KindSpec, str]] = []
        for change in changes:
            table, before, after = change.spec.table, change.before, change.after
            if before is None and after is not None:
                inserts.setdefault((table, tuple(after)), []).append(_adapted(after.values()))
            elif before is not None and after is not None:
                columns = tuple(key for key in after if after[key] != before.get(key))
                values = _adapted([*(after[key] for key in columns), change.id])
                clears = any(after[key] is None for key in columns)
                group = clearing if clears else updates
                group.setdefault((table, columns), []).append(values)
            elif before is not None:
                deletes.append((change.spec, change.id))
        for (table, columns), rows in clearing.items():
            self._update(table, columns, rows)
        for table, ids in reversed(_by_table(deletes).items()):
            self._delete(table, ids)
        for (table, columns), rows in inserts.items():
            self._many("INSERT INTO {} ({}) VALUES ({})", table, columns, rows)
        for (table, columns), rows in updates.items():
            self._update(table, columns, rows)

    def finish(
        self, ready: Iterable[tuple[KindSpec, str]], gone: Iterable[tuple[KindSpec, str]]
    ) -> None:
        """Mark what the host now realises as ready, and forget what is gone, last made first."""
        from psycopg import sql

        for table, ids in _by_table(ready).items():
            query = sql.SQL(
                "UPDATE {} SET status = 'ready' WHERE id = ANY(%s) AND status <> 'ready'"
            ).format(sql.Identifier(table))
            self._connection.execute(query, (ids,))
        for table, ids in reversed(_by_table(gone).items()):
            self._delete(table, ids)

    def audit(self, plan: Iterable[Step]) -> None:
        """Record what is about to change, in the same transaction as the claim."""
        user, origin = who()
        rows = [
            [
                user,
                origin,
                step.action,
                step.kind,
                step.id,
                step.name,
                _json(step.before),
                _json(step.after),
            ]
            for step in plan
        ]
        columns = ("actor", "origin", "action", "kind", "resource_id", "name", "before", "after")
        self._many("INSERT INTO {} ({}) VALUES ({})", "audit_log", columns, rows)

    def _many(
        self, statement: str, table: str, columns: Sequence[str], rows: list[list[Any]]
    ) -> None:
        from psycopg import sql

        query = sql.SQL(statement).format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
        )
        self._connection.cursor().executemany(query, rows)

    def _update(self, table: str, columns: Sequence[str], rows: list[list[Any]]) -> None:
        from psycopg import sql

        query = sql.SQL("UPDATE {} SET {} WHERE id = %s").format(
            sql.Identifier(table),
            sql.SQL(", ").join(
                sql.SQL("{} = %s").format(sql.Identifier(column)) for column in columns
            ),
        )
        self._connection.cursor().executemany(query, rows)

    def _delete(self, table: str, ids: list[str]) -> None:
        from psycopg import sql

        query = sql.SQL("DELETE FROM {} WHERE id = ANY(%s)").format(sql.Identifier(table))
        self._connection.execute(query, (ids,))


def _by_table(rows: Iterable[tuple[KindSpec, str]]) -> dict[str, list[str]]:
    """Ids by table, tables in the order in which their rows depend on each other."""
    tables: dict[str, list[str]] = {}
    for spec, id in sorted(rows, key=lambda item: item[0].rank):
        tables.setdefault(spec.table, []).append(id)
    return tables


def _json(value: Any) -> str | None:
    return json.dumps(value, default=str, sort_keys=True) if value is not None else None


def _adapted(values: Iterable[Any]) -> list[Any]:
    return [_json(value) if isinstance(value, (dict, list)) else value for value in values]


class Store:
    """A connection to the database, opened when first used."""

    def __init__(self, database: str | None = None, *, any_schema: bool = False) -> None:
        self._conninfo = conninfo(database)
        self._any_schema = any_schema
        self._connection: psycopg.Connection[Row] | None = None

    def connect(self) -> psycopg.Connection[Row]:
        """The open connection; its schema is the one that this program knows.

        Raises:
            StoreError: The database is down, refuses, or has another schema version.
        """
        if self._connection is None:
            try:
                import psycopg
                from psycopg.rows import dict_row
            except ImportError as error:
                raise StoreError(
                    f"{sys.executable} cannot use psycopg: {error}",
                    hint="On a node, set ansible_python_interpreter=/usr/bin/python3 and install"
                    " python3-psycopg, as the role pextra.ce.hypervisor does. Elsewhere,"
                    " install psycopg with pip, and libpq (Debian: libpq5)",
                ) from None

            try:
                self._connection = psycopg.connect(
                    secured(self._conninfo), row_factory=dict_row, application_name="pextra-ce"
                )
            except psycopg.OperationalError as error:
                raise _unreachable(error) from None
            self._connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
            if not self._any_schema:
                from ansible_collections.pextra.ce.plugins.module_utils.store.schema import (
                    check_version,
                )

                self.transact(check_version)
        return self._connection

    def transact(self, work: Callable[[Transaction], _T]) -> _T:
        """The result of ``work`` in one serialisable transaction, tried again on conflict.

        Raises:
            StoreError: The database failed, or is too busy.
            ConflictError: A uniqueness constraint stands in the way.
        """
        self.connect()
        import psycopg

        deadline = time.monotonic() + PATIENCE
        for attempt in itertools.count(1):
            connection = self.connect()
            try:
                with connection.transaction():
                    return work(Transaction(connection))
            except psycopg.Error as error:
                contends = error.sqlstate in _CONTENTION and time.monotonic() < deadline
                again = error.sqlstate in _RETRIED and (contends or attempt < ATTEMPTS)
                if not again:
                    raise _translated(error) from None
            time.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 6)))  # noqa: S311
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


_CONNECT_HINTS = {
    "no password supplied": "It asks for a password: put it in a passfile, or use peer access",
    "password authentication failed": "The password in the connection string or passfile is wrong",
    "Peer authentication failed": "Run as a Linux user that the database maps to this role",
    "does not exist": "Create it with the playbook pextra.ce.database",
    "No such file or directory": "Start PostgreSQL, or run the playbook pextra.ce.database",
    "Connection refused": "Start the database, or correct host and port",
    "timeout expired": "The host does not answer: check host, port and firewall",
    "certificate verify failed": "Name the authority's certificate with sslrootcert",
}


def _unreachable(error: Exception) -> StoreError:
    text = re.sub(r"password=\S+", "password=********", " ".join(str(error).split()))
    hint = next((hint for mark, hint in _CONNECT_HINTS.items() if mark in text), None)
    return StoreError(f"the database cannot be reached: {text}", hint=hint)


def _translated(error: psycopg.Error) -> Exception:
    text = " ".join(str(error).split())
    state = error.sqlstate or ""
    if state == "23505":
        return ConflictError(f"another resource has it already: {text}")
    if state == "23503":
        return ConflictError(f"something else refers to it: {text}")
    hints = {
        "25006": "The database is read-only: connect to the primary",
        "42P01": "Create the tables with the module pextra.ce.database (state: migrated)",
        "42501": "The database role lacks the right: use the owner of the tables",
        "40001": "The database is too busy: run it again",
        "53100": "The database's disk is full",
        "3D000": "Create it with the playbook pextra.ce.database",
    }
    return StoreError(f"the database failed: {text}", hint=hints.get(state))
