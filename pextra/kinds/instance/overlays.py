# SPDX-License-Identifier: Apache-2.0
"""Writing back what other tools have put over an instance's volumes, or refusing to go on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pextra.engine.world import World
from pextra.host.hypervisor import overlays
from pextra.host.hypervisor.domain import ALIAS, Disk, Domain
from pextra.host.machine import Host
from pextra.kinds.instance.domain import DomainState
from pextra.kinds.instance.files import step_of
from pextra.kinds.volume.overlays import Overlay, found, refuse
from pextra.model import kinds
from pextra.model.errors import ConflictError
from pextra.model.plan import Step, Work
from pextra.model.request import Request, label

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow

ACTION = "commit"


@dataclass(frozen=True, slots=True)
class CommitWork(Work):
    """What a step needs: the overlay, and whether the instance runs on it."""

    overlay: Overlay
    running: bool


def committing(
    request: Request | None, row: InstanceRow, seen: DomainState, world: World
) -> Iterator[Step]:
    """The steps that write overlays back, if that is asked.

    Raises:
        ConflictError: There are some, and it is not asked, or cannot be done.
    """
    there = found([seen.live, seen.config], world)
    if not there:
        return
    resource, live = label("instance", row["name"]), found([seen.live], world)
    if request is None or not request.options.get("commit_overlays"):
        for item in there:
            _check_over(item, resource)
        refuse(there, row["name"], resource)
    for item in there:
        _check(item, resource, running=seen.live is not None, in_use=item in live)
        work = CommitWork(item, seen.live is not None)
        yield step_of(row, ACTION, {"path": item.path}, {"path": item.base}, work)


def _check(item: Overlay, resource: str, *, running: bool, in_use: bool) -> None:
    if running and not in_use:
        raise ConflictError(
            f'{item.path} takes the place of volume "{item.volume}" when it starts next',
            resource=resource,
            hint="Stop it first, or put the volume's path back with virsh edit",
        )
    if item.remote and not running:
        raise ConflictError(
            f"{item.path} is over a disk on the network, which only a running instance reads",
            resource=resource,
            hint="Start it first, with virsh start",
        )
    _check_over(item, resource)


def _check_over(item: Overlay, resource: str) -> None:
    """Refuse what is no overlay, such as a copy: nothing can be written back of it."""
    if not item.remote and not overlays.stands_on(item.path, item.format, item.base):
        raise ConflictError(
            f'{item.path} is in the place of volume "{item.volume}", and is no overlay of its'
            f" data at {item.base}",
            resource=resource,
            hint="Copy what is in it, and put the volume's path back with virsh edit",
        )


def touched(domain: Domain, world: World) -> Domain:
    """A running domain with those disks alone that the plan makes larger, or takes away."""

    def is_touched(disk: Disk) -> bool:
        id = (disk.alias or "").removeprefix(ALIAS)
        volume, before = world.get(kinds.VOLUME, id), world.before(kinds.VOLUME, id)
        return (
            volume is not None
            and before is not None
            and (volume["size"], volume["instance_id"]) != (before["size"], before["instance_id"])
        )

    return dataclasses.replace(domain, disks=tuple(filter(is_touched, domain.disks)))


def committed(domain: Domain, there: Sequence[Overlay]) -> Domain:
    """A domain as it is when what is over its volumes has been written back."""
    below = {item.path: item for item in there}
    disks = (
        dataclasses.replace(disk, path=item.base, format=item.base_format)
        if (item := below.get(disk.path or ""))
        else disk
        for disk in domain.disks
    )
    return dataclasses.replace(domain, disks=tuple(disks))


def execute(step: Step, host: Host) -> None:
    """Carry out one of these steps."""
    work = step.work_as(CommitWork)
    item, resource = work.overlay, label("instance", step.name)
    if work.running:
        overlays.commit_running(host.qemu, step.id, item.target, host.told, resource)
    else:
        overlays.commit_stopped(item.path, item.format, item.base)
