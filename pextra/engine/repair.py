# SPDX-License-Identifier: Apache-2.0
"""What this node has to do about its rows, without a request: looked at, and planned. Pure."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from pextra.engine.kind import AnyKind
from pextra.engine.store_steps import store_step
from pextra.engine.world import World
from pextra.host.machine import Host
from pextra.model.change import RowChange
from pextra.model.errors import ConflictError, HostError, PextraError
from pextra.model.fields import Row
from pextra.model.names import AnyName, Key
from pextra.model.plan import Phase, Step
from pextra.model.request import label


class Found(enum.Enum):
    """How a resource was found on this node."""

    WHOLE = "whole"
    """It is what the store says."""
    DRIFTED = "drifted"
    """It was whole, and something outside changed it."""
    UNFINISHED = "unfinished"
    """Another node, or a run that was interrupted, left it to be made or changed here."""
    LEAVING = "leaving"
    """It is marked for removal."""
    LOST = "lost"
    """Something else has taken its place for good."""
    UNKNOWN = "unknown"
    """It could not be looked at."""


@dataclass(frozen=True, slots=True)
class Left:
    """A step that is not carried out without a request, and why."""

    step: Step
    why: str


@dataclass(frozen=True, slots=True)
class Repair:
    """What one resource needs.

    Attributes:
        kind: Its kind.
        row: Its row as it was read.
        found: How it was found.
        branch: What its kind calls that, if it has words of its own.
        steps: What is to be done on the host.
        left: What is not done without a request.
        change: What becomes of its row when the steps are done; None: nothing.
        beside: Rows that nothing on a host shows, and that go with it.
        error: Why nothing can be done; ``change`` then keeps it, for kinds that do.
    """

    kind: AnyName
    row: Row
    found: Found
    branch: str | None = None
    steps: tuple[Step, ...] = ()
    left: tuple[Left, ...] = ()
    change: RowChange | None = None
    beside: tuple[RowChange, ...] = ()
    error: PextraError | None = None

    @property
    def key(self) -> Key:
        """Kind and id."""
        return self.kind, str(self.row["id"])

    @property
    def needed(self) -> bool:
        """Whether there is something to do."""
        return bool(self.steps or self.changes)

    @property
    def changes(self) -> tuple[RowChange, ...]:
        """What is written when the steps are done."""
        return self.beside if self.change is None else (*self.beside, self.change)

    @property
    def written(self) -> tuple[Step, ...]:
        """The steps that write it."""
        return tuple(store_step(change, frozenset()) for change in self.changes)

    @property
    def plan(self) -> tuple[Step, ...]:
        """Its steps, and at last those that write its row."""
        return (*self.steps, *self.written)


@dataclass(slots=True)
class Looks:
    """What was seen on this host: pictures by resource, and what kept from looking."""

    seen: dict[Key, object] = field(default_factory=dict)
    errors: dict[Key, PextraError] = field(default_factory=dict)


def look(kinds: Mapping[str, AnyKind], keys: Iterable[Key], world: World, host: Host) -> Looks:
    """Look at these resources, in bulk; where that fails, at each by itself."""
    rows: dict[AnyName, list[Row]] = {}
    for kind, id in keys:
        row = world.get(kind, id)
        if row is not None:
            rows.setdefault(kind, []).append(row)
    looks = Looks()
    for kind, members in sorted(rows.items(), key=lambda item: kinds[item[0]].spec.host_rank):
        try:
            _take(looks, kind, kinds[kind].observe(members, host, world))
        except (PextraError, OSError):
            for row in members:
                try:
                    _take(looks, kind, kinds[kind].observe([row], host, world))
                except (PextraError, OSError) as error:
                    looks.errors[kind, row["id"]] = as_ours(error)
    return looks


def _take(looks: Looks, kind: AnyName, seen: Mapping[str, object]) -> None:
    looks.seen |= {(kind, id): picture for id, picture in seen.items()}


def as_ours(error: PextraError | OSError) -> PextraError:
    """What the system refused, as an error of this host."""
    return error if isinstance(error, PextraError) else HostError(str(error))


def draft(
    kinds: Mapping[str, AnyKind], group: Iterable[Key], world: World, looks: Looks
) -> list[Repair]:
    """What each of some resources needs that stand or fall together.

    What becomes of the rows is planned in ``world``, so that what stands on them is judged by it.
    """
    rows = [(kinds[kind], row) for kind, id in group if (row := world.get(kind, id))]
    together = {(kind.spec.name, str(row["id"])) for kind, row in rows}
    repairs = [_draft(kinds, kind, row, world, looks, together) for kind, row in rows]
    wrong = next((item for item in repairs if item.error is not None), None)
    if wrong is not None:
        repairs = [_waiting(item, wrong) for item in repairs]
    for item in repairs:
        for change in item.changes if item.error is None else ():
            if change.after is None:
                world.drop(change.spec.name, change.id)
            else:
                world.put(change.spec.name, change.after)
    return repairs


def _waiting(repair: Repair, wrong: Repair) -> Repair:
    """A part of what cannot go does not go either."""
    if repair.error is not None:
        return repair
    why = f'{wrong.kind} "{wrong.row.get("name")}" cannot go yet'
    left = (*repair.left, *(Left(step, why) for step in repair.steps))
    return dataclasses.replace(repair, steps=(), left=left, change=None, beside=())


def _draft(
    kinds: Mapping[str, AnyKind],
    kind: AnyKind,
    row: Row,
    world: World,
    looks: Looks,
    together: Set[Key],
) -> Repair:
    name, key = kind.spec.name, (kind.spec.name, str(row["id"]))
    seen, unseen = looks.seen.get(key), looks.errors.get(key)
    if unseen is not None:
        noted = _noted(kind, row, unseen, None)
        return Repair(name, row, Found.UNKNOWN, change=noted, error=unseen)
    branch, going = kind.branch(row, seen, world), kind.going(row, world)
    if kind.lost(row, seen, world):
        return Repair(name, row, Found.LOST, branch, change=RowChange(kind.spec, key[1], row, None))
    beside: tuple[RowChange, ...] = ()
    try:
        planned = kind.converge(None, None if going else row, row if going else None, seen, world)
        steps, left = _sorted(kind, row, planned)
        ends = going and not left and kind.realised(row, world)
        if ends and _has_parts(kinds, kind, row, world):
            return Repair(name, row, Found.LEAVING, branch)
        if ends:
            beside = _beside(kinds, kind, row, world, together)
    except (PextraError, OSError) as refused:
        error = as_ours(refused)
        found = _how(row, going, drifted=True)
        noted = _noted(kind, row, error, seen)
        return Repair(name, row, found, branch, change=noted, error=error)
    change = _settled(kind, row, going, steps, world) if not left else None
    found = _how(row, going, drifted=bool(steps or left))
    return Repair(name, row, found, branch, steps, left, change, beside)


def _has_parts(kinds: Mapping[str, AnyKind], kind: AnyKind, row: Row, world: World) -> bool:
    """Whether a part of it is still on a host: it tells by itself why it is."""
    parts = (item.spec for item in kinds.values() if item.spec.owned_by == kind.spec.name)
    column = f"{kind.spec.name}_id"
    return any(spec.on_host and world.by(spec.name, column, row["id"]) for spec in parts)


def _beside(
    kinds: Mapping[str, AnyKind], kind: AnyKind, row: Row, world: World, together: Set[Key]
) -> tuple[RowChange, ...]:
    """What refers to a row that goes, has no mark of its own, and was to go with it.

    A row is marked only when all that refers to it goes in the same run.

    Raises:
        ConflictError: Something refers to it that is not going.
    """
    column, found = f"{kind.spec.name}_id", list[RowChange]()
    for other in kinds.values():
        if all(item.column != column for item in other.spec.stored):
            continue
        for item in world.by(other.spec.name, column, row["id"]):
            if (other.spec.name, item["id"]) in together:
                continue
            released = other.released(item)
            if released is not None:
                found.append(RowChange(other.spec, item["id"], item, released))
                continue
            if other.spec.on_host:
                raise ConflictError(
                    f'it still holds {other.spec.name} "{item[other.spec.key]}"',
                    resource=label(kind.spec.name, row[kind.spec.key]), hint="Remove that first",
                )  # fmt: skip
            found += _beside(kinds, other, item, world, together)
            found.append(RowChange(other.spec, item["id"], item, None))
    return tuple(found)


def _sorted(
    kind: AnyKind, row: Row, steps: Iterable[Step]
) -> tuple[tuple[Step, ...], tuple[Left, ...]]:
    """The steps that may be carried out, in their order, and those that wait for a request."""
    done, left = [], []
    for step in steps:
        why = kind.unasked(step, row)
        if why is None:
            done.append(step)
        else:
            left.append(Left(step, why))
    return tuple(sorted(done, key=lambda step: step.phase)), tuple(left)


def _how(row: Row, going: bool, *, drifted: bool) -> Found:
    if going:
        return Found.LEAVING
    if row["status"] != "ready":
        return Found.UNFINISHED
    return Found.DRIFTED if drifted else Found.WHOLE


def _settled(
    kind: AnyKind, row: Row, going: bool, steps: Iterable[Step], world: World
) -> RowChange | None:
    """What becomes of a row when this host has done its part, and the steps have taken effect."""
    if not kind.realised(row, world):
        return None
    powered = any(step.phase is Phase.POWER for step in steps)
    known = {**kind.learned(row, world), **(kind.powered(row) if powered else {})}
    after = None if going else {**row, **known, "status": "ready"}
    return RowChange(kind.spec, row["id"], row, after) if after != row else None


def _noted(kind: AnyKind, row: Row, error: PextraError, seen: object) -> RowChange | None:
    after = {**row, **kind.failed(row, error, seen)}
    return RowChange(kind.spec, row["id"], row, after) if after != row else None


def failed(kind: AnyKind, repair: Repair, error: PextraError, seen: object) -> Repair:
    """What is left of a repair that failed on the host: why."""
    change = _noted(kind, repair.row, error, seen)
    return dataclasses.replace(repair, steps=(), change=change, beside=(), error=error)


def ordered(
    kinds: Mapping[str, AnyKind], keys: Iterable[Key], world: World
) -> list[tuple[Key, ...]]:
    """The resources in the order in which they are seen to, each with what goes with it.

    What stays is made in the order of ranks. What goes follows, in reverse, with those of its
    parts that go too: an instance's row cannot go before those of its volumes.
    """
    made: list[Key] = []
    leaving: list[Key] = []
    for kind, id in keys:
        row = world.get(kind, id)
        if row is not None:
            (leaving if kinds[kind].going(row, world) else made).append((kind, id))
    made.sort(key=lambda key: kinds[key[0]].spec.host_rank)
    leaving.sort(key=lambda key: -kinds[key[0]].spec.host_rank)
    groups: list[tuple[Key, ...]] = [(key,) for key in made]
    taken = set[Key]()
    for key in leaving:
        if key not in taken:
            group = (key, *_parts(kinds, key, leaving, world, taken))
            taken.update(group)
            groups.append(group)
    return groups


def _parts(
    kinds: Mapping[str, AnyKind], key: Key, leaving: Sequence[Key], world: World, taken: set[Key]
) -> list[Key]:
    """What refers to a resource that goes: it goes later on the host, and earlier in the store."""
    spec = kinds[key[0]].spec
    found = []
    for kind, id in leaving:
        other = kinds[kind].spec
        if (kind, id) in taken or other.rank < spec.rank or other.host_rank >= spec.host_rank:
            continue
        if world.row(kind, id).get(f"{spec.name}_id") == key[1]:
            found.append((kind, id))
    return found
