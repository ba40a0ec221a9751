# SPDX-License-Identifier: Apache-2.0
"""Make this node what the store says: the engine without a request.

Everything is looked at first, at once and without a lock. What needs something is looked at again
under the host's lock, as another run may have seen to it meanwhile; it is written down before and
after, so that a run that is killed has lost nothing. Each resource is seen to by itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pextra.engine import repair
from pextra.engine.kind import AnyKind, Kind
from pextra.engine.progress import SILENT, Event, Progress, begin
from pextra.engine.repair import Found, Left, Repair
from pextra.engine.world import World
from pextra.host.lock import host_lock
from pextra.host.machine import Host
from pextra.model.change import RowChange
from pextra.model.errors import (
    ConflictError,
    InputError,
    PextraError,
    StoreError,
    VerificationError,
)
from pextra.model.fields import Row
from pextra.model.names import AnyName, Key
from pextra.model.plan import Step
from pextra.model.principal import Principal
from pextra.model.request import label
from pextra.store.transaction import Transaction

if TYPE_CHECKING:
    from pextra.store.connection import Store


@dataclass(frozen=True, slots=True)
class Scope:
    """What is reconciled.

    Attributes:
        kind: Only resources of this kind, and what shows them on the host; None: all of the node.
        names: Only those with these names or ids; None: all of the kind.
    """

    kind: str | None = None
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a resource, and what was done about it; in check mode, would be.

    Attributes:
        kind: Its kind.
        id: Its identifier.
        name: Its name.
        parent: The resource that it shows on the host, where it is a part: kind and id.
        found: How it was found.
        branch: What its kind calls that, if it has words of its own.
        steps: What was done.
        left: What is not done without a request, and why.
        error: Why it could not be done.
    """

    kind: AnyName
    id: str
    name: str
    parent: Key | None
    found: Found
    branch: str | None
    steps: tuple[Step, ...]
    left: tuple[Left, ...]
    error: PextraError | None


