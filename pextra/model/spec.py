# SPDX-License-Identifier: Apache-2.0
"""The declared part of a resource kind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pextra.model.encrypted import Path, paths
from pextra.model.fields import Field, Row
from pextra.model.names import AnyName
from pextra.model.returned import Returned
from pextra.model.values import Document


@dataclass(frozen=True, slots=True)
class KindSpec:
    """The declared part of a kind.

    Attributes:
        name: Singular, as in module names.
        table: The store's table.
        prefix: What its identifiers begin with.
        fields: The field table.
        key: The field that names a resource for people.
        scope: Columns within which a name is unique. A constraint of the table sees to it.
        unique: Columns besides whose values are unique in the whole store, by constraints too.
        unique_together: Columns besides whose values are so together, where none of them is null.
        owned_by: The kind that creates and removes rows of this one with its own.
        states: What a request may ask for; the first is the default.
        options: Fields that steer a run and are not compared.
        small: What refers to one of these is little, and is read for many of them together.
        on_node: Rows have a column ``node_id``, and are planned by that node alone.
        moments: Columns with a time that only the run itself knows.
        times: Further columns with a time.
        computed: Columns that no option sets, as they are returned. What every kind has
            (identifier, creation, status) is said here only where there is more to say.
        hidden: Columns of no option that are never returned.
        unfinished: Hidden columns that keep what a run has begun, until it is finished.
        rank: Order of planning and of store writes; deletion goes the other way.
        host_rank: Order of changes on the host.
        on_host: Rows have a status and something on a host realises them.
        stored: The fields that are columns.
        encrypted: Where in a row secrets are that the store has encrypted; see ``model.encrypted``.
        accepts: Every field of a request: the table, what steers the run, the state and the id.
        unique_keys: Columns whose values only one row has, by constraints of the table: its name,
            and more. A null among them is like no other.
    """

    name: AnyName
    table: str
    prefix: str
    fields: tuple[Field, ...]
    key: str = "name"
    scope: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    unique_together: tuple[tuple[str, ...], ...] = ()
    owned_by: AnyName | None = None
    states: tuple[str, ...] = ("present", "absent")
    options: tuple[Field, ...] = ()
    small: bool = False
    on_node: bool = False
    moments: tuple[str, ...] = ("creation",)
    times: tuple[str, ...] = ()
    computed: Mapping[str, Returned] = field(default_factory=dict)
    hidden: tuple[Field, ...] = ()
    unfinished: tuple[str, ...] = ()
    rank: int = 0
    host_rank: int = 0
    on_host: bool = False
    stored: tuple[Field, ...] = field(init=False, repr=False)
    encrypted: tuple[Path, ...] = field(init=False, repr=False)
    accepts: tuple[Field, ...] = field(init=False, repr=False)
    unique_keys: tuple[tuple[str, ...], ...] = field(init=False, repr=False)
    _secret_columns: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Work out what every plan asks for each resource."""
        state = Field("state", choices=self.states, default=self.states[0])
        name = tuple(dict.fromkeys((self.key, *self.scope)))
        secret = (item for item in self.fields if not item.shown)
        stored = tuple(item for item in self.fields if item.stored)
        derived = {
            "stored": stored,
            "encrypted": tuple(paths((*stored, *self.hidden))),
            "accepts": (Field("id"), *self.fields, *self.options, state),
            "unique_keys": (name, *((column,) for column in self.unique), *self.unique_together),
            "_secret_columns": frozenset(item.column for item in (*self.hidden, *secret)),
        }
        for attribute, value in derived.items():
            object.__setattr__(self, attribute, value)

    @property
    def shown(self) -> Mapping[str, Returned]:
        """What is returned of a row, by column: what every kind has, references, the rest."""
        known = {name: item for name, item in self.computed.items() if name.endswith("_id")}
        fields = {item.column: _returned(item) for item in self.stored if item.shown}
        status = {"status": _STATUS} if self.on_host else {}
        columns = (
            {"id": Returned(f"Identifier, C({self.prefix}-) and 21 characters.")}
            | known
            | fields
            | dict(self.computed)
            | status
            | {"creation": _CREATION}
        )
        return {name: self.computed.get(name, item) for name, item in columns.items()}

    @property
    def columns(self) -> frozenset[str]:
        """Every column of the table that the kind knows."""
        return frozenset({*self.shown, *(item.column for item in (*self.hidden, *self.stored))})

    def is_unique(self, columns: Collection[str]) -> bool:
        """Whether at most one row has some values in these columns."""
        name = {self.key, *self.scope}
        return name <= set(columns) or any(column in columns for column in self.unique)

    def secret_columns(self) -> frozenset[str]:
        """Columns that appear in no output."""
        return self._secret_columns

    def public(self, row: Row) -> Document:
        """The row as returned to users."""
        masked = self._secret_columns
        return {key: value for key, value in row.items() if key not in masked}


_STATUS = Returned(
    "What the store says of it. V(ready), or V(pending) (creation), V(updating) or V(deleting)"
    " where a run is at work or was interrupted, or another node still has to do its part.",
    sample="ready",
)
_CREATION = Returned("When it was created, in UTC.", sample="2026-01-31T12:00:00Z")


def _returned(item: Field) -> Returned:
    """What is returned of a field: what its table says of that, or what it says of the option."""
    if item.returned is not None:
        return item.returned
    if item.ref:
        return Returned(f"Identifier of the {item.ref.replace('_', ' ')}.")
    sample = item.default if item.default is not None else next(iter(item.choices), None)
    return Returned(item.doc[:1], item.type, sample, item.elements)
