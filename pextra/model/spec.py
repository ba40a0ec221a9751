# SPDX-License-Identifier: Apache-2.0
"""The declared part of a resource kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pextra.model.fields import Field


@dataclass(frozen=True, slots=True)
class KindSpec:
    """The declared part of a kind.

    Attributes:
        name: Singular, as in module names.
        table: The store's table.
        prefix: What its identifiers begin with.
        fields: The field table.
        key: The field that names a resource for people.
        scope: Columns within which a name is unique.
        owned_by: The kind that creates and removes rows of this one with its own.
        states: What a request may ask for; the first is the default.
        options: Fields that steer a run and are not compared.
        small: What refers to one of these is little, and is read for many of them together.
        on_node: Rows have a column ``node_id``, and are planned by that node alone.
        moments: Columns with a time that only the run itself knows.
        hidden: Columns that are never returned.
        rank: Order of planning and of store writes; deletion goes the other way.
        host_rank: Order of changes on the host.
        on_host: Rows have a status and something on a host realises them.
    """

    name: str
    table: str
    prefix: str
    fields: tuple[Field, ...]
    key: str = "name"
    scope: tuple[str, ...] = ()
    owned_by: str | None = None
    states: tuple[str, ...] = ("present", "absent")
    options: tuple[Field, ...] = ()
    small: bool = False
    on_node: bool = False
    moments: tuple[str, ...] = ("creation",)
    hidden: tuple[str, ...] = ()
    rank: int = 0
    host_rank: int = 0
    on_host: bool = False

    @property
    def accepts(self) -> tuple[Field, ...]:
        """Every field of a request: the table, what steers the run, the state and the id."""
        return (
            Field("id"),
            *self.fields,
            *self.options,
            Field("state", choices=self.states, default=self.states[0]),
        )

    @property
    def stored(self) -> tuple[Field, ...]:
        """The fields that are columns."""
        return tuple(item for item in self.fields if item.stored)

    def secret_columns(self) -> frozenset[str]:
        """Columns that appear in no output."""
        return frozenset({*self.hidden, *(item.column for item in self.fields if item.secret)})

    def public(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as returned to users."""
        masked = self.secret_columns()
        return {key: value for key, value in row.items() if key not in masked}
