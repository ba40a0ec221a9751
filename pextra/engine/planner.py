# SPDX-License-Identifier: Apache-2.0
"""From requests and what exists to a plan. Nothing here can write."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pextra.engine import encryption, review
from pextra.engine.kind import AnyKind
from pextra.engine.store_steps import hidden, store_step
from pextra.engine.world import World, several
from pextra.host.machine import Host
from pextra.model import ids
from pextra.model.errors import (
    AggregateError,
    ConflictError,
    InputError,
    NotFoundError,
    PextraError,
)
from pextra.model.fields import Change, Row
from pextra.model.names import Key
from pextra.model.plan import Phase, Plan, Step
from pextra.model.request import Request, label
from pextra.model.spec import KindSpec


@dataclass(frozen=True, slots=True)
class Target:
    """What a request came to: the resource it is about, if there is one."""

    request: Request
    id: str | None


@dataclass(frozen=True, slots=True)
class Drafted:
    """A plan together with what it was made from.

    Attributes:
        plan: The steps.
        world: The rows with the planned changes applied.
        targets: One entry a request, in the order of the requests.
        hosted: Rows (kind, id) whose realisation on this host was looked at.
    """

    plan: Plan
    world: World
    targets: tuple[Target, ...]
    hosted: tuple[Key, ...]


class Planner:
    """Makes plans for a fixed set of kinds."""

    def __init__(self, kinds: Mapping[str, AnyKind], now: dt.datetime) -> None:
        self._kinds = kinds
        self._now = now

    def plan(
        self, requests: Sequence[Request], world: World, host: Host, purge: Sequence[str] = ()
    ) -> Drafted:
        """The plan that makes the requests true, and removes what they leave out of ``purge``.

        Raises:
            AggregateError: One or more requests are unacceptable; all of them are listed.
        """
        for request in requests:
            for kind, name in self._kinds[request.kind].names(request):
                world.announce(kind, (name,))
        errors: list[PextraError] = []
        located: dict[int, str | None] = {}
        asked: dict[Key, Request] = {}
        named: dict[Key, Request] = {}
        listed: dict[Key, int] = {}
        ordered = sorted(requests, key=self._order)
        staying = [item for item in ordered if item.state != "absent"]
        spare: list[Request] = []
        for request in itertools.chain(
            staying,
            _unnamed(spare, named),
            ordered[len(staying) :],
            self._left_out(purge, named, world),
        ):
            try:
                for index, part in enumerate(self._kinds[request.kind].expand(request, world)):
                    if part.left_out and index > 0 and self._kinds[part.kind].spec.owned_by is None:
                        # Unless something else in the manifest names it.
                        spare.append(dataclasses.replace(part, position=-1))
                        continue
                    id = self._draft(part, world)
                    if index == 0 and not part.left_out:
                        located[request.position] = id
                        _check_once(part, id, listed)
                    if id is not None:
                        asked[part.kind, id] = _beside(asked.get((part.kind, id)), part)
                        if not part.left_out:
                            named[part.kind, id] = part
            except AggregateError as error:
                errors += error.errors
            except PextraError as error:
                errors.append(error)
        errors += () if errors else review.problems(self._kinds, asked, world)
        if errors:
            raise AggregateError(errors)
        hosted, steps = self._host_steps(asked, world, host)
        if not steps and not any(world.changes()):
            self._finish_interrupted(hosted, world)
        plan = Plan((*self._store_steps(world), *steps))
        targets = tuple(Target(item, located.get(item.position)) for item in requests)
        return Drafted(plan, world, targets, hosted)

    def _left_out(
        self, purge: Sequence[str], named: Mapping[Key, Request], world: World
    ) -> Iterator[Request]:
        """Requests that remove what no request names.

        What is on nodes goes from this one alone; other things, beside what is named.
        """
        specs = [self._kinds[name].spec for name in purge]
        for spec in sorted(specs, key=lambda spec: self._order(Request(spec.name, "absent", {}))):
            for row in self._purged(spec, named, world):
                if (spec.name, row["id"]) not in named:
                    values = {"id": row["id"], spec.key: row[spec.key]}
                    yield Request(spec.name, "absent", values, {}, -1, left_out=True)

    def _purged(self, spec: KindSpec, named: Mapping[Key, Request], world: World) -> list[Row]:
        """The rows that a purge of a kind looks at: this node's, or those beside what is named."""
        if spec.on_node:
            return world.by(spec.name, "node_id", world.here) if world.here else []
        some = [row for kind, id in named if kind == spec.name and (row := world.get(kind, id))]
        scopes = {tuple(row[column] for column in spec.scope) for row in some}
        beside: dict[str, Row] = {}
        for scope in scopes:
            where = dict(zip(spec.scope, scope, strict=True))
            beside |= {row["id"]: row for row in world.some(spec.name, where, None)}
        return list(beside.values())

    def _order(self, request: Request) -> tuple[bool, int, int]:
        rank = self._kinds[request.kind].rank(request)
        gone = request.state == "absent"
        return gone, -rank if gone else rank, request.position

    def _draft(self, request: Request, world: World) -> str | None:
        kind = self._kinds[request.kind]
        try:
            resolved = kind.resolve(request, world)
        except NotFoundError:
            if request.state == "absent":
                return None
            raise
        current = self._locate(kind.spec, request, resolved, world)
        if current is not None:
            world.subject(kind.spec.name, current["id"])
        if request.state == "absent":
            if current is not None:
                self._retire(kind, request, current, world)
            return current["id"] if current else None
        row = self._row(kind.spec, request, resolved, current)
        encryption.keep_same(kind.spec, current, row, world.host)
        if current is not None and current.get("status") == "deleting":
            row["status"] = "updating"
            kind.take_back(request, row, world)
        kind.draft(request, current, row, world)
        encryption.keep_same(kind.spec, current, row, world.host)
        self._check_required(kind.spec, request, row)
        if current is not None and kind.spec.on_host and _differs(current, row):
            row["status"] = "pending" if current["status"] == "pending" else "updating"
        world.put(kind.spec.name, row)
        return str(row["id"])

    def _locate(
        self, spec: KindSpec, request: Request, resolved: Mapping[str, Any], world: World
    ) -> Row | None:
        id, name = request.values.get("id"), request.values.get(spec.key, resolved.get(spec.key))
        if id is not None:
            row = world.get(spec.name, id)
            if row is None and request.state != "absent":
                raise NotFoundError("does not exist", resource=label(spec.name, id))
            return row
        if name is None:
            raise InputError(f"{spec.key} or id is missing", resource=spec.name)
        scope = {column: resolved[column] for column in spec.scope if column in resolved}
        return world.find(spec.name, name, scope)

    def _row(
        self, spec: KindSpec, request: Request, resolved: Mapping[str, Any], current: Row | None
    ) -> dict[str, Any]:
        if current is None:
            row: dict[str, Any] = {item.column: item.default for item in spec.stored}
            row |= resolved
            row["id"] = ids.new_id(spec.prefix)
            row["creation"] = self._now
            if spec.on_host:
                row["status"] = "pending"
        else:
            row = dict(current)
        for item in spec.stored:
            column = item.column
            if item.ref:
                if column not in resolved:
                    continue
                value = resolved[column]
            elif item.name in request.values:
                value = request.values[item.name]
            else:
                continue
            if item.type == "dict" and isinstance(value, dict) and isinstance(row[column], dict):
                value = {**row[column], **value}
            if current is not None and item.change is Change.IMMUTABLE and value != row[column]:
                raise ConflictError(
                    f"{item.name} cannot change from {current[column]!r} to {value!r}",
                    resource=request.label,
                    hint="Create another one, or leave the option out",
                )
            row[column] = value
        return row

    def _check_required(self, spec: KindSpec, request: Request, row: Row) -> None:
        missing = [item.name for item in spec.stored if item.required and row[item.column] is None]
        if missing:
            raise InputError(
                f"{', '.join(missing)} must be given to create it",
                resource=request.label,
            )

    def _retire(self, kind: AnyKind, request: Request, current: Row, world: World) -> None:
        kind.retire(request, current, world)
        for other in self._kinds.values():
            column = f"{kind.spec.name}_id"
            if other.spec.owned_by == kind.spec.name:
                continue
            if any(item.column == column for item in other.spec.stored):
                held = world.staying(other.spec.name, {column: current["id"]})
                if held:
                    count = several(held)
                    spec, held = self._owners(other.spec, held, world)
                    count = count if spec is other.spec else several(held)
                    names = ", ".join(str(row[spec.key]) for row in held[:5])
                    raise ConflictError(
                        f"it still holds {count} of kind {spec.name}: {names}",
                        resource=label(kind.spec.name, current[kind.spec.key]),
                        hint="Remove those first",
                    )
        if kind.spec.on_host:
            world.retire(kind.spec.name, current["id"])
        else:
            world.drop(kind.spec.name, current["id"])

    def _owners(
        self, spec: KindSpec, rows: Sequence[Row], world: World
    ) -> tuple[KindSpec, list[Row]]:
        """These rows, or what they are parts of: what a user can remove."""
        if spec.owned_by is None:
            return spec, list(rows)
        owners = {row[f"{spec.owned_by}_id"]: None for row in rows}
        found = [row for id in owners if (row := world.get(spec.owned_by, id)) is not None]
        return self._kinds[spec.owned_by].spec, found

    def _finish_interrupted(self, hosted: Iterable[Key], world: World) -> None:
        """What a run that was killed had claimed, and is in place on the host, becomes ready.

        What it had cleared from the host goes.
        """
        for name, id in hosted:
            row, kind = world.get(name, id), self._kinds[name]
            if row is None or not kind.realised(row, world):
                continue
            if row["status"] == "deleting":
                world.drop(name, id)
            else:
                known = kind.learned(row, world)
                unfinished = {key: known[key] for key in kind.spec.unfinished if key in known}
                if row["status"] in ("pending", "updating"):
                    world.put(name, {**row, **known, "status": "ready"})
                elif unfinished:
                    world.put(name, {**row, **unfinished})

    def _store_steps(self, world: World) -> Iterable[Step]:
        created = world.created_ids()
        for change in world.changes():
            row = change.after or change.before or {}
            yield store_step(change, created, self._kinds[change.spec.name].called(row, world))

    def _host_steps(
        self, asked: Mapping[Key, Request], world: World, host: Host
    ) -> tuple[tuple[Key, ...], list[Step]]:
        hosted: dict[Key, Request | None] = {
            key: request
            for key, request in asked.items()
            if self._kinds[key[0]].spec.on_host and world.get(*key)
        }
        hosted |= {key: None for key in world.retired if key not in hosted}
        for change in list(world.changes()):
            kind = self._kinds[change.spec.name]
            if change.spec.on_host and change.after is not None:
                hosted.setdefault((change.spec.name, change.id), None)
            for key in kind.touched(change.before, change.after, world):
                if world.get(*key):
                    hosted.setdefault(key, None)
        created = world.created_ids()
        steps = [
            dataclasses.replace(
                step,
                before=step.before and hidden(step.before, created),
                after=step.after and hidden(step.after, created),
            )
            for step in converge(self._kinds, hosted, world, host)
        ]
        return tuple(hosted), steps


