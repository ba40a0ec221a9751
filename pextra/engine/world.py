# SPDX-License-Identifier: Apache-2.0
"""The store's rows as planning sees them, and the changes that it makes to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pextra.engine.rows import SEVERAL, R, Rows, Source, Where
from pextra.model import ids, kinds
from pextra.model.change import RowChange
from pextra.model.errors import ConflictError, InputError, NotFoundError
from pextra.model.fields import Row
from pextra.model.names import AnyName, Key, KindName
from pextra.model.principal import Principal
from pextra.model.request import label
from pextra.model.spec import KindSpec
from pextra.model.values import Value

if TYPE_CHECKING:
    from pextra.host.machine import Host
    from pextra.model.rows import NodeRow

_SUGGESTED = 200
"""Names among which the one that was meant is looked for."""


class World(Rows):
    """Rows by kind and id, with the planned changes applied.

    Args:
        specs: The kinds that rows are of.
        source: Gives rows as the store holds them.
        host: This machine; planning only reads it.
        principal: Who asks; None where that is not known.
        attended: Somebody asked for what is planned. What only somebody can see to is refused
            then; otherwise it is planned, and told instead of done.

    Attributes:
        carried_out: The plan was carried out on the host, and what came of it is looked at.
    """

    def __init__(
        self,
        specs: Mapping[str, KindSpec],
        source: Source,
        host: Host,
        *,
        principal: Principal | None = None,
        attended: bool = True,
    ) -> None:
        super().__init__(specs, source)
        self.host = host
        self.principal = principal
        self.warnings: list[str] = []
        self.attended = attended
        self.carried_out = False
        self.retired: list[Key] = []
        self._outlook: dict[Key, Mapping[str, Value]] = {}
        self._deferred: set[Key] = set()
        self._here: str | None = None

    @property
    def specs(self) -> Mapping[str, KindSpec]:
        """The kinds that rows are of, by name."""
        return self._specs

    def warn(self, text: str) -> None:
        """Say something of the plan that whoever asked for it should know."""
        self.warnings.append(text)

    def row(self, kind: KindName[R], id: str) -> R:
        """The row with this identifier, which a foreign key promises.

        Raises:
            NotFoundError: It was not read, or the promise is broken.
        """
        found = self.get(kind, id)
        if found is None:
            raise NotFoundError("is missing from the store", resource=label(kind, id))
        return found

    def put(self, kind: KindName[R], row: R) -> None:
        """Plan a row: a new one, or an existing one with other values."""
        if self._rows[kind].get(row["id"]) != row:
            self.replace(kind, row["id"], row)

    def retire(self, kind: AnyName, id: str) -> None:
        """Plan that a row goes once the host is cleared of it; again after an interruption."""
        self.put(kind, {**self.row(kind, id), "status": "deleting"})
        self.retired.append((kind, id))

    def keep(self, kind: AnyName, id: str) -> None:
        """Plan that a row stays of which a removal was interrupted."""
        self.put(kind, {**self.row(kind, id), "status": "updating"})

    def drop(self, kind: AnyName, id: str) -> None:
        """Plan that a row goes."""
        if kind == kinds.NODE and id == self.here:
            self._here = id
        self.row(kind, id)
        self.replace(kind, id, None)

    def foresee(self, kind: AnyName, id: str, values: Mapping[str, Value]) -> None:
        """Note what only the host shows of a resource, as it will be after the plan."""
        self._outlook[kind, id] = values

    def outlook(self, kind: AnyName, id: str) -> Mapping[str, Value]:
        """What the host will show of a resource after the plan, as far as it was looked at."""
        return self._outlook.get((kind, id), {})

    def defer(self, kind: AnyName, id: str) -> None:
        """Note that a resource that runs takes its changes when it starts next, not at once."""
        self._deferred.add((kind, id))

    def deferred(self, kind: AnyName, id: str) -> bool:
        """Whether a resource that runs is to be left as it runs."""
        return (kind, id) in self._deferred

    def changes(self) -> Iterator[RowChange]:
        """What planning changed, in the kinds' rank order, net of changes taken back."""
        ordered = sorted(self.replaced().items(), key=lambda item: self._specs[item[0][0]].rank)
        for (kind, id), before in ordered:
            after = self._rows[kind].get(id)
            if after != before:
                yield RowChange(self._specs[kind], id, before, after)

    def created_ids(self) -> frozenset[str]:
        """Identifiers that exist only in this plan so far."""
        return frozenset(id for (_kind, id), before in self.replaced().items() if before is None)

    def is_still_in(self, source: Source) -> bool:
        """Whether a source has all that this plan was made from, so that it would be made again.

        More is read from there from now on.

        What was missing, and the plan itself writes, is not looked for again: where it is there
        meanwhile, a unique constraint refuses the plan's row. PostgreSQL guards a look for what is
        missing by the page of the index where it would be, and of two transactions that have both
        read a page and both insert into it, only one can commit. A small table has but one page.
        """
        self.read_from(source)
        doubted = set(self._missed)
        for kind, columns, key in self._missed:
            values = dict(zip(columns, key, strict=True))
            if any(self._takes(kind, row["id"], values) for row in self.where(kind, values)):
                doubted.remove((kind, columns, key))
        return self._answers_again() and not self._stores(doubted)

    def _takes(self, kind: AnyName, id: str, values: Mapping[str, Value]) -> bool:
        """Whether the plan gives a row these values, which it has not in the store."""
        before = self.before(kind, id) or {}
        return any(before.get(column) != value for column, value in values.items())

    def find(self, kind: KindName[R], ref: str, scope: Where | None = None) -> R | None:
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

    def require(self, kind: KindName[R], ref: str, scope: Where | None = None) -> R:
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

    def only(self, kind: KindName[R], asked_by: str) -> R:
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
            rows = self.by(kinds.NODE, "host_key", self.host.key)
            self._here = str(rows[0]["id"]) if rows else None
        return self._here

    def this_node(self, asked_by: str) -> NodeRow:
        """The node that this machine is registered as.

        Raises:
            NotFoundError: This machine is not a node yet.
        """
        rows = self.by(kinds.NODE, "host_key", self.host.key)
        if not rows:
            raise NotFoundError(
                "this machine is not registered as a node",
                resource=asked_by,
                hint="Run pextra.ce.node on it first, or name the node",
            )
        return rows[0]


def several(rows: Sequence[Row]) -> str:
    """How many there are, in words where no more were looked at."""
    return str(len(rows)) if len(rows) < SEVERAL else f"more than {SEVERAL - 1}"
