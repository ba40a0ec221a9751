# SPDX-License-Identifier: Apache-2.0
"""What the engine knows of a resource kind: its specification and its behaviour.

The engine calls these methods in a fixed order and knows no kind by name:

1. ``expand``: a request becomes itself and the requests of its parts.
2. ``draft``: the row that should be in the store after the run. Pure.
3. ``observe``: what is on this host, in bulk.
4. ``converge``: the steps from what is there to what should be. Pure.
5. ``execute``: carries one step out.

"Make this node what the store says" has no request: it begins with ``on_this_node`` and
``shown_by``, and asks ``unasked`` which steps need one all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pextra.model.change import RowChange
from pextra.model.errors import PextraError
from pextra.model.fields import Row
from pextra.model.names import Key
from pextra.model.plan import Step
from pextra.model.request import Request
from pextra.model.spec import KindSpec
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.engine.world import World
    from pextra.host.machine import Host

R = TypeVar("R", bound=Row)
S = TypeVar("S")


class Kind(Generic[R, S]):
    """The behaviour of a kind; the defaults serve a kind that lives in the store alone.

    Type arguments:
        R: A row, as ``pextra.model.rows`` has it.
        S: The kind's own picture of what is on this host of one; None where nothing is.
    """

    spec: KindSpec

    def rank(self, request: Request) -> int:
        """Where a request stands in the order of planning."""
        return self.spec.rank

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The columns of the references that the request gives or implies: column to id."""
        return {
            item.column: world.require(item.ref, value)["id"] if value is not None else None
            for item in self.spec.fields
            if item.ref and item.name in request.values
            for value in (request.values[item.name],)
        }

    def names(self, request: Request) -> Iterable[Key]:
        """Kinds and names that planning the request looks for, so that they are read together."""
        name = request.values.get(self.spec.key)
        return ((self.spec.name, name),) if isinstance(name, str) else ()

    def realised(self, row: R, world: World) -> bool:
        """Whether this host has now done its part, so that the row may become ready or go."""
        return row.get("node_id") in (None, world.here)

    def learned(self, row: R, world: World) -> Row:
        """Columns that are written when this host has done its part, besides the status."""
        return {}

    def prepare(self, request: Request, host: Host) -> Request:
        """Make what a request needs before it can be claimed; not called in check mode."""
        return request

    def present(self, row: R, world: World) -> Document:
        """The resource as returned to users, with what other rows say of it."""
        return self.spec.public(row)

    def settle(self, request: Request, row: R, host: Host) -> None:
        """Wait for what the request wants to see happen after everything is in place."""

    def probe(self, request: Request, row: R, host: Host) -> Document:
        """Ask what is neither the store nor this host, where the request wants that to be tried.

        It happens before anything is changed, in check mode too.

        Returns:
            What it came to, to be returned beside the resource.

        Raises:
            PextraError: It failed; nothing is changed then.
        """
        return {}

    def called(self, row: R, world: World) -> str:
        """What a step of a plan calls a row."""
        return str(row.get(self.spec.key))

    def review(
        self, changes: Sequence[RowChange], asked: Mapping[Key, Request], world: World
    ) -> Iterable[PextraError]:
        """Why a plan as a whole cannot be, by its changes of this kind's rows and their parts.

        Args:
            changes: These; there is at least one.
            asked: The requests of the plan by what they are about.
            world: The rows as they will be.
        """
        return ()

    def expand(self, request: Request, world: World) -> Iterable[Request]:
        """The request and those of its parts, in planning order."""
        return (request,)

    def draft(self, request: Request, current: R | None, row: R, world: World) -> None:
        """Complete and check the row that the request asks for, in place.

        ``row`` holds the current or default values overlaid with the given ones.
        """

    def retire(self, request: Request, current: R, world: World) -> None:
        """Check that the row may be deleted, and let go of what hangs on it."""

    def released(self, row: R) -> R | None:
        """The row as it stays when what it is at goes; None where it cannot stay."""
        return None

    def take_back(self, request: Request, row: R, world: World) -> None:
        """Take back what hangs on a row whose removal was interrupted, and that is to stay.

        What is left of it on the host is kept; ``converge`` tells what is not.
        """

    def taken(self, columns: tuple[str, ...], row: R, other: R, world: World) -> str:
        """Words for what is unique, and what a row has that another one has already."""
        if self.spec.key in columns:
            return f"the name is taken by {other['id']}"
        return f"its {columns[-1].replace('_', ' ')} is taken by {other['id']}"

    def encrypted(self, row: R, after: R, host: Host) -> Row:
        """Columns that go with secrets that are encrypted.

        Args:
            row: The row before they were; some of it may be encrypted already.
            after: The row as it is written.
            host: This machine.
        """
        return {}

    def touched(self, before: R | None, after: R | None, world: World) -> Iterable[Key]:
        """Other resources on the host that this change reaches."""
        return ()

    def observe(self, rows: Sequence[R], host: Host, world: World) -> Mapping[str, S]:
        """What of these rows is on this host: id to the kind's own picture of it."""
        return {}

    def converge(
        self, request: Request | None, row: R | None, gone: R | None, seen: S | None, world: World
    ) -> Iterable[Step]:
        """Steps that make the host match ``row``, or clear away ``gone``. Pure."""
        return ()

    def turn(self, step: Step) -> int:
        """When a step comes among those of its kind, so that many are done in one go.

        Within a turn steps stay in the order of ``converge``.
        """
        return 0

    def on_this_node(self, world: World) -> Iterable[R]:
        """The rows of this kind that this node has to do with."""
        if world.here is None or not (self.spec.on_node or self.spec.on_host):
            return ()
        return world.by(self.spec.name, "node_id", world.here)

    def shown_by(self, row: R, world: World) -> Iterable[Key]:
        """The resources on this host by which a row shows there."""
        return ((self.spec.name, row["id"]),) if self.spec.on_host else ()

    def going(self, row: R, world: World) -> bool:
        """Whether the row is to go."""
        return row.get("status") == "deleting"

    def branch(self, row: R, seen: S | None, world: World) -> str | None:
        """What the kind itself calls the case that a row and its picture are."""
        return None

    def lost(self, row: R, seen: S | None, world: World) -> bool:
        """Whether the row goes without a request, because it cannot be realised here any more."""
        return False

    def unasked(self, step: Step, row: R) -> str | None:
        """Why a step is not carried out without a request; None: it may be, as nothing is lost."""
        return "it needs a restart" if step.needs_restart else None

    def failed(self, row: R, error: PextraError, seen: S | None) -> Row:
        """Columns that keep why the row could not be realised without a request."""
        return {}

    def execute_many(self, steps: Sequence[Step], host: Host) -> None:
        """Carry out neighbouring steps of one kind and action."""
        for step in steps:
            self.execute(step, host)

    def execute(self, step: Step, host: Host) -> None:
        """Carry out one of the steps that ``converge`` returned."""
        raise NotImplementedError(self.spec.name)

    def wait(self, steps: Sequence[Step], host: Host) -> Mapping[str, PextraError]:
        """Wait until executed power steps have taken effect; by id, why one has not."""
        return {}

    def powered(self, row: R) -> Row:
        """Columns that are written when a power step has taken effect."""
        return {}


AnyKind = Kind[Any, Any]
"""A kind as the engine has it, which knows none by name."""
