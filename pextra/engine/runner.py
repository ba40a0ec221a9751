# SPDX-License-Identifier: Apache-2.0
"""The story of a run: read, plan, claim, change the host, finish, power, verify."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pextra.engine import deferred, encryption, power
from pextra.engine.deferred import is_going
from pextra.engine.kind import AnyKind
from pextra.engine.planner import Drafted, Planner, converge
from pextra.engine.progress import SILENT, Event, Progress, begin, parts
from pextra.engine.world import World
from pextra.host.lock import host_lock, last_holder
from pextra.host.machine import Host
from pextra.model.change import RowChange
from pextra.model.errors import (
    AggregateError,
    ForeignError,
    HostError,
    MissingError,
    PextraError,
    RestartRequiredError,
    VerificationError,
    one_or_all,
)
from pextra.model.plan import Phase, Plan, Step
from pextra.model.principal import Principal
from pextra.model.request import Request, label
from pextra.model.spec import KindSpec
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.store.connection import Store
from pextra.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did, or would do in check mode.

    Attributes:
        drafted: Its plan.
        changed: Whether it changed something, or would.
        check: Whether it only says what it would do.
        probed: What trying things out came to, for each request.
    """

    drafted: Drafted
    changed: bool
    check: bool
    probed: tuple[Document, ...] = ()

    @property
    def plan(self) -> Plan:
        """The steps."""
        return self.drafted.plan


_LOOKED = (ForeignError, HostError, MissingError)
"""What is said of the host, and may be said because another run is changing it."""


class _LockNeeded(Exception):
    """A plan that was to be made true without the host's lock needs it."""


