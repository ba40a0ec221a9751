# SPDX-License-Identifier: Apache-2.0
"""The store's rows as planning sees them, and the changes that it makes to them.

A row is read when it is first looked at: by its identifier, or with all others that have the same
values in some columns. So a run reads what it has to do with, and never a table. Rows are read
many at a time nevertheless: a look at what belongs to one of the resources that a run is about
reads what belongs to all of them, and a look at one name reads all the names that were announced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pextra.model import ids
from pextra.model.change import RowChange
from pextra.model.errors import ConflictError, InputError, NotFoundError
from pextra.model.fields import Row
from pextra.model.request import label
from pextra.model.spec import KindSpec

if TYPE_CHECKING:
    from pextra.host.machine import Host

SEVERAL = 6
"""Rows that are enough to say that there are several."""
_STAYING = ("pending", "updating", "ready")
"""The status of what is not about to go."""
_SUGGESTED = 200
"""Names among which the one that was meant is looked for."""


class Source(Protocol):
    """What gives rows: a transaction, or the store outside of one."""

    def select(
        self, spec: KindSpec, where: Mapping[str, Sequence[Any]], limit: int | None = None
    ) -> list[Row]:
        """Rows of a kind whose columns have one of these values each."""


class World:
    """Rows by kind and id, with the planned changes applied.

    Args:
        specs: The kinds that rows are of.
        source: Gives rows as the store holds them.
        host: This machine; planning only reads it.
        attended: Somebody asked for what is planned. What only somebody can see to is refused
            then; otherwise it is planned, and told instead of done.
    """

    def __init__(
        self,
        specs: Mapping[str, KindSpec],
        source: Source,
        host: Host,
        *,
        attended: bool = True,
    ) -> None:
        self.host = host
        self.attended = attended
        self._specs = specs
        self._source = source
        self._rows: dict[str, dict[str, Row]] = {kind: {} for kind in specs}
        self._before: dict[tuple[str, str], Row | None] = {}
        self.retired: list[tuple[str, str]] = []
        self._outlook: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._deferred: set[tuple[str, str]] = set()
        self._here: str | None = None
        # By kind and columns: ids of rows by their values there, and the values that were read.
        self._indexes: dict[tuple[str, _Columns], dict[_Values, dict[str, None]]] = {}
        self._covered: dict[str, dict[_Columns, set[_Values]]] = {kind: {} for kind in specs}
        self._asked: dict[tuple[object, ...], list[str]] = {}
        self._names: dict[str, set[str]] = {}
        self._subjects: dict[str, set[str]] = {kind: set() for kind in specs}
        self._referred: dict[str, set[str]] = {kind: set() for kind in specs}
        self._absent: set[tuple[str, str]] = set()
        self._presumed: Absences = frozenset()
        self._relied_on: set[_Key] = set()
        self._missed: set[_Key] = set()

    def absences(self) -> Absences:
        """What was looked for by a unique key and is not there."""
        return frozenset(self._missed)

    def presume(self, absences: Absences) -> None:
        """Take what another world has just missed to be missing still, without looking.

        The database sees to it: a unique constraint refuses a row that exists meanwhile. See
        ``unproven`` for what it does not see.
        """
        self._presumed = absences

    def unproven(self) -> bool:
        """Whether anything was taken to be missing that the plan does not itself insert."""
        return any(
            not any(
                (kind, row["id"]) in self._before and self._before[kind, row["id"]] is None
                for row in self.where(kind, dict(zip(columns, key, strict=True)))
            )
            for kind, columns, key in self._relied_on
        )

    def read_from(self, source: Source) -> None:
        """Take what is read from now on from elsewhere: a transaction that ended gives nothing."""
        self._source = source

    def announce(self, kind: str, names: Iterable[str]) -> None:
        """Say that rows of these names will be looked for, so that they are read together."""
        self._names.setdefault(kind, set()).update(names)

    def get(self, kind: str, id: str | None) -> Row | None:
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
        self._take(kind, self._source.select(self._specs[kind], {"id": wanted}))
        self._absent |= {(kind, item) for item in wanted if item not in self._rows[kind]}
        return self._rows[kind].get(id)

    def row(self, kind: str, id: str) -> Row:
        """The row with this identifier, which a foreign key promises.

        Raises:
            NotFoundError: It was not read, or the promise is broken.
        """
        found = self.get(kind, id)
        if found is None:
            raise NotFoundError("is missing from the store", resource=label(kind, id))
        return found

    def by(self, kind: str, column: str, value: Any) -> list[Row]:
        """Rows of a kind whose column has this value; indexed."""
        return self.where(kind, {column: value})

    def where(self, kind: str, values: Mapping[str, Any]) -> list[Row]:
        """Rows of a kind whose columns have these values; there must be an index for them."""
        columns, key = _sorted(values)
        if not self._is_read(kind, columns, key):
            self._read(kind, columns, key)
        rows = self._rows[kind]
        return [rows[id] for id in self._index(kind, columns).get(key, ())]

    def _is_read(self, kind: str, columns: _Columns, key: _Values) -> bool:
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

    def some(self, kind: str, where: Mapping[str, Any], limit: int | None) -> list[Row]:
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

    def staying(self, kind: str, where: Mapping[str, Any]) -> list[Row]:
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
        asked: dict[str, Sequence[Any]] = {column: (value,) for column, value in where.items()}
        if self._specs[kind].on_host:
            asked["status"] = _STAYING
        stored = self._ask(kind, asked, SEVERAL + len(self._before))
        there = (self._rows[kind][id] for id in stored if (kind, id) not in self._before)
        return [*planned.values(), *there][:SEVERAL]

    def _ask(self, kind: str, where: Mapping[str, Sequence[Any]], limit: int | None) -> list[str]:
        """Ids of rows as the store has them; the same question is asked once."""
        question = (kind, tuple(sorted((name, tuple(item)) for name, item in where.items())), limit)
        if question not in self._asked:
            rows = self._source.select(self._specs[kind], where, limit)
            self._take(kind, rows)
            self._asked[question] = [row["id"] for row in rows]
        return self._asked[question]

    def _read(self, kind: str, columns: _Columns, key: _Values) -> None:
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
        self, kind: str, columns: _Columns, keys: set[_Values], *, together: bool
    ) -> None:
        covered = self._covered[kind].setdefault(columns, set())
        keys = keys - covered
        covered |= keys
        asked = [key for key in keys if None not in key and not self._is_new(columns, key)]
        unique = self._specs[kind].is_unique(columns)
        if unique:
            presumed = {key for key in asked if (kind, columns, key) in self._presumed}
            self._relied_on |= {(kind, columns, key) for key in presumed}
            asked = [key for key in asked if key not in presumed]
        if not asked:
            return
        where = {
            column: sorted({key[position] for key in asked})
            for position, column in enumerate(columns)
        }
        rows = self._source.select(self._specs[kind], where)
        self._take(kind, rows)
        if unique:
            found = {_values(row, columns) for row in rows}
            self._missed |= {(kind, columns, key) for key in asked if key not in found}
        if together:
            self._subjects[kind] |= {row["id"] for row in rows}

    def _is_part(self, column: str, value: Any) -> bool:
        """Whether what has this value in a column belongs to a subject, and is little."""
        parent = column.removesuffix("_id")
        return parent in self._specs and self._is_small(parent) and value in self._subjects[parent]

    def _is_small(self, parent: str) -> bool:
        return self._specs[parent].small

    def _is_new(self, columns: _Columns, key: _Values) -> bool:
        """Whether nothing in the store can have these values: they refer to what is planned."""
        return any(
            column.endswith("_id")
            and self._before.get((column.removesuffix("_id"), value), _UNPLANNED) is None
            for column, value in zip(columns, key, strict=True)
        )

    def _take(self, kind: str, rows: Iterable[Row]) -> None:
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

    def _index(self, kind: str, columns: _Columns) -> dict[_Values, dict[str, None]]:
        index = self._indexes.get((kind, columns))
        if index is None:
            index = self._indexes[kind, columns] = {}
            for id, row in self._rows[kind].items():
                index.setdefault(_values(row, columns), {})[id] = None
        return index

    def _reindex(self, kind: str, old: Row | None, new: Row | None) -> None:
        for (name, columns), index in self._indexes.items():
            if name != kind:
                continue
            if old is not None:
                index.get(_values(old, columns), {}).pop(old["id"], None)
            if new is not None:
                index.setdefault(_values(new, columns), {})[new["id"]] = None

    def subject(self, kind: str, id: str) -> None:
        """Say that the run is about this resource: what belongs to all of them is read together."""
        self._subjects[kind].add(id)

    def put(self, kind: str, row: Row) -> None:
        """Plan a row: a new one, or an existing one with other values."""
        current = self._rows[kind].get(row["id"])
        if current == row:
            return
        self._before.setdefault((kind, row["id"]), current)
        self._reindex(kind, current, row)
        self._rows[kind][row["id"]] = row

    def retire(self, kind: str, id: str) -> None:
        """Plan that a row goes once the host is cleared of it; again after an interruption."""
        self.put(kind, {**self.row(kind, id), "status": "deleting"})
        self.retired.append((kind, id))

    def drop(self, kind: str, id: str) -> None:
        """Plan that a row goes."""
        if kind == "node" and id == self.here:
            self._here = id
        current = self.row(kind, id)
        del self._rows[kind][id]
        self._before.setdefault((kind, id), current)
        self._reindex(kind, current, None)

    def foresee(self, kind: str, id: str, values: Mapping[str, Any]) -> None:
        """Note what only the host shows of a resource, as it will be after the plan."""
        self._outlook[kind, id] = values

    def defer(self, kind: str, id: str) -> None:
        """Note that a resource that runs takes its changes when it starts next, not at once."""
        self._deferred.add((kind, id))

    def deferred(self, kind: str, id: str) -> bool:
        """Whether a resource that runs is to be left as it runs."""
        return (kind, id) in self._deferred

    def outlook(self, kind: str, id: str) -> Mapping[str, Any]:
        """What the host will show of a resource after the plan, as far as it was looked at."""
        return self._outlook.get((kind, id), {})

    def before(self, kind: str, id: str) -> Row | None:
        """The row as the store holds it."""
        return self._before.get((kind, id), self._rows[kind].get(id))

    def changes(self) -> Iterator[RowChange]:
        """What planning changed, in the kinds' rank order, net of changes taken back."""
        ordered = sorted(self._before.items(), key=lambda item: self._specs[item[0][0]].rank)
        for (kind, id), before in ordered:
            after = self._rows[kind].get(id)
            if after != before:
                yield RowChange(self._specs[kind], id, before, after)

    def created_ids(self) -> frozenset[str]:
        """Identifiers that exist only in this plan so far."""
        return frozenset(id for (_kind, id), before in self._before.items() if before is None)

    def find(self, kind: str, ref: str, scope: Mapping[str, Any] | None = None) -> Row | None:
        """The row that an identifier or name means within a scope of column values.

        Raises:
            ConflictError: The name means several.
        """
        spec = self._specs[kind]
        if ids.is_id(spec.prefix, ref) and (row := self.get(kind, ref)):
            return row
        where = {**(scope or {}), spec.key: ref}
        unique = spec.is_unique(where)
        found = self.where(kind, where) if unique else self.some(kind, where, SEVERAL)
        if len(found) > 1:
            raise ConflictError(
                f"{several(found)} of that name exist: {', '.join(row['id'] for row in found[:5])}",
                resource=label(kind, ref),
                hint="Give the id, or name the parent",
            )
        return found[0] if found else None

    def require(self, kind: str, ref: str, scope: Mapping[str, Any] | None = None) -> Row:
        """Like ``find``, for something that must exist.

        Raises:
            NotFoundError: Nothing has that identifier or name.
        """
        row = self.find(kind, ref, scope)
        if row is None:
            near_by = self.some(kind, scope or {}, _SUGGESTED)
            names = sorted({str(row[self._specs[kind].key]) for row in near_by})
            import difflib

            near = difflib.get_close_matches(ref, names, 1)
            have = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
            hint = f'Did you mean "{near[0]}"?' if near else f"There are: {have or 'none yet'}"
            raise NotFoundError("does not exist", resource=label(kind, ref), hint=hint)
        return row

    def only(self, kind: str, asked_by: str) -> Row:
        """The one row of a kind, for a parent that was left out.

        Raises:
            NotFoundError: There is none.
            InputError: There are several.
        """
        rows = self.some(kind, {}, SEVERAL)
        if not rows:
            raise NotFoundError(
                f"there is no {kind} yet", resource=asked_by, hint=f"Create the {kind} first"
            )
        if len(rows) != 1:
            names = ", ".join(sorted(str(row[self._specs[kind].key]) for row in rows)[:5])
            raise InputError(
                f"{kind} is missing, and there are {several(rows)}",
                resource=asked_by,
                hint=f"Name one of: {names}",
            )
        return rows[0]

    @property
    def here(self) -> str | None:
        """The id of the node that this machine is, also while the plan removes it."""
        if self._here is None:
            rows = self.by("node", "host_key", self.host.key)
            self._here = str(rows[0]["id"]) if rows else None
        return self._here

    def this_node(self, asked_by: str) -> Row:
        """The node that this machine is registered as.

        Raises:
            NotFoundError: This machine is not a node yet.
        """
        rows = self.by("node", "host_key", self.host.key)
        if not rows:
            raise NotFoundError(
                "this machine is not registered as a node",
                resource=asked_by,
                hint="Run pextra.ce.node on it first, or name the node",
            )
        return rows[0]


_Columns = tuple[str, ...]
_Values = tuple[Any, ...]
_Key = tuple[str, _Columns, _Values]
"""A kind, columns of it, and a value for each of them."""
Absences = frozenset[_Key]
"""Unique keys that no row has."""
_UNPLANNED: Row = {}
"""Stands for a row that planning has not touched."""


def several(rows: Sequence[Row]) -> str:
    """How many there are, in words where no more were looked at."""
    return str(len(rows)) if len(rows) < SEVERAL else f"more than {SEVERAL - 1}"


def _sorted(values: Mapping[str, Any]) -> tuple[_Columns, _Values]:
    columns = tuple(sorted(values))
    return columns, tuple(values[column] for column in columns)


def _values(row: Mapping[str, Any], columns: _Columns) -> _Values:
    return tuple(row.get(column) for column in columns)
