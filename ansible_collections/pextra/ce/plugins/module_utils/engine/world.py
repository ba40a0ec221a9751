# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store's rows in memory, and the changes that planning makes to them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.pextra.ce.plugins.module_utils import ids
from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import KindSpec, label
from ansible_collections.pextra.ce.plugins.module_utils.errors import (
    ConflictError,
    InputError,
    NotFoundError,
)

if TYPE_CHECKING:
    from ansible_collections.pextra.ce.plugins.module_utils.host import Host


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that planning created, changed or retired; ``after`` is None where it goes."""

    spec: KindSpec
    id: str
    before: Row | None
    after: Row | None


class World:
    """Rows by kind and id, with the planned changes applied.

    Args:
        specs: The kinds that rows are of.
        rows: What the store holds.
        host: This machine; planning only reads it.
    """

    def __init__(
        self, specs: Mapping[str, KindSpec], rows: Mapping[str, Iterable[Row]], host: Host
    ) -> None:
        self.host = host
        self._specs = specs
        self._rows: dict[str, dict[str, Row]] = {
            kind: {row["id"]: row for row in rows.get(kind, ())} for kind in specs
        }
        self._before: dict[tuple[str, str], Row | None] = {}
        self.retired: list[tuple[str, str]] = []
        self._outlook: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._deferred: set[tuple[str, str]] = set()
        self._here: str | None = None
        self._indexes: dict[tuple[str, str], dict[Any, dict[str, None]]] = {}

    def get(self, kind: str, id: str | None) -> Row | None:
        """The row with this identifier."""
        return self._rows[kind].get(id) if id is not None else None

    def row(self, kind: str, id: str) -> Row:
        """The row with this identifier, which a foreign key promises.

        Raises:
            NotFoundError: It was not read, or the promise is broken.
        """
        found = self.get(kind, id)
        if found is None:
            raise NotFoundError("is missing from the store", resource=label(kind, id))
        return found

    def all(self, kind: str) -> Iterable[Row]:
        """Every row of a kind."""
        return self._rows[kind].values()

    def by(self, kind: str, column: str, value: Any) -> list[Row]:
        """Rows of a kind whose column has this value; indexed."""
        index = self._indexes.get((kind, column))
        if index is None:
            index = self._indexes[kind, column] = {}
            for id, row in self._rows[kind].items():
                index.setdefault(row.get(column), {})[id] = None
        rows = self._rows[kind]
        return [rows[id] for id in index.get(value, ())]

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
        current = self._rows[kind].pop(id)
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

    def _reindex(self, kind: str, old: Row | None, new: Row | None) -> None:
        for (name, column), index in self._indexes.items():
            if name != kind:
                continue
            if old is not None:
                index.get(old.get(column), {}).pop(old["id"], None)
            if new is not None:
                index.setdefault(new.get(column), {})[new["id"]] = None

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
        wanted = (scope or {}).items()
        found = [
            row
            for row in self.by(kind, spec.key, ref)
            if all(row.get(column) == value for column, value in wanted)
        ]
        if len(found) > 1:
            raise ConflictError(
                f"{len(found)} of that name exist: {', '.join(row['id'] for row in found[:5])}",
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
            names = sorted({str(row[self._specs[kind].key]) for row in self.all(kind)})
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
        rows = list(self.all(kind))
        if not rows:
            raise NotFoundError(
                f"there is no {kind} yet", resource=asked_by, hint=f"Create the {kind} first"
            )
        if len(rows) != 1:
            names = ", ".join(sorted(str(row[self._specs[kind].key]) for row in rows)[:5])
            raise InputError(
                f"{kind} is missing, and there are {len(rows)}",
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