class Runner:
    """Runs requests against one store and one host.

    Args:
        kinds: The kinds by name.
        store: The database.
        host: This machine.
        principal: Who asks; it is written into every audit row.
        purge: Kinds of which this node's resources go that no request names.
        progress: What follows the run, and may ask it to stop between two steps.
    """

    def __init__(
        self,
        kinds: Mapping[str, AnyKind],
        store: Store,
        host: Host,
        principal: Principal,
        purge: Sequence[str] = (),
        progress: Progress = SILENT,
    ) -> None:
        self._kinds = kinds
        self._store = store
        self._host = host
        self._principal = principal
        self._purge = tuple(purge)
        self._progress = progress

    def run(self, requests: Sequence[Request], *, check: bool, allow_restart: bool) -> Outcome:
        """Make the requests true, or only say what that would take.

        Raises:
            PextraError: Something is unacceptable (nothing was changed) or a step failed (the
                next run goes on from there).
        """
        holder = None if check else last_holder()
        drafted = self._plan(requests)
        self._check_restarts(drafted, allow_restart)
        probed = self._probed(drafted)
        if check:
            self._foresee(drafted)
            return Outcome(drafted, bool(drafted.plan), check, probed)
        if drafted.plan:
            drafted = self._apply(drafted, requests, allow_restart, holder)
        self._settle(drafted)
        return Outcome(drafted, bool(drafted.plan), check, probed)

    def _plan(self, requests: Sequence[Request]) -> Drafted:
        def work() -> Drafted:
            return self._outside(
                self._store.transact(lambda tx: self._read_and_plan(tx, requests), read_only=True)
            )

        try:
            return work()
        except PextraError as error:
            errors = error.errors if isinstance(error, AggregateError) else (error,)
            if not any(isinstance(item, _LOOKED) for item in errors):
                raise
            # Or another run made or removed it between our look at the store and at the host.
            with host_lock():
                return work()

    def _apply(
        self,
        drafted: Drafted,
        requests: Sequence[Request],
        allow_restart: bool,
        holder: str | None,
    ) -> Drafted:
        prepared = [self._kinds[item.kind].prepare(item, self._host) for item in requests]
        known = drafted if prepared == list(requests) else None
        if not drafted.hosted:
            with contextlib.suppress(_LockNeeded):
                return self._claimed(prepared, allow_restart, known, locked=False)
        with host_lock() as last:
            # What was seen of this host is so no more where another run has had it since.
            known = known if holder is not None and last == holder else None
            drafted = self._claimed(prepared, allow_restart, known, locked=True)
            self._execute(drafted.plan.of(Phase.HOST))
            self._store.transact(lambda tx: self._finish(tx, drafted))
            drafted.world.read_from(self._store)
            self._verify(drafted)
        self._power(drafted)
        return drafted

    def _claimed(
        self,
        requests: Sequence[Request],
        allow_restart: bool,
        known: Drafted | None,
        *,
        locked: bool,
    ) -> Drafted:
        """The plan that is made true now, written to the store.

        It is the one that is known, if what that was made from is so still.

        Raises:
            _LockNeeded: The host is not locked, and another run has made something meanwhile that
                this one is to change there. Nothing is written.
        """
        first = [] if known is None else [known]

        def work(tx: Transaction) -> Drafted:
            drafted = first.pop() if first else None
            if drafted is None or not drafted.world.is_still_in(tx):
                drafted = self._read_and_plan(tx, requests)
                self._check_restarts(drafted, allow_restart)
            if drafted.hosted and not locked:
                raise _LockNeeded
            self._claim(tx, drafted)
            return drafted

        return self._outside(self._store.transact(work))

    def _outside(self, drafted: Drafted) -> Drafted:
        """A plan whose transaction has ended; what is read of its world now is read anew."""
        drafted.world.read_from(self._store)
        return drafted

    def _probed(self, drafted: Drafted) -> tuple[Document, ...]:
        """What trying out came to, request by request.

        Raises:
            PextraError: Some failed; all of them are listed.
        """
        found: list[Document] = []
        errors: list[PextraError] = []
        for target in drafted.targets:
            kind = target.request.kind
            row = drafted.world.get(kind, target.id)
            try:
                probe = self._kinds[kind].probe
                found.append({} if row is None else probe(target.request, row, self._host))
            except PextraError as error:
                errors.append(error)
        if errors:
            raise one_or_all(errors)
        return tuple(found)

    def _settle(self, drafted: Drafted) -> None:
        for target in drafted.targets:
            row = drafted.world.get(target.request.kind, target.id)
            if row is not None:
                self._kinds[target.request.kind].settle(target.request, row, self._host)

    def _read_and_plan(self, tx: Transaction, requests: Sequence[Request]) -> Drafted:
        world = self._world(tx)
        now = dt.datetime.now(dt.UTC)
        drafted = Planner(self._kinds, now).plan(requests, world, self._host, self._purge)
        encryption.check(tx, world.changes(), self._host)
        return drafted

    def _world(self, tx: Transaction) -> World:
        specs = {name: kind.spec for name, kind in self._kinds.items()}
        return World(specs, tx, self._host, principal=self._principal)

    def _claim(self, tx: Transaction, drafted: Drafted) -> None:
        late = {item.id for item in deferred.changes(self._kinds, drafted)}
        changes = [item for item in drafted.world.changes() if item.id not in late]
        tx.write(encryption.as_written(tx, self._kinds, changes, self._host))
        tx.audit(_with_ids(drafted), self._principal, self._host.key)

    def _finish(self, tx: Transaction, drafted: Drafted) -> None:
        world = drafted.world
        world.read_from(tx)
        ready: list[tuple[KindSpec, str]] = []
        learned: list[RowChange] = []
        late = list(deferred.changes(self._kinds, drafted))
        gone = [(item.spec, item.id) for item in late if item.after is None]
        for name, id in drafted.hosted:
            kind, row = self._kinds[name], world.get(name, id)
            if row is not None and kind.realised(row, world):
                (gone if is_going(row) else ready).append((kind.spec, id))
                if not is_going(row):
                    known = {**row, **kind.learned(row, world)}
                    learned.append(RowChange(kind.spec, id, row, known))
        released = (item for item in late if item.after is not None)
        tx.write([*released, *(item for item in learned if item.before != item.after)])
        tx.finish(ready, gone)

    def _check_restarts(self, drafted: Drafted, allow_restart: bool) -> None:
        blocked = [step for step in drafted.plan if step.needs_restart]
        if not blocked or allow_restart:
            return
        raise one_or_all(
            [
                RestartRequiredError(
                    f"this change needs a restart while it is running: {changes}",
                    resource=resource,
                    hint="Stop the instance first, or set allow_restart=true",
                )
                for resource, changes in _by_resource(blocked)
            ]
        )

    def _power(self, drafted: Drafted) -> None:
        """Carry out the steps of power.

        Raises:
            PextraError: Some failed, or have not taken effect; what that was.
        """
        steps = drafted.plan.of(Phase.POWER)
        done, errors = power.carried_out(self._kinds, self._groups(steps), self._host)
        self._note_powered(done, drafted.world)
        if errors:
            raise one_or_all(errors, "the others were done")

    def _note_powered(self, done: Sequence[Step], world: World) -> None:
        """Write what power steps that have taken effect leave to be written."""
        changes = []
        for step in done:
            kind, row = self._kinds[step.kind], world.get(step.kind, step.id)
            if row is not None:
                after = {**row, **kind.powered(row)}
                changes.append(RowChange(kind.spec, step.id, row, after))
                world.put(step.kind, after)
        changes = [change for change in changes if change.before != change.after]
        if changes:
            self._store.transact(lambda tx: tx.write(changes))

    def _execute(self, steps: Sequence[Step]) -> None:
        for group in self._groups(steps):
            self._kinds[group[0].kind].execute_many(group, self._host)

    def _groups(self, steps: Sequence[Step]) -> Iterator[list[Step]]:
        """Neighbouring steps of one kind and action, each group told as it begins.

        Raises:
            CancelledError: Somebody asked the run to stop.
        """
        groups = itertools.groupby(steps, key=lambda step: (step.kind, step.action))
        begun = 1
        for (kind, action), members in groups:
            group = list(members)
            more = f" and {len(group) - 1} more" if len(group) > 1 else ""
            text = f"{action} {label(kind, group[0].name)}{more}"
            phase = group[0].phase.name.lower()
            event = Event(phase, begun, len(steps), text)
            begin(self._progress, event)
            self._host.told = parts(self._progress, event)
            yield group
            begun += len(group)

    def _foresee(self, drafted: Drafted) -> None:
        """Have the rows in the world as the run leaves them in the store."""
        for kind, id in drafted.hosted:
            row, behind = drafted.world.get(kind, id), self._kinds[kind]
            if row is not None and not is_going(row) and behind.realised(row, drafted.world):
                known = behind.learned(row, drafted.world)
                drafted.world.put(kind, {**row, **known, "status": "ready"})

    def _verify(self, drafted: Drafted) -> None:
        self._foresee(drafted)
        drafted.world.carried_out = True
        asked = {(item.request.kind, item.id): item.request for item in drafted.targets}
        hosted = {key: asked.get(key) for key in drafted.hosted}
        left = [
            step
            for step in converge(self._kinds, hosted, drafted.world, self._host)
            if step.phase is Phase.HOST
        ]
        if left:
            again = "Run it again; if this stays, something else changes it at the same time"
            raise one_or_all(
                [
                    VerificationError(
                        f"after applying, the host still differs: {changes}",
                        resource=resource,
                        hint=again,
                    )
                    for resource, changes in _by_resource(left)
                ],
                "after applying",
            )


def _with_ids(drafted: Drafted) -> Iterator[Step]:
    """The steps as audit rows keep them: with the ids that a plan does not promise."""
    new = {
        (item.spec.name, item.id): item.spec.public(item.after)
        for item in drafted.world.changes()
        if item.before is None and item.after is not None
    }
    for step in drafted.plan:
        row = new.get((step.kind, step.id))
        known = row is not None and step.action == "create"
        yield dataclasses.replace(step, after=row) if known else step


def _by_resource(steps: Iterable[Step]) -> Iterator[tuple[str, str]]:
    """Each resource that these steps are about, and what they change of it."""
    changes: dict[str, list[str]] = {}
    for step in steps:
        changes.setdefault(label(step.kind, step.name), []).append(_difference(step))
    return ((resource, "; ".join(texts)) for resource, texts in changes.items())


def _difference(step: Step) -> str:
    before, after = step.before or {}, step.after or {}
    pairs = ", ".join(
        f"{key} from {before.get(key)!r} to {after.get(key)!r}"
        for key in after
        if before.get(key) != after.get(key)
    )
    return f"{step.action} {step.kind} {step.name}" + (f" ({pairs})" if pairs else "")
