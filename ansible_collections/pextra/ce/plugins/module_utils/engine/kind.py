# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine knows of a resource kind: its specification and its behaviour.

The engine calls these methods in a fixed order and knows no kind by name:

1. ``expand``: a request becomes itself and the requests of its parts.
2. ``draft``: the row that should be in the store after the run. Pure.
3. ``observe``: what is on this host, in bulk.
4. ``converge``: the steps from what is there to what should be. Pure.
5. ``execute``: carries one step out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Field, Row
from ansible_collections.pextra.ce.plugins.module_utils.engine.plan import Step

if TYPE_CHECKING:
    from ansible_collections.pextra.ce.plugins.module_utils.engine.world import World
    from ansible_collections.pextra.ce.plugins.module_utils.host import Host


@dataclass(frozen=True, slots=True)
class Request:
    """What one task or one manifest entry asks for.

    Attributes:
        kind: The kind's name, such as ``volume``.
        state: One of the kind's states.
        values: Canonical values of the fields that were given, and no others.
        options: Canonical values of what steers the run, such as ``timeout``.
        position: Where it stands among the run's requests, from 0.
    """

    kind: str
    state: str
    values: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    position: int = 0

    @property
    def label(self) -> str:
        """How messages call it, such as ``volume "data"``."""
        values = self.values
        return label(self.kind, values.get("name") or values.get("username") or values.get("id"))


def label(kind: str, name: Any) -> str:
    """How messages call a resource, such as ``volume "data"``."""
    text = str(name) if name is not None else ""
    text = text if text.isprintable() else repr(text)[1:-1]
    return f'{kind} "{text if len(text) <= 80 else text[:77] + "..."}"' if text else kind


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
        needs: Kinds whose rows planning looks at.
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
    needs: tuple[str, ...] = ()
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


class Kind:
    """The behaviour of a kind; the defaults serve a kind that lives in the store alone."""

    spec: KindSpec

    def rank(self, request: Request) -> int:
        """Where a request stands in the order of planning."""
        return self.spec.rank

    def resolve(self, request: Request, world: World) -> dict[str, Any]:
        """The columns of the references that the request gives or implies: column to id."""
        return {
            item.column: world.require(item.ref, value)["id"] if value is not None else None
            for item in self.spec.fields
            if item.ref and item.name in request.values
            for value in (request.values[item.name],)
        }

    def realised(self, row: Row, world: World) -> bool:
        """Whether this host has now done its part, so that the row may become ready or go."""
        return row.get("node_id") in (None, world.here)

    def learned(self, row: Row, world: World) -> Row:
        """Columns that are written when this host has done its part, besides the status."""
        return {}

    def prepare(self, request: Request, host: Host) -> Request:
        """Make what a request needs before it can be claimed; not called in check mode."""
        return request

    def present(self, row: Row, world: World) -> dict[str, Any]:
        """The resource as returned to users, with what other rows say of it."""
        return self.spec.public(row)

    def settle(self, request: Request, row: Row, host: Host) -> None:
        """Wait for what the request wants to see happen after everything is in place."""

    def expand(self, request: Request, world: World) -> Iterable[Request]:
        """The request and those of its parts, in planning order."""
        return (request,)

    def draft(self, request: Request, current: Row | None, row: Row, world: World) -> None:
        """Complete and check the row that the request asks for, in place.

        ``row`` holds the current or default values overlaid with the given ones.
        """

    def retire(self, request: Request, current: Row, world: World) -> None:
        """Check that the row may be deleted, and let go of what hangs on it."""

    def touched(
        self, before: Row | None, after: Row | None, world: World
    ) -> Iterable[tuple[str, str]]:
        """Other resources (kind, id) on the host that this change reaches."""
        return ()

    def observe(self, rows: Sequence[Row], host: Host, world: World) -> Mapping[str, Any]:
        """What of these rows is on this host: id to the kind's own picture of it."""
        return {}

    def converge(
        self, request: Request | None, row: Row | None, gone: Row | None, seen: Any, world: World
    ) -> Iterable[Step]:
        """Steps that make the host match ``row``, or clear away ``gone``. Pure."""
        return ()

    def execute_many(self, steps: Sequence[Step], host: Host) -> None:
        """Carry out neighbouring steps of one kind and action."""
        for step in steps:
            self.execute(step, host)

    def execute(self, step: Step, host: Host) -> None:
        """Carry out one of the steps that ``converge`` returned."""
        raise NotImplementedError(self.spec.name)

    def wait(self, step: Step, host: Host) -> None:
        """Wait until an executed power step has taken effect."""
