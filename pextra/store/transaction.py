# SPDX-License-Identifier: Apache-2.0
"""What is done inside one transaction of the store: rows read by index, changes, audit rows."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pextra.model.change import RowChange
from pextra.model.encrypted import is_plain, recognised, value_at
from pextra.model.fields import Row
from pextra.model.plan import Step
from pextra.model.principal import Principal
from pextra.model.spec import KindSpec
from pextra.model.values import Cell

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql


class Transaction:
    """What may be done inside one transaction. Statements are static; values are parameters."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def select(
        self,
        spec: KindSpec,
        where: Mapping[str, Sequence[Cell]],
        limit: int | None = None,
    ) -> list[Row]:
        """Rows of a kind.

        Args:
            spec: The kind.
            where: The values that each column may have.
            limit: At most so many rows.
        """
        from psycopg import sql

        parts = [_rows_of(spec)]
        if where:
            tests = (sql.SQL("{} = ANY(%s)").format(sql.Identifier("t", name)) for name in where)
            parts.append(sql.SQL("WHERE {}").format(sql.SQL(" AND ").join(tests)))
        else:
            # By index, so that the table is not locked against others' changes as a whole.
            parts.append(sql.SQL("ORDER BY {}").format(sql.Identifier("t", "id")))
        if limit is not None:
            # Not in an order, where there is a condition: to have it, the database might walk
            # through the whole index of that order.
            parts.append(sql.SQL("LIMIT {}").format(sql.Literal(limit)))
        statement = sql.SQL(" ").join(parts)
        return self._rows(spec, statement, [list(values) for values in where.values()])

    def page(self, spec: KindSpec, after: str, limit: int) -> list[Row]:
        """The next rows of a kind after an identifier, in the order of these."""
        from psycopg import sql

        parts = (_rows_of(spec), sql.SQL("WHERE t.id > %s ORDER BY t.id LIMIT %s"))
        # Not every database keeps the order of rows that it makes one text of.
        rows = self._rows(spec, sql.SQL(" ").join(parts), [after, limit])
        return sorted(rows, key=lambda row: str(row["id"]))

    def _rows(
        self, spec: KindSpec, statement: sql.Composed, parameters: Sequence[object]
    ) -> list[Row]:
        from psycopg import sql

        # All are one text: the driver's Python takes long for each value that it reads.
        agg = sql.SQL("SELECT json_agg(item)::text AS items FROM ({}) AS found").format(statement)
        found = self.query(agg, parameters)[0]["items"]
        times, rows = (*spec.moments, *spec.times), list[Row]()
        for item in json.loads(found) if found is not None else ():
            row = _timed(item, times)
            if spec.encrypted:
                recognised(row, spec.encrypted)
            rows.append(row)
        return rows

    def count(self, spec: KindSpec, column: str, values: Sequence[str]) -> dict[str, int]:
        """How many rows of a kind have each of these values in a column; none are left out."""
        from psycopg import sql

        query = sql.SQL(
            "SELECT {0} AS value, count(*) AS rows FROM {1} WHERE {0} = ANY(%s) GROUP BY {0}"
        ).format(sql.Identifier(column), sql.Identifier(spec.table))
        return {row["value"]: row["rows"] for row in self.query(query, [list(values)])}

    def query(self, statement: str | sql.Composed, parameters: Sequence[object] = ()) -> list[Row]:
        """The rows of a constant statement, or of one composed of constants and identifiers."""
        text = statement.encode() if isinstance(statement, str) else statement
        return self._connection.execute(text, parameters).fetchall()

    def execute(self, statement: str) -> None:
        """Run a constant statement without parameters."""
        self._connection.execute(statement.encode())

    def write(self, changes: Sequence[RowChange]) -> None:
        """Clear references, delete, insert and update, so that constraints hold at each step.

        What is unique of a row and goes to another one is put out of the way first.

        Raises:
            ValueError: A secret is not encrypted, which is a fault of the caller's.
        """
        _refuse_plain(changes)
        inserts: dict[tuple[str, tuple[str, ...]], list[Row]] = {}
        clearing: dict[tuple[str, tuple[str, ...]], list[list[Any]]] = {}
        updates: dict[tuple[str, tuple[str, ...]], list[list[Any]]] = {}
        deletes: list[tuple[KindSpec, str]] = []
        for change in changes:
            table, before, after = change.spec.table, change.before, change.after
            if before is None and after is not None:
                inserts.setdefault((table, tuple(after)), []).append(after)
            elif before is not None and after is not None:
                columns = tuple(key for key in after if after[key] != before.get(key))
                values = _adapted([*(after[key] for key in columns), change.id])
                clears = any(after[key] is None for key in columns)
                group = clearing if clears else updates
                group.setdefault((table, columns), []).append(values)
            elif before is not None:
                deletes.append((change.spec, change.id))
        for table, column, value, id in _handed_on(changes):
            self._update(table, (column,), [[value, id]])
        for (table, columns), rows in clearing.items():
            self._update(table, columns, rows)
        for table, ids in reversed(_by_table(deletes).items()):
            self._delete(table, ids)
        for (table, columns), made in inserts.items():
            self._insert(table, columns, made)
        for (table, columns), rows in updates.items():
            self._update(table, columns, rows)

    def finish(
        self, ready: Iterable[tuple[KindSpec, str]], gone: Iterable[tuple[KindSpec, str]]
    ) -> None:
        """Mark what the host now realises as ready, and forget what is gone, last made first.

        What another node has marked for removal meanwhile stays marked.
        """
        from psycopg import sql

        for table, ids in _by_table(ready).items():
            query = sql.SQL(
                "UPDATE {} SET status = 'ready'"
                " WHERE id = ANY(%s) AND status IN ('pending', 'updating')"
            ).format(sql.Identifier(table))
            self._connection.execute(query, (ids,))
        for table, ids in reversed(_by_table(gone).items()):
            self._delete(table, ids)

    def audit(
        self,
        plan: Iterable[Step],
        principal: Principal,
        chain: str,
        outcome: str = "succeeded",
        message: str | None = None,
    ) -> None:
        """Record what is about to change, in the same transaction as the claim.

        Nothing is read, so that no other transaction waits for this one or has to be done again.

        Args:
            plan: The steps, a row each.
            principal: Who asks.
            chain: The chain of this node, which seals the rows later.
            outcome: What came of it: ``succeeded``, ``failed`` or ``denied``.
            message: Why it failed.
        """
        rows = [
            {
                "actor": principal.user,
                "origin": principal.origin,
                "door": principal.door,
                "organization_id": principal.organization_id,
                "request_id": principal.request_id,
                "correlation_id": principal.correlation_id or principal.request_id,
                "action": step.action,
                "kind": step.kind,
                "resource_id": step.id,
                "name": step.name,
                "before": step.before,
                "after": step.after,
                "outcome": outcome,
                "message": message,
                "chain": chain,
                "step": number,
            }
            for number, step in enumerate(plan)
        ]
        if rows:
            self._insert("audit_log", tuple(rows[0]), rows)

    def _insert(
        self, table: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Insert rows by one statement with one parameter; columns left out get their default."""
        from psycopg import sql

        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        query = sql.SQL(
            "INSERT INTO {0} ({1}) SELECT {1} FROM json_populate_recordset(NULL::{0}, %s::json)"
        ).format(sql.Identifier(table), names)
        self._connection.execute(query, [json.dumps(rows, default=str)])

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


def _rows_of(spec: KindSpec) -> sql.Composed:
    from psycopg import sql

    # A row is one value: the driver's Python takes long for each value that it reads.
    statement = sql.SQL("SELECT row_to_json(t) AS item FROM {} AS t")
    return statement.format(sql.Identifier(spec.table))


def _refuse_plain(changes: Sequence[RowChange]) -> None:
    """Let no secret into the store that is not encrypted; what was there before may stay."""
    for change in changes:
        for path in change.spec.encrypted if change.after is not None else ():
            value = value_at(change.after, path)
            if is_plain(value) and value != value_at(change.before, path):
                raise ValueError(f"{change.spec.name}: {'.'.join(path)} is not encrypted")


def _timed(row: dict[str, Any], times: Iterable[str]) -> dict[str, Any]:
    """A row as JSON has it, with its moments."""
    for column in times:
        if row[column] is not None:
            row[column] = dt.datetime.fromisoformat(row[column])
    return row


def _handed_on(changes: Sequence[RowChange]) -> Iterator[tuple[str, str, str | None, str]]:
    """The columns of rows that lose what is unique to another row, with what they have meanwhile.

    A row's own identifier is like no other text.
    """
    updates = [item for item in changes if item.before is not None and item.after is not None]
    wanted: dict[tuple[str, tuple[str, ...], tuple[Any, ...]], str] = {}
    for change in changes if updates else ():
        for columns in change.spec.unique_keys if change.after is not None else ():
            values = tuple((change.after or {}).get(column) for column in columns)
            wanted[change.spec.table, columns, values] = change.id
    for change in updates:
        before, after, table = change.before or {}, change.after or {}, change.spec.table
        for columns in change.spec.unique_keys:
            values = tuple(before.get(column) for column in columns)
            if None not in values and wanted.get((table, columns, values), change.id) != change.id:
                (column, *_others) = (item for item in columns if before[item] != after[item])
                text = isinstance(before[column], str) and not column.endswith("_id")
                yield table, column, change.id if text else None, change.id


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
