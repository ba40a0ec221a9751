# SPDX-License-Identifier: Apache-2.0
"""Snapshots of an instance: all its volumes at one moment, with its memory if that is wanted."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.host.hypervisor import power
from pextra.host.machine import Host
from pextra.host.pools.backend import SnapshotState
from pextra.host.pools.types import backend, pool_of, volume_of
from pextra.kinds.common import check_here, resolve_node
from pextra.kinds.instance_snapshot.fields import COMPUTED, FIELDS
from pextra.kinds.instance_snapshot.work import HELD, Part, SnapshotWork
from pextra.kinds.volume import overlays, saved
from pextra.model import ids, kinds
from pextra.model.errors import (
    ConflictError,
    InputError,
    MissingError,
    NotFoundError,
    UnsupportedError,
)
from pextra.model.fields import Row
from pextra.model.plan import Phase, Shown, Step
from pextra.model.request import Request
from pextra.model.spec import KindSpec
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow, InstanceSnapshotRow, VolumeRow


@dataclass(frozen=True, slots=True)
class Seen:
    """What is there of a snapshot.

    Attributes:
        state: How the instance runs.
        taken: What each volume that has its own has, by the volume's id.
        saved: There is its save image.
        held: There is one that only keeps an instance from being disturbed.
    """

    state: str
    taken: Mapping[str, SnapshotState]
    saved: bool
    held: bool


class InstanceSnapshot(Kind["InstanceSnapshotRow", Seen]):
    """A snapshot of an instance."""

    spec = KindSpec(
        name=kinds.INSTANCE_SNAPSHOT,
        table="instance_snapshots",
        prefix="isnap",
        small=True,
        on_node=True,
        fields=FIELDS,
        computed=COMPUTED,
        states=("present", "reverted", "absent"),
        scope=("instance_id",),
        moments=("creation", "reverted"),
        rank=96,
        host_rank=50,
        on_host=True,
    )

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The instance, in the cluster of this node."""
        if "instance" not in request.values:
            return {}
        node = resolve_node(None, world, request.label)
        scope = {"cluster_id": node["cluster_id"]}
        return {
            "instance_id": world.require(kinds.INSTANCE, request.values["instance"], scope)["id"]
        }

    def draft(
        self,
        request: Request,
        current: InstanceSnapshotRow | None,
        row: InstanceSnapshotRow,
        world: World,
    ) -> None:
        """A new one is of the volumes that are attached now.

        Raises:
            NotFoundError: One to go back to does not exist.
            ConflictError: Another tool has put files over the volumes.
        """
        if current is None:
            if request.state == "reverted":
                raise NotFoundError("does not exist", resource=request.label)
            if not row["instance_id"]:
                return  # the engine says what is missing
            self._draft_new(request, row, world)
        check_here(row, world, request.label)
        if current is None or current["status"] != "ready" or request.state == "reverted":
            instance = world.row(kinds.INSTANCE, row["instance_id"])
            overlays.refuse_any(instance, world, request.label)
            if request.state == "reverted":
                saved.refuse_any(instance, world, request.label)
        if request.state == "reverted":
            row.update({"reverting": True, "reverted": dt.datetime.now(dt.UTC)})
            self._check_attached(row, world, request.label)

    def _draft_new(self, request: Request, row: InstanceSnapshotRow, world: World) -> None:
        instance = world.row(kinds.INSTANCE, row["instance_id"])
        row.update({"node_id": instance["node_id"], "reverting": False, "reverted": None})
        check_here(row, world, request.label)
        if instance["type"] != "qemu":
            raise UnsupportedError("a container has no snapshots", resource=request.label)
        attached = world.by(kinds.VOLUME, "instance_id", instance["id"])
        attached.sort(key=lambda item: str(item["device_path"]))
        row["volumes"] = [
            {"id": item["id"], "name": item["name"], "size": item["size"]} for item in attached
        ]
        for part, volume in zip(_parts(row, world), attached, strict=True):
            refusal = part.type.no_snapshots(part.pool, part.volume, False)
            if refusal:
                raise UnsupportedError(
                    f'volume "{volume["name"]}": {refusal}', resource=request.label
                )
        row["state"] = power.state(world.host.qemu, instance["id"])
        if row["memory"] and row["state"] == "stopped":
            raise InputError(
                "memory can be kept only of an instance that runs",
                resource=request.label,
                hint="Start it first, or leave memory out",
            )

    def _check_attached(self, row: InstanceSnapshotRow, world: World, resource: str) -> None:
        for item in row["volumes"]:
            volume = world.get(kinds.VOLUME, item["id"])
            if volume is None or volume["instance_id"] != row["instance_id"]:
                raise ConflictError(
                    f'its volume "{item["name"]}" is no longer attached to the instance',
                    resource=resource,
                    hint="Attach it again first",
                )

    def retire(self, request: Request, current: InstanceSnapshotRow, world: World) -> None:
        """One of another node stays."""
        check_here(current, world, request.label)

    def learned(self, row: InstanceSnapshotRow, world: World) -> Row:
        """It has gone back, if it was to."""
        return {"reverting": False}

    def observe(
        self, rows: Sequence[InstanceSnapshotRow], host: Host, world: World
    ) -> Mapping[str, Seen]:
        """What is there of these snapshots: two listings, and a look a volume."""
        here = [row for row in rows if row["node_id"] == world.here]
        active = host.qemu.active() if here else frozenset()
        paused = host.qemu.paused() if active else frozenset()
        found = {}
        for row in here:
            uuid = ids.uuid_of(row["instance_id"])
            there = {
                part.volume.key: part.type.snapshots(part.pool, part.volume)
                for part in _parts(row, world)
                if part.type.look(part.pool, [part.volume])
            }
            taken = {key: own[row["id"]] for key, own in there.items() if row["id"] in own}
            state = "paused" if uuid in paused else "running" if uuid in active else "stopped"
            file = _file(row, host)
            kept, held = os.path.exists(file), os.path.exists(file + HELD)
            found[row["id"]] = Seen(state, taken, kept, held)
        return found

    def converge(
        self,
        request: Request | None,
        row: InstanceSnapshotRow | None,
        gone: InstanceSnapshotRow | None,
        seen: Seen | None,
        world: World,
    ) -> Iterable[Step]:
        """Take, go back to, or remove.

        Raises:
            ConflictError: Its data is missing, or the instance must be stopped first.
        """
        current = row or gone
        if current is None or seen is None:
            return
        work = SnapshotWork(current, tuple(_parts(current, world)), _file(current, world.host))
        names = [item["name"] for item in current["volumes"]]
        resource = f'instance_snapshot "{current["name"]}"'
        if gone is not None:
            if seen.taken or seen.saved or seen.held:
                yield _step(current, "delete", {"volumes": names}, None, work)
            return
        if current["status"] == "pending":
            if not _whole(current, seen, len(work.parts)):
                after: Document = {"volumes": names, "memory": current["memory"]}
                yield _step(current, "snapshot", None, after, work)
            return
        if len(seen.taken) < len(work.parts) or (current["memory"] and not seen.saved):
            raise MissingError(
                "its data is missing", resource=resource, hint="Remove it with state=absent"
            )
        if current["reverting"] and current["status"] == "updating":
            if seen.state != "stopped" and not current["memory"]:
                raise ConflictError(
                    "the instance runs, and the snapshot has no memory to go on with",
                    resource=resource,
                    hint="Stop the instance first",
                )
            for own in seen.taken.values():
                own.check(resource)
            before = {"content": "(current)", "power": seen.state}
            after = {"content": "(of the snapshot)", "power": _power_after(current)}
            yield _step(current, "revert", before, after, work)

    def unasked(self, step: Step, row: InstanceSnapshotRow) -> str | None:
        """The moment to take one, or to go back to one, is the user's to choose."""
        if step.action in ("snapshot", "revert"):
            return "it was interrupted, and the moment for it is yours to choose: run it again"
        return super().unasked(step, row)

    def execute(self, step: Step, host: Host) -> None:
        """Carry out a step."""
        from pextra.kinds.instance_snapshot import actions as instance_snapshot_actions

        instance_snapshot_actions.execute(step, host)


