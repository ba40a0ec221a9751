# SPDX-License-Identifier: Apache-2.0
"""Carrying out the steps of an instance's snapshots, each of which looks first.

Where a pool can take a snapshot of a volume that is in use, a running instance is paused for that.
Otherwise it is stopped with its memory in a save image, and goes on from that afterwards: its guest
and its connections notice a pause.
"""

from __future__ import annotations

import os

from pextra.host.hypervisor import power, save_image
from pextra.host.machine import Host
from pextra.kinds.instance_snapshot.work import HELD, Part, SnapshotWork
from pextra.model.errors import HostError
from pextra.model.plan import Step
from pextra.model.request import label


def execute(step: Step, host: Host) -> None:
    """Carry out one step."""
    work = step.work_as(SnapshotWork)
    resource = label("instance_snapshot", step.name)
    if step.action == "snapshot":
        _take(work, host, resource)
    elif step.action == "revert":
        _revert(work, host, resource)
    else:
        _remove(work, host, resource)


def _take(work: SnapshotWork, host: Host, resource: str) -> None:
    row, driver, instance = work.row, host.qemu, work.row["instance_id"]
    state = power.state(driver, instance)
    if state != "stopped":
        if not _missing(work) and os.path.exists(work.file) >= row["memory"]:
            _settle(work, state, host, resource)
            return
        save_image.forget(work.file)  # of another moment
        if not row["memory"] and not must_stop(work):
            power.pause(driver, instance, resource)
            _snapshot(work)
            _settle(work, "paused", host, resource)
            return
        save_image.save(driver, instance, work.file, resource)
    elif row["state"] != "stopped" and not os.path.exists(work.file):
        raise HostError(
            "the instance was stopped before the snapshot was complete",
            resource=resource,
            hint="Remove the snapshot with state=absent, and take it again",
        )
    _snapshot(work)
    if row["state"] != "stopped":
        save_image.restore(driver, work.file, resource)
        if not row["memory"]:
            save_image.forget(work.file)


def _settle(work: SnapshotWork, state: str, host: Host, resource: str) -> None:
    """Let the instance go on that was only paused for this, and keep its memory only if wanted."""
    if state == "paused" and work.row["state"] == "running":
        power.resume(host.qemu, work.row["instance_id"], resource)
    if not work.row["memory"]:
        save_image.forget(work.file)


def must_stop(work: SnapshotWork) -> bool:
    """Whether there is a volume that lets nothing be done while an instance has it open."""
    return any(part.type.no_snapshots(part.pool, part.volume, True) for part in work.parts)


def _missing(work: SnapshotWork) -> list[Part]:
    id = work.row["id"]
    return [part for part in work.parts if id not in part.type.snapshots(part.pool, part.volume)]


def _snapshot(work: SnapshotWork) -> None:
    """Take all of them anew: what is there may be of another moment."""
    for part in work.parts:
        part.type.snapshot_remove(part.pool, part.volume, work.row["id"])
    for part in work.parts:
        part.type.snapshot_create(part.pool, part.volume, work.row["id"])


def _remove(work: SnapshotWork, host: Host, resource: str) -> None:
    """Remove it; where an instance is in the way, that is held still meanwhile."""
    driver, instance, held = host.qemu, work.row["instance_id"], work.file + HELD
    if power.state(driver, instance) != "stopped":
        save_image.forget(held)  # an interrupted run's; it was started since
        if must_stop(work):
            save_image.save(driver, instance, held, resource)
    for part in work.parts:
        part.type.snapshot_remove(part.pool, part.volume, work.row["id"])
    save_image.forget(work.file)
    if os.path.exists(held):
        save_image.restore(driver, held, resource)
        save_image.forget(held)


def _revert(work: SnapshotWork, host: Host, resource: str) -> None:
    row, driver = work.row, host.qemu
    power.kill(driver, row["instance_id"], resource)
    for part in work.parts:
        part.type.snapshot_revert(part.pool, part.volume, row["id"])
        found = part.type.look(part.pool, [part.volume]).get(part.volume.key)
        if found is not None and found.size < part.size:
            part.type.grow(part.pool, part.volume, part.size)
    if row["memory"]:
        save_image.restore(driver, work.file, resource)
