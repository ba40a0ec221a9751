# SPDX-License-Identifier: Apache-2.0
"""What an ``_info`` module returns of a kind, as one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pextra.kinds.registry import KINDS
from pextra.kinds.view import View
from pextra.model.fields import Row
from pextra.model.names import AnyName, KindName
from pextra.model.returned import Returned
from pextra.model.values import Value

R = TypeVar("R", bound=Row)
Compute = Callable[[R, View], Value]
"""Works a field out. What it looks at through the view is read then, once and in bulk."""


@dataclass(frozen=True, slots=True)
class Computed(Generic[R]):
    """A field that is no column.

    Attributes:
        work_out: What works it out.
        returned: What people read of it.
        asked: It is returned only where it is asked for by its name, since it is long.
    """

    work_out: Compute[R]
    returned: Returned
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Info(Generic[R]):
    """The table of a kind: a file of its own, a line in ``registry``, and a module.

    Attributes:
        kind: The kind's name.
        plural: The key of the list in the task's result.
        parents: Kinds that a column ``<parent>_id`` refers to, from the outside in. Each is an
            option to filter by, with an id or a name, and a field with the parent's name.
        computed: The other fields, worked out only where they are asked for. One that has the name
            of a column is returned in its place.
        everywhere: Identifiers of resources that belong to no organization, and are listed with
            those of each.
    """

    kind: KindName[R]
    plural: str
    parents: tuple[AnyName, ...] = ()
    computed: Mapping[str, Computed[R]] = field(default_factory=dict)
    everywhere: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the store that are returned as they are: those that the kind shows."""
        shown = KINDS[self.kind].spec.shown
        return tuple(name for name in shown if name not in self.computed)

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that can be asked for."""
        return (*self.columns, *self.parents, *self.computed)

    @property
    def usual(self) -> tuple[str, ...]:
        """The fields that are returned where none is asked for."""
        long = {name for name, item in self.computed.items() if item.asked}
        return tuple(name for name in self.fields if name not in long)

    def value(self, name: str, row: R, view: View) -> Value:
        """One field of a resource."""
        if name in self.computed:
            return self.computed[name].work_out(row, view)
        if name in self.parents:
            return view.name(KINDS[name].spec.name, row[f"{name}_id"])
        column: Value = row[name]
        return column


AnyInfo = Info[Any]
"""The table of a kind where any will do."""


def count_of(kind: AnyName, column: str) -> Compute[Any]:
    """How many of another kind refer to the resource with a column."""
    return lambda row, view: view.count(kind, column, row["id"])