def converge(
    kinds: Mapping[str, AnyKind],
    hosted: Mapping[Key, Request | None],
    world: World,
    host: Host,
) -> Iterable[Step]:
    """The host steps that these resources need: made in rank order, cleared in reverse.

    Raises:
        AggregateError: What is on the host stands in the way; all of it is listed.
    """
    made: list[Step] = []
    cleared: list[list[Step]] = []
    errors: list[PextraError] = []
    for kind in sorted(kinds.values(), key=lambda kind: kind.spec.host_rank):
        name = kind.spec.name
        rows = [row for key in hosted if key[0] == name and (row := world.get(*key))]
        if not rows:
            continue
        seen = kind.observe(rows, host, world)
        own: list[Step] = []
        for row in rows:
            gone = row if row.get("status") == "deleting" else None
            try:
                steps = list(
                    kind.converge(
                        hosted[name, row["id"]],
                        None if gone else row,
                        gone,
                        seen.get(row["id"]),
                        world,
                    )
                )
            except PextraError as error:
                errors.append(error)
                continue
            if gone:
                cleared.append(steps)
            else:
                own += steps
        made += sorted(own, key=kind.turn)
    if errors:
        raise AggregateError(errors)
    powered = [step for step in made if step.phase is Phase.POWER]
    return [
        *(step for step in made if step.phase is Phase.HOST),
        *(step for steps in reversed(cleared) for step in steps),
        *powered,
    ]


def _beside(first: Request | None, second: Request) -> Request:
    """The later one of two requests for a resource, by itself and as a part, and what both allow.

    What steers the run is said where it is at hand: of a volume, also outside of its instance.
    """
    if first is None:
        return second
    given = {name: value for name, value in second.options.items() if value}
    return dataclasses.replace(second, options={**first.options, **given})


def _unnamed(requests: Sequence[Request], named: Mapping[Key, Request]) -> Iterator[Request]:
    """Requests for what no other one names, as far as they are known by then."""
    return (item for item in requests if (item.kind, item.values["id"]) not in named)


def _check_once(request: Request, id: str | None, listed: dict[Key, int]) -> None:
    if id is None:
        return
    first = listed.setdefault((request.kind, id), request.position)
    if first != request.position:
        raise InputError(
            f"it is listed twice: resources[{first}] and [{request.position}]",
            resource=request.label,
        )


def _differs(current: Row, row: Row) -> bool:
    return current != row and any(row[key] != current.get(key) for key in row)
