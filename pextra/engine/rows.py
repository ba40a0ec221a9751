# SPDX-License-Identifier: Apache-2.0
"""Rows of the store, read when they are first looked at, with changes that are not in it yet.

A row is read by its identifier, or with all others that have the same values in some columns. So a
run reads what it has to do with, and never a table. Rows are read many at a time nevertheless: a
look at what belongs to one of the resources that a run is about reads what belongs to all of them,
and a look at one name reads all the names that were announced.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from pextra.model.fields import Row
from pextra.model.names import AnyName, Key, KindName
from pextra.model.spec import KindSpec
from pextra.model.values import Cell

R = TypeVar("R", bound=Row)
SEVERAL = 6
"""Rows that are enough to say that there are several."""
_STAYING = ("pending", "updating", "ready")
"""The status of what is not about to go."""


Where = Mapping[str, Cell]
"""The values that columns of a row have."""


class Source(Protocol):
    """What gives rows: a transaction, or the store outside of one."""

    def select(
        self, spec: KindSpec, where: Mapping[str, Sequence[Cell]], limit: int | None = None
    ) -> list[Row]:
        """Rows of a kind whose columns have one of these values each."""


class Rows:
    """Rows by kind and id, as the store holds them but for those that were replaced.

    Args:
        specs: The kinds that rows are of.
        source: Gives rows as the store holds them.
    """

    def __init__(self, specs: Mapping[str, KindSpec], source: Source) -> None:
        self._specs = specs
        self._source = source
        self._rows: dict[str, dict[str, Any]] = {kind: {} for kind in specs}
        self._before: dict[Key, Any] = {}
        # By kind and columns: ids of rows by their values there, and the values that were read.
        self._indexes: dict[tuple[str, _Columns], dict[_Values, dict[str, None]]] = {}
        self._covered: dict[str, dict[_Columns, set[_Values]]] = {kind: {} for kind in specs}
        self._asked: dict[tuple[object, ...], list[str]] = {}
        self._names: dict[str, set[str]] = {}
        self._subjects: dict[str, set[str]] = {kind: set() for kind in specs}
        self._referred: dict[str, set[str]] = {kind: set() for kind in specs}
        self._absent: set[Key] = set()
        self._missed: set[_Key] = set()
        self._answers: list[_Answer] = []

    def read_from(self, source: Source) -> None:
        """Take what is read from now on from elsewhere: a transaction that ended gives nothing."""
        self._source = source

    def announce(self, kind: AnyName, names: Iterable[str]) -> None:
        """Say that rows of these names will be looked for, so that they are read together."""
        self._names.setdefault(kind, set()).update(names)

    def subject(self, kind: AnyName, id: str) -> None:
        """Say that the run is about this resource: what belongs to all of them is read together."""
        self._subjects[kind].add(id)

    def _answers_again(self) -> bool:
        """Whether each question that was asked so far has the same answer now."""
        for kind, where, limit, rows in self._answers:
            found = self._source.select(self._specs[kind], where, limit)
            if {row["id"]: row for row in found} != {row["id"]: row for row in rows}:
                return False
        return True

    def _stores(self, keys: Iterable[_Key]) -> bool:
        """Whether the store has a row with one of these keys."""
        wanted: dict[tuple[AnyName, _Columns], set[_Values]] = {}
        for kind, columns, key in keys:
            wanted.setdefault((kind, columns), set()).add(key)
        return any(
            _values(row, columns) in some
            for (kind, columns), some in wanted.items()
            for row in self._source.select(self._specs[kind], _one_of(columns, some))
        )

    def _select(self, kind: AnyName, where: _OneOf, limit: int | None = None) -> list[Row]:
        rows = self._source.select(self._specs[kind], where, limit)
        self._answers.append((kind, where, limit, rows))
        return rows

    def get(self, kind: KindName[R], id: str | None) -> R | None:
        """The row with this identifier."""
        if id is None:
            return None
        row = self._rows[kind].get(id)
        if row is not None or (kind, id) in self._before or (kind, id) in self._absent:
            return row
        self._referred[kind].add(id)
        wanted = sorted(
            item
            for item in self._referred[kind]
            if item not in self._rows[kind] and (kind, item) not in self._before
        )
        self._referred[kind].clear()
        self._take(kind, self._select(kind, {"id": wanted}))
        self._absent |= {(kind, item) for item in wanted if item not in self._rows[kind]}
        return self._rows[kind].get(id)

    def by(self, kind: KindName[R], column: str, value: str | None) -> list[R]:
        """Rows of a kind whose column has this value; indexed."""
        return self._with(kind, (column,), (value,))

    def where(self, kind: KindName[R], values: Where) -> list[R]:
        """Rows of a kind whose columns have these values; there must be an index for them."""
        return self._with(kind, *_sorted(values))

    def _with(self, kind: KindName[R], columns: _Columns, key: _Values) -> list[R]:
        if key not in self._covered[kind].get(columns, ()) and not self._is_read(
            kind, columns, key
        ):
            self._read(kind, columns, key)
        rows = self._rows[kind]
        return [rows[id] for id in self._index(kind, columns).get(key, ())]

    def some(self, kind: KindName[R], where: Where, limit: int | None) -> list[R]:
        """At most so many rows of a kind whose columns have these values; None: all of them."""
        found = {
            row["id"]: row
            for row in self._rows[kind].values()
            if all(row.get(column) == value for column, value in where.items())
        }
        more = None if limit is None else limit + len(self._before)
        for id in self._ask(kind, {column: (value,) for column, value in where.items()}, more):
            if (kind, id) not in self._before:
                found[id] = self._rows[kind][id]
        return list(found.values())[:limit]

    def staying(self, kind: KindName[R], where: Where) -> list[R]:
        """Rows of a kind with these values that are not about to go: a few where they are many.

        To refuse something because of them, that is enough.
        """
        little = any(self._is_part(column, value) for column, value in where.items())
        if little or self._is_read(kind, *_sorted(where)):
            return [row for row in self.where(kind, where) if row.get("status") != "deleting"]
        planned = {
            id: row
            for id, row in self._rows[kind].items()
            if (kind, id) in self._before
            and row.get("status") != "deleting"
            and all(row.get(column) == value for column, value in where.items())
        }
        asked: dict[str, Sequence[Cell]] = {column: (value,) for column, value in where.items()}
        if self._specs[kind].on_host:
            asked["status"] = _STAYING
        stored = self._ask(kind, asked, SEVERAL + len(self._before))
        there = (self._rows[kind][id] for id in stored if (kind, id) not in self._before)
        return [*planned.values(), *there][:SEVERAL]

    def before(self, kind: KindName[R], id: str) -> R | None:
        """The row as the store holds it."""
        return self._before.get((kind, id), self._rows[kind].get(id))

    def replaced(self) -> Mapping[Key, Row | None]:
        """The rows that were replaced, as the store holds them; None: it has none."""
        return self._before

    def replace(self, kind: KindName[R], id: str, row: R | None) -> None:
        """Have another row from now on, or none; what the store holds of it is looked at no more.

        It was read before, where the store holds it.
        """
        current = self._rows[kind].get(id)
        self._before.setdefault((kind, id), current)
        self._reindex(kind, current, row)
        if row is None:
            del self._rows[kind][id]
        else:
            self._rows[kind][id] = row

    def _is_read(self, kind: AnyName, columns: _Columns, key: _Values) -> bool:
        """Whether every such row has been read, by these columns or by some of them."""
        covered = self._covered[kind]
        if key in covered.get(columns, ()):
            return True
        if len(columns) == 1:
            return False
        values = dict(zip(columns, key, strict=True))
        return any(
            values.keys() > set(some) and _values(values, some) in keys
            for some, keys in covered.items()
        )

    def _ask(self, kind: AnyName, where: _OneOf, limit: int | None) -> list[str]:
        """Ids of rows as the store has them; the same question is asked once."""
        question = (kind, tuple(sorted((name, tuple(item)) for name, item in where.items())), limit)
        if question not in self._asked:
            rows = self._select(kind, where, limit)
            self._take(kind, rows)
            self._asked[question] = [row["id"] for row in rows]
        return self._asked[question]

    def _read(self, kind: AnyName, columns: _Columns, key: _Values) -> None:
        """Read the rows that have these values, and those that will be looked at next."""
        for column, value in zip(columns, key, strict=True):
            if self._is_part(column, value):
                subjects = self._subjects[column.removesuffix("_id")]
                self._read_keys(kind, (column,), {(id,) for id in subjects}, together=True)
                return
        names = self._names.get(kind, set())
        place = columns.index(self._specs[kind].key) if self._specs[kind].key in columns else None
        if place is not None and key[place] in names:
            keys = {(*key[:place], name, *key[place + 1 :]) for name in names}
            self._read_keys(kind, columns, keys, together=True)
        else:
            self._read_keys(kind, columns, {key}, together=False)

    def _read_keys(
        self, kind: AnyName, columns: _Columns, keys: set[_Values], *, together: bool
    ) -> None:
        covered = self._covered[kind].setdefault(columns, set())
        keys = keys - covered
        covered |= keys
        asked = [key for key in keys if None not in key and not self._is_new(columns, key)]
        if not asked:
            return
        if self._specs[kind].is_unique(columns):
            rows = self._source.select(self._specs[kind], _one_of(columns, asked))
            found = {_values(row, columns) for row in rows}
            self._missed |= {(kind, columns, key) for key in asked if key not in found}
            if found:
                self._answers.append((kind, _one_of(columns, found), None, rows))
        else:
            rows = self._select(kind, _one_of(columns, asked))
        self._take(kind, rows)
        if together:
            self._subjects[kind] |= {row["id"] for row in rows}

    def _is_part(self, column: str, value: Cell) -> bool:
        """Whether what has this value in a column belongs to a subject, and is little."""
        parent = column.removesuffix("_id")
        return parent in self._specs and self._is_small(parent) and value in self._subjects[parent]

    def _is_small(self, parent: str) -> bool:
        """Whether what refers to one of a kind is read for all subjects of that kind together."""
        return self._specs[parent].small

    def _is_new(self, columns: _Columns, key: _Values) -> bool:
        """Whether nothing in the store can have these values: they refer to what is planned."""
        return any(
            column.endswith("_id") and self._planned(column.removesuffix("_id"), value) is None
            for column, value in zip(columns, key, strict=True)
        )

    def _planned(self, parent: str, id: Cell) -> Row | None:
        """The row as the store has it, of one that planning has touched; None of a new one."""
        row: Row | None = self._before.get((AnyName(parent), str(id or "")), _UNPLANNED)
        return row

    def _take(self, kind: AnyName, rows: Iterable[Row]) -> None:
        """Add rows as the store holds them, but for those that planning has changed."""
        known = self._rows[kind]
        for row in rows:
            id = row["id"]
            if id in known or (kind, id) in self._before:
                continue
            known[id] = row
            self._reindex(kind, None, row)
            for column, value in row.items():
                if column.endswith("_id") and isinstance(value, str):
                    parent = column.removesuffix("_id")
                    if parent in self._referred and value not in self._rows[parent]:
                        self._referred[parent].add(value)

    def _index(self, kind: AnyName, columns: _Columns) -> dict[_Values, dict[str, None]]:
        index = self._indexes.get((kind, columns))
        if index is None:
            index = self._indexes[kind, columns] = {}
            for id, row in self._rows[kind].items():
                index.setdefault(_values(row, columns), {})[id] = None
        return index

    def _reindex(self, kind: AnyName, old: Row | None, new: Row | None) -> None:
        for (name, columns), index in self._indexes.items():
            if name != kind:
                continue
            if old is not None:
                index.get(_values(old, columns), {}).pop(old["id"], None)
            if new is not None:
                index.setdefault(_values(new, columns), {})[new["id"]] = None


_Columns = tuple[str, ...]
_Values = tuple[Cell, ...]
_Key = tuple[AnyName, _Columns, _Values]
"""A kind, columns of it, and a value for each of them."""
_OneOf = Mapping[str, Sequence[Cell]]
"""The values of which columns have one each."""
_Answer = tuple[AnyName, _OneOf, int | None, list[Row]]
"""What was asked of the store: rows of a kind, of which columns, at most how many; and the rows."""
_UNPLANNED: Row = {}
"""Stands for a row that planning has not touched."""


def _sorted(values: Where) -> tuple[_Columns, _Values]:
    columns = tuple(sorted(values))
    return columns, tuple(values[column] for column in columns)


def _one_of(columns: _Columns, keys: Collection[_Values]) -> dict[str, list[Cell]]:
    """What selects every row that has one of these keys, and some others."""
    return {
        column: sorted({value for key in keys if (value := key[position]) is not None}, key=str)
        for position, column in enumerate(columns)
    }


def _values(row: Row, columns: _Columns) -> _Values:
    return tuple(row.get(column) for column in columns)
