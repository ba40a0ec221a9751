# SPDX-License-Identifier: Apache-2.0
"""Snapshots of a volume: what was in it at a moment, to go back to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.host.lock import host_lock
from pextra.host.machine import Host
from pextra.host.pools.backend import SnapshotState
from pextra.host.pools.types import backend, pool_of, volume_of
from pextra.kinds.common import check_here, resolve_node
from pextra.kinds.volume import overlays, saved
from pextra.kinds.volume.work import VolumeWork
from pextra.kinds.volume_snapshot.fields import COMPUTED, FIELDS
from pextra.model import ids, kinds
from pextra.model.errors import ConflictError, MissingError, NotFoundError
from pextra.model.plan import Phase, Shown, Step
from pextra.model.request import Request
from pextra.model.spec import KindSpec

if TYPE_CHECKING:
    from pextra.model.rows import VolumeRow, VolumeSnapshotRow


@dataclass(frozen=True, slots=True)
class Seen:
    """A snapshot on this host, if there is one, and whether an instance uses its volume."""

    state: SnapshotState | None
    running: bool


class VolumeSnapshot(Kind["VolumeSnapshotRow", Seen]):
    """A snapshot of a volume."""

    spec = KindSpec(
        name=kinds.VOLUME_SNAPSHOT,
        table="volume_snapshots",
        prefix="snap",
        on_node=True,
        fields=FIELDS,
        computed=COMPUTED,
        states=("present", "reverted", "absent"),
        scope=("volume_id",),
        rank=95,
        host_rank=35,
        on_host=True,
    )

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The volume, in the pool ``local`` unless another one is named, on this node."""
        values = request.values
        if "volume" not in values:
            return {}
        node = resolve_node(None, world, request.label)
        scope = {"cluster_id": node["cluster_id"]}
        found = world.get(kinds.VOLUME, values["volume"])
        if found is None:
            pool = world.require(kinds.STORAGE_POOL, values.get("storage_pool") or "local", scope)
            place = {"storage_pool_id": pool["id"], "node_id": node["id"]}
            found = world.require(kinds.VOLUME, values["volume"], place)
        return {"volume_id": found["id"]}

    def draft(
        self,
        request: Request,
        current: VolumeSnapshotRow | None,
        row: VolumeSnapshotRow,
        world: World,
    ) -> None:
        """A new one is of the volume as it is.

        Raises:
            NotFoundError: One to go back to does not exist.
            ConflictError: Another tool has put a file over the volume.
        """
        if current is None:
            if request.state == "reverted":
                raise NotFoundError("does not exist", resource=request.label)
            if not row["volume_id"]:
                return  # the engine says what is missing
            volume = world.row(kinds.VOLUME, row["volume_id"])
            row.update({"node_id": volume["node_id"], "size": volume["size"]})
        check_here(row, world, request.label)
        if current is None or current["status"] != "ready" or request.state == "reverted":
            volume = world.row(kinds.VOLUME, row["volume_id"])
            instance = world.get(kinds.INSTANCE, volume["instance_id"])
            if instance is not None:
                overlays.refuse_any(instance, world, request.label)
                if request.state == "reverted":
                    saved.refuse_any(instance, world, request.label)

    def retire(self, request: Request, current: VolumeSnapshotRow, world: World) -> None:
        """One of another node stays."""
        check_here(current, world, request.label)

    def observe(
        self, rows: Sequence[VolumeSnapshotRow], host: Host, world: World
    ) -> Mapping[str, Seen]:
        """The snapshots: one look a volume; and the running domains, one call."""
        volumes: dict[str, list[VolumeSnapshotRow]] = {}
        for row in rows:
            if row["node_id"] == world.here:
                volumes.setdefault(row["volume_id"], []).append(row)
        found, active = {}, None
        for id, members in volumes.items():
            volume = world.row(kinds.VOLUME, id)
            pool = world.row(kinds.STORAGE_POOL, volume["storage_pool_id"])
            instance = world.get(kinds.INSTANCE, volume["instance_id"])
            if instance is not None and active is None:
                active = host.qemu.active()
            running = instance is not None and ids.uuid_of(instance["id"]) in (active or ())
            there = backend(pool["type"]).snapshots(pool_of(pool, host), volume_of(volume))
            for row in members:
                found[row["id"]] = Seen(there.get(row["id"]), running)
        return found

    def converge(
        self,
        request: Request | None,
        row: VolumeSnapshotRow | None,
        gone: VolumeSnapshotRow | None,
        seen: Seen | None,
        world: World,
    ) -> Iterable[Step]:
        """Create, go back to, or remove.

        Raises:
            ConflictError: The volume cannot have one, an instance uses it, or the data is missing.
        """
        current = row or gone
        if current is None or seen is None:
            return
        volume = world.row(kinds.VOLUME, current["volume_id"])
        pool = world.row(kinds.STORAGE_POOL, volume["storage_pool_id"])
        type, where = backend(pool["type"]), pool_of(pool, world.host)
        resource = f'volume_snapshot "{current["name"]}"'
        refusal = type.no_snapshots(where, volume_of(volume), seen.running)
        if (gone is None) == (seen.state is None) and refusal:
            raise ConflictError(refusal, resource=resource)
        work = VolumeWork(type, where, volume)
        if gone is not None:
            if seen.state is not None:
                yield _step(gone, "delete", {"size": gone["size"]}, None, Phase.HOST, work)
            return
        if seen.state is None:
            if current["status"] != "pending":
                raise MissingError(
                    "its data is missing", resource=resource, hint="Remove it with state=absent"
                )
            after = {"size": current["size"]}
            yield _step(current, "snapshot", None, after, Phase.HOST, work)
        if request is not None and request.state == "reverted":
            if seen.running:
                raise ConflictError(
                    f'an instance that runs uses volume "{volume["name"]}"',
                    resource=resource,
                    hint="Stop it first",
                )
            if seen.state is not None:
                seen.state.check(resource)
            yield _step(
                current, "revert", {"content": "(current)"}, {"content": "(of the snapshot)"},
                Phase.POWER, work,
            )  # fmt: skip

    def unasked(self, step: Step, row: VolumeSnapshotRow) -> str | None:
        """The moment to take one, or to go back to one, is the user's to choose."""
        if step.action in ("snapshot", "revert"):
            return "it was interrupted, and the moment for it is yours to choose: run it again"
        return super().unasked(step, row)

    def execute(self, step: Step, host: Host) -> None:
        """Carry out a step with the pool's type; after going back, the size is what it was."""
        work = step.work_as(VolumeWork)
        type, pool, row = work.type, work.pool, work.row
        volume = volume_of(row)
        if step.action == "snapshot":
            type.snapshot_create(pool, volume, step.id)
        elif step.action == "delete":
            type.snapshot_remove(pool, volume, step.id)
        else:
            with host_lock():
                type.snapshot_revert(pool, volume, step.id)
                found = type.look(pool, [volume]).get(row["id"])
                if found is not None and found.size < row["size"]:
                    type.grow(pool, volume, row["size"])


def _step(
    row: VolumeSnapshotRow,
    action: str,
    before: Shown,
    after: Shown,
    phase: Phase,
    work: VolumeWork,
) -> Step:
    return Step(
        kinds.VOLUME_SNAPSHOT, row["id"], row["name"], action, phase, before, after, work=work
    )


def refuse_snapshots(world: World, volume: VolumeRow, resource: str) -> None:
    """Refuse to destroy a volume that has snapshots.

    Raises:
        ConflictError: It has some.
    """
    held = [
        item
        for item in world.by(kinds.VOLUME_SNAPSHOT, "volume_id", volume["id"])
        if item["status"] != "deleting"
    ]
    if held:
        names = ", ".join(sorted(str(item["name"]) for item in held)[:5])
        raise ConflictError(
            f'its volume "{volume["name"]}" has {len(held)} snapshots: {names}',
            resource=resource,
            hint="Remove those first",
        )