class Reconciler:
    """Brings this node to what the store says.

    Args:
        kinds: The kinds by name.
        store: The database.
        host: This machine.
        principal: Who asks; it is written into every audit row.
        follow: What follows the run.
    """

    def __init__(
        self,
        kinds: Mapping[str, AnyKind],
        store: Store,
        host: Host,
        principal: Principal,
        follow: Progress = SILENT,
    ) -> None:
        self._kinds = kinds
        self._specs = {name: kind.spec for name, kind in kinds.items()}
        self._store = store
        self._host = host
        self._principal = principal
        self._follow = follow

    def run(self, scope: Scope, *, check: bool) -> list[Finding]:
        """See to everything in the scope, or only say what that would take.

        Raises:
            NotFoundError: This machine is no node, or something named does not exist.
            InputError: Nothing of the named kind is on a node.
            StoreError: The database failed.
            CancelledError: It was asked to stop, and stopped between two resources.
        """
        world = World(self._specs, self._store, self._host, attended=False)
        world.this_node("reconcile")
        keys = self._keys(scope, world)
        for key in keys:
            world.subject(*key)
        self._follow.report(Event("look", 1, 1, f"look at {len(keys)} resources of this node"))
        looks = repair.look(self._kinds, keys, world, self._host)
        groups = repair.ordered(self._kinds, keys, world)
        drafted = [repair.draft(self._kinds, group, world, looks) for group in groups]
        if not check:
            drafted = self._see_to_all(drafted)
        found = [_finding(self._kinds, item) for item in itertools.chain.from_iterable(drafted)]
        return [item for item in found if not _mere(item)]

    def _keys(self, scope: Scope, world: World) -> list[Key]:
        """Every resource on this host that has to do with the scope, once."""
        if scope.kind is None:
            kinds: Iterable[str] = self._kinds
        else:
            kinds = (scope.kind,)
            if scope.kind not in self._kinds or not _is_on_hosts(self._kinds[scope.kind]):
                named = ", ".join(self.possible(self._kinds))
                raise InputError(
                    f"nothing of kind {scope.kind} is on a node", hint=f"Possible are: {named}"
                )
        found: dict[Key, None] = {}
        for name in kinds:
            kind = self._kinds[name]
            rows = kind.on_this_node(world)
            if scope.names is not None:
                rows = self._named(kind, scope.names, world)
            for row in list(rows):
                found |= dict.fromkeys(kind.shown_by(row, world))
        return [key for key in found if world.get(*key) is not None]

    @staticmethod
    def possible(kinds: Mapping[str, AnyKind]) -> tuple[str, ...]:
        """The kinds of which something is on a node, and that users name."""
        return tuple(
            name
            for name, kind in kinds.items()
            if kind.spec.owned_by is None and _is_on_hosts(kind)
        )

    def _named(self, kind: AnyKind, names: Sequence[str], world: World) -> list[Row]:
        node, spec = world.this_node("reconcile"), kind.spec
        columns = {"node_id": node["id"]} if spec.on_node else {"cluster_id": node["cluster_id"]}
        rows = [world.require(spec.name, name, columns) for name in names]
        for row in rows:
            if spec.on_node and row["node_id"] != node["id"]:
                raise ConflictError(
                    "it is on another node", resource=label(spec.name, row[spec.key]),
                    hint="Reconcile it there",
                )  # fmt: skip
        return rows

    def _see_to_all(self, drafted: Sequence[list[Repair]]) -> list[list[Repair]]:
        """See to what needs something, group by group."""
        needy = [group for group in drafted if any(item.needed for item in group)]
        turns, done = itertools.count(1), []
        for group in drafted:
            if any(item.needed for item in group):
                text = f"see to {_called(self._kinds, group[0])}"
                begin(self._follow, Event("host", next(turns), len(needy), text))
                group = self._see_to([item.key for item in group])
            done.append(group)
        return done

    def _see_to(self, keys: Sequence[Key]) -> list[Repair]:
        """Look at a group again, do what it needs, and write down what came of it."""
        with host_lock():
            world = World(self._specs, self._store, self._host, attended=False)
            looks = repair.look(self._kinds, keys, world, self._host)
            group = repair.draft(self._kinds, keys, world, looks)
            steps = [step for item in group for step in item.steps]
            if steps:
                self._store.transact(lambda tx: tx.audit(steps, self._principal, self._host.key))
                try:
                    self._execute(steps)
                    self._verify(group, world)
                except StoreError:
                    raise
                except (PextraError, OSError) as error:
                    group = self._failed(group, repair.as_ours(error), world)
            return self._written(group)

    def _execute(self, steps: Iterable[Step]) -> None:
        for (kind, _action), members in itertools.groupby(steps, lambda s: (s.kind, s.action)):
            self._kinds[kind].execute_many(list(members), self._host)

    def _verify(self, group: Iterable[Repair], world: World) -> None:
        """Look once more at what is to stay.

        Raises:
            VerificationError: Something is still to be done.
        """
        world.carried_out = True
        keys = [item.key for item in group if world.get(*item.key) is not None]
        looks = repair.look(self._kinds, keys, world, self._host)
        for item in repair.draft(self._kinds, keys, world, looks):
            if item.error is not None:
                raise item.error
            if item.steps:
                actions = ", ".join(step.action for step in item.steps)
                raise VerificationError(
                    f"after applying, the host still differs: {actions}",
                    resource=label(item.kind, item.steps[0].name),
                    hint="Run it again; if this stays, something else changes it at the same time",
                )

    def _failed(self, group: list[Repair], error: PextraError, world: World) -> list[Repair]:
        looks = repair.look(self._kinds, [item.key for item in group], world, self._host)
        return [
            repair.failed(self._kinds[item.kind], item, error, looks.seen.get(item.key))
            for item in group
        ]

    def _written(self, group: list[Repair]) -> list[Repair]:
        """Write what becomes of the rows, and audit it."""
        changes = [change for item in group for change in item.changes]
        if not changes:
            return group

        def work(tx: Transaction) -> None:
            current = [change for item in changes if (change := _now(item, tx)) is not None]
            tx.write(current)
            written = [step for item in group for step in item.written]
            tx.audit(written, self._principal, self._host.key)

        try:
            self._store.transact(work)
        except ConflictError as error:
            return [repair.failed(self._kinds[item.kind], item, error, None) for item in group]
        return group


def _is_on_hosts(kind: AnyKind) -> bool:
    """Whether something on a host shows what is of a kind."""
    return kind.spec.on_host or type(kind).shown_by is not Kind.shown_by


def _now(change: RowChange, tx: Transaction) -> RowChange | None:
    """The change of a row as it is by now: it may have been marked for removal, or be gone."""
    rows = tx.select(change.spec, {"id": [change.id]})
    if not rows:
        return None
    current, before = rows[0], change.before or {}
    if change.after is None:
        return RowChange(change.spec, change.id, current, None)
    made = {key: value for key, value in change.after.items() if value != before.get(key)}
    if current["status"] == "deleting":
        made.pop("status", None)
    return RowChange(change.spec, change.id, current, {**current, **made})


def _finding(kinds: Mapping[str, AnyKind], item: Repair) -> Finding:
    spec, row = kinds[item.kind].spec, item.row
    parent = (spec.owned_by, str(row[f"{spec.owned_by}_id"])) if spec.owned_by else None
    return Finding(
        item.kind, item.key[1], str(row[spec.key]), parent, item.found, item.branch,
        item.plan, item.left, item.error,
    )  # fmt: skip


def _mere(finding: Finding) -> bool:
    """Whether nothing is to be said: it goes when other nodes have let go of it."""
    told: tuple[Any, ...] = (*finding.steps, *finding.left)
    return not told and finding.error is None and finding.kind == "storage_pool"


def _called(kinds: Mapping[str, AnyKind], item: Repair) -> str:
    return label(item.kind, item.row[kinds[item.kind].spec.key])