def _power_after(row: InstanceSnapshotRow) -> str:
    return str(row["state"]) if row["memory"] else "stopped"


def _whole(row: InstanceSnapshotRow, seen: Seen, parts: int) -> bool:
    """Whether an interrupted run had only not said yet that it was done."""
    return (
        len(seen.taken) == parts
        and seen.saved == row["memory"]
        and (row["state"] == "stopped" or seen.state == row["state"])
    )


def _file(row: InstanceSnapshotRow, host: Host) -> str:
    """The save image of the instance."""
    return f"{host.state_dir}/snapshots/{row['id']}.memory"


def _parts(row: InstanceSnapshotRow, world: World) -> Iterable[Part]:
    """The volumes of a snapshot that still exist."""
    for item in row["volumes"]:
        volume = world.get(kinds.VOLUME, item["id"])
        if volume is not None:
            pool = world.row(kinds.STORAGE_POOL, volume["storage_pool_id"])
            where = pool_of(pool, world.host)
            yield Part(backend(pool["type"]), where, volume_of(volume), volume["size"])


def _step(
    row: InstanceSnapshotRow,
    action: str,
    before: Shown,
    after: Shown,
    work: SnapshotWork,
) -> Step:
    return Step(
        kinds.INSTANCE_SNAPSHOT, row["id"], row["name"], action, Phase.HOST, before, after,
        work=work,
    )  # fmt: skip


def refuse_snapshots(world: World, volume: VolumeRow, resource: str) -> None:
    """Refuse to destroy a volume that a snapshot of an instance has a part in.

    Raises:
        ConflictError: There is one.
    """
    held = [
        str(item["name"])
        for item in world.by(kinds.INSTANCE_SNAPSHOT, "node_id", volume["node_id"])
        if item["status"] != "deleting"
        and any(part["id"] == volume["id"] for part in item["volumes"])
    ]
    if held:
        raise ConflictError(
            f"it is part of {len(held)} snapshots of an instance: {', '.join(sorted(held)[:5])}",
            resource=resource,
            hint="Remove those first",
        )


def refuse_half_reverted(world: World, instance: InstanceRow, resource: str) -> None:
    """Refuse to start an instance of whose volumes not all have gone back.

    Raises:
        ConflictError: There is a snapshot that it was going back to.
    """
    for item in world.by(kinds.INSTANCE_SNAPSHOT, "instance_id", instance["id"]):
        if item["reverting"] and item["status"] == "updating":
            raise ConflictError(
                f'going back to snapshot "{item["name"]}" was interrupted',
                resource=resource,
                hint="Run it again: pextra.ce.instance_snapshot with state=reverted",
            )
