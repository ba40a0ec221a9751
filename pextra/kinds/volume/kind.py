# SPDX-License-Identifier: Apache-2.0
"""Volumes: virtual disks in a storage pool of a node, attached to at most one instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.host.hypervisor import image_locks, images
from pextra.host.machine import Host
from pextra.host.pools.backend import Pool, PoolBackend, VolumeState, VolumeWanted
from pextra.host.pools.types import backend, pool_of, volume_of
from pextra.kinds.common import (
    check_here,
    resolve_node,
)
from pextra.kinds.instance_snapshot import kind as instance_snapshot
from pextra.kinds.storage_pool.kind import pool_on_node
from pextra.kinds.volume import contents, luns
from pextra.kinds.volume.fields import COMPUTED, FIELDS, STEERING, parse_volume_size
from pextra.kinds.volume.place import ATTACHED, detached, paths_of_drives, place, taking_back
from pextra.kinds.volume.work import VolumeWork
from pextra.model import kinds, units
from pextra.model.errors import ConflictError, InputError
from pextra.model.names import Key
from pextra.model.plan import Phase, Shown, Step
from pextra.model.request import Request
from pextra.model.spec import KindSpec
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.model.rows import StoragePoolRow, VolumeRow


class Volume(Kind["VolumeRow", VolumeState]):
    """A virtual disk."""

    spec = KindSpec(
        name=kinds.VOLUME,
        table="volumes",
        prefix="vol",
        small=True,
        on_node=True,
        fields=FIELDS,
        computed=COMPUTED,
        options=STEERING,
        states=("present", "attached", "detached", "absent"),
        scope=("storage_pool_id", "node_id"),
        unique_together=(
            ("instance_id", "device_path"),
            ("instance_id", "device_name"),
            ("storage_pool_id", "lun"),
        ),
        rank=90,
        host_rank=30,
        on_host=True,
    )

    def rank(self, request: Request) -> int:
        """Made before instances and gone after them; attached and detached after they are made."""
        return 90 if request.state in ("attached", "detached") else 70

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """Node, pool (``local`` unless named) and instance, each within the node's cluster."""
        values, found = request.values, dict[str, str | None]()
        if "id" not in values or "node" in values:
            found["node_id"] = resolve_node(values.get("node"), world, request.label)["id"]
        node = world.get(kinds.NODE, found.get("node_id"))
        scope = {"cluster_id": node["cluster_id"]} if node else None
        if "id" not in values or "storage_pool" in values:
            pool = world.require(kinds.STORAGE_POOL, values.get("storage_pool") or "local", scope)
            found["storage_pool_id"] = pool["id"]
        if values.get("instance"):
            found["instance_id"] = world.require(kinds.INSTANCE, values["instance"], scope)["id"]
        return found

    def draft(
        self, request: Request, current: VolumeRow | None, row: VolumeRow, world: World
    ) -> None:
        """Work out size and attachment."""
        resource = request.label
        check_here(row, world, resource)
        pool = world.row(kinds.STORAGE_POOL, row["storage_pool_id"])
        if current is None:
            pool_on_node(pool, row["node_id"], world, resource)
            row["is_root"] = False
            self._draft_place(request, row, pool, world)
        self._draft_size(request, current, row)
        attachment = {"instance", *ATTACHED} & set(request.values)
        if request.state == "present" and attachment:
            raise InputError(
                f"{', '.join(sorted(attachment))} needs state attached", resource=resource
            )
        if request.state == "detached":
            self._detach(current, row, resource)
        elif request.state == "attached":
            self._attach(request, current, row, world)
        if not request.options.get("hot_plug", True):
            for item in (current, row):
                if item is not None and item["instance_id"]:
                    world.defer(kinds.INSTANCE, item["instance_id"])

    def _draft_place(
        self, request: Request, row: VolumeRow, pool: StoragePoolRow, world: World
    ) -> None:
        """Format and LUN of a new volume, as its pool's type has them."""
        formats = backend(pool["type"]).formats
        if "format" not in request.values:
            row["format"] = formats[0]
        if row["format"] not in formats:
            raise InputError(
                f"format {row['format']} does not exist in a pool of type {pool['type']}",
                resource=request.label,
                hint=f"Possible are: {', '.join(formats)}",
            )
        if pool["type"] == "iscsi":
            luns.choose(row, pool_of(pool, world.host), world, request.label)
        elif row["lun"] is not None:
            raise InputError("lun is for pools of type iscsi", resource=request.label)

    def _draft_size(self, request: Request, current: VolumeRow | None, row: VolumeRow) -> None:
        size, more = request.values.get("size"), request.options.get("grow_by")
        resource = request.label
        if size is not None and more is not None:
            raise InputError("give size or grow_by, not both", resource=resource)
        given = request.values.get("image")
        unmade = current is not None and current["status"] == "pending"
        if (current is None and row["image"]) or (unmade and given):
            _draft_image(current, row, size, resource)
        if current is None:
            return
        if given not in (None, current["image"]) and not unmade:
            raise ConflictError(
                "a volume is filled from its image only when it is created",
                resource=resource,
                hint="Create another volume",
            )
        if size is not None and size < current["size"]:
            raise ConflictError(
                f"size cannot shrink from {units.format_size(current['size'])}"
                f" to {units.format_size(size)}: that would destroy data",
                resource=resource,
            )
        if more is not None and current["status"] == "ready":
            row["size"] = parse_volume_size(current["size"] + more)

    def _detach(self, current: VolumeRow | None, row: VolumeRow, resource: str) -> None:
        if current is not None and current["instance_id"] and current["is_root"]:
            raise ConflictError("the root volume cannot be detached", resource=resource)
        row.update(detached(row))

    def _attach(
        self, request: Request, current: VolumeRow | None, row: VolumeRow, world: World
    ) -> None:
        resource = request.label
        instance = world.get(kinds.INSTANCE, row["instance_id"])
        if instance is None:
            raise InputError("instance must be given to attach it", resource=resource)
        if instance["type"] != "qemu":
            raise InputError("a container takes no volumes", resource=resource)
        held = current["instance_id"] if current else None
        if held and held != row["instance_id"]:
            other = world.get(kinds.INSTANCE, held)
            raise ConflictError(
                f'it is attached to instance "{other["name"] if other else held}"',
                resource=resource,
                hint="Detach it there first",
            )
        if held and current is not None:
            for key in ATTACHED:
                if row[key] != current[key]:
                    raise ConflictError(
                        f"{key} cannot change from {current[key]} to {row[key]} while attached",
                        resource=resource,
                        hint="Detach it first",
                    )
        siblings = [
            item
            for item in world.by(kinds.VOLUME, "instance_id", row["instance_id"])
            if item["id"] != row["id"]
        ]
        if request.options.get("root"):
            row["is_root"] = True
        place(row, siblings, paths_of_drives(row, world), resource)

    def taken(
        self, columns: tuple[str, ...], row: VolumeRow, other: VolumeRow, world: World
    ) -> str:
        """Which volume has its place."""
        place = {
            "device_path": f"device path {row['device_path']} is used",
            "device_name": f"device name {row['device_name']} is used",
            "lun": f"LUN {row['lun']} is taken",
        }.get(columns[-1])
        if place is None:
            return super().taken(columns, row, other, world)
        return f'{place} by volume "{other["name"]}"'

    def released(self, row: VolumeRow) -> VolumeRow | None:
        """One that is attached is let go of."""
        return detached(row) if row["instance_id"] else None

    def take_back(self, request: Request, row: VolumeRow, world: World) -> None:
        """Its pool has to be there still."""
        taking_back(row, world, request.label)

    def retire(self, request: Request, current: VolumeRow, world: World) -> None:
        """One stays that is attached to an instance that stays, or is on another node."""
        check_here(current, world, request.label)
        instance = world.get(kinds.INSTANCE, current["instance_id"])
        if instance is not None and current["status"] != "deleting":
            raise ConflictError(
                f'it is attached to instance "{instance["name"]}"',
                resource=request.label,
                hint="Detach it first",
            )
        instance_snapshot.refuse_snapshots(world, current, request.label)
        before = world.before(kinds.VOLUME, current["id"])
        held = before["instance_id"] if before is not None else None
        if before is not None and (held is None or world.deferred(kinds.INSTANCE, held)):
            _check_unused(current, world, request.label)

    def touched(
        self, before: VolumeRow | None, after: VolumeRow | None, world: World
    ) -> Iterable[Key]:
        """The instances that it leaves and joins; and its pool, where that is not made here yet."""
        if before is None and after is not None:
            place = {"storage_pool_id": after["storage_pool_id"], "node_id": after["node_id"]}
            for item in world.where(kinds.STORAGE_POOL_NODE, place):
                if item["status"] == "pending":
                    yield kinds.STORAGE_POOL_NODE, item["id"]
        for row in (before, after):
            if row is not None and row["instance_id"]:
                yield kinds.INSTANCE, row["instance_id"]

    def observe(
        self, rows: Sequence[VolumeRow], host: Host, world: World
    ) -> Mapping[str, VolumeState]:
        """The volumes' sizes and formats, from their headers."""
        pools: dict[str, list[VolumeRow]] = {}
        for row in rows:
            if row["node_id"] == world.here:
                pools.setdefault(row["storage_pool_id"], []).append(row)
        found: dict[str, VolumeState] = {}
        for id, members in pools.items():
            pool = world.row(kinds.STORAGE_POOL, id)
            type, where = backend(pool["type"]), pool_of(pool, host)
            there = type.look(where, [volume_of(row) for row in members])
            unmade = [row for row in members if row["id"] not in there]
            found |= {**there, **contents.strays(pool, unmade, where, world)}
            going = [
                row for row in members if row["status"] == "deleting" and row["id"] not in found
            ]
            if going:
                found |= type.remnants(where, [volume_of(row) for row in going])
        return found

    def converge(
        self,
        request: Request | None,
        row: VolumeRow | None,
        gone: VolumeRow | None,
        seen: VolumeState | None,
        world: World,
    ) -> Iterable[Step]:
        """Create, grow, or remove."""
        current = row or gone
        if current is None or current["node_id"] != world.here:
            return
        pool = world.row(kinds.STORAGE_POOL, current["storage_pool_id"])
        type, where = backend(pool["type"]), pool_of(pool, world.host)
        work = VolumeWork(type, where, current)
        if seen is not None:
            contents.check_place(current, seen)
            contents.check_ours(current, seen, world)
        if gone is not None:
            if seen is None:
                contents.check_reachable(gone, where, request, world)
            else:
                yield _step(gone, "delete", {"path": seen.path}, None, work)
        elif seen is None or (current["status"] == "pending" and pool["type"] == "iscsi"):
            recreate = request is not None and request.options.get("recreate_missing")
            if current["status"] != "pending" and not recreate:
                contents.refuse_missing(current, type.path(where, volume_of(current)), world)
            yield _step(current, "allocate", None, {"size": current["size"]}, work)
        else:
            yield from self._changes(current, seen, work, world)

    def _changes(
        self, row: VolumeRow, seen: VolumeState, work: VolumeWork, world: World
    ) -> Iterable[Step]:
        """Grow what is there and whole."""
        contents.check_whole(row, seen, world)
        after: Document = {"size": row["size"]}
        if seen.size < row["size"]:
            yield _step(row, "grow", {"size": seen.size}, after, work)
        elif self._untold(row, work.type, world):
            yield _step(row, "grow", {"size": "(not known to the instance)"}, after, work)

    def _untold(self, row: VolumeRow, type: PoolBackend, world: World) -> bool:
        """Whether a run was killed between enlarging a device and telling the instance."""
        before = world.before(kinds.VOLUME, row["id"])
        interrupted = before is not None and before["status"] == row["status"] == "updating"
        return interrupted and not type.grows_in_guest and bool(row["instance_id"])

    def execute_many(self, steps: Sequence[Step], host: Host) -> None:
        """Carry out steps of one action; new volumes are made in one go."""
        first = steps[0]
        if first.action != "allocate":
            for step in steps:
                self.execute(step, host)
            return
        pools: dict[str, list[Step]] = {}
        for step in steps:
            pools.setdefault(step.work_as(VolumeWork).pool.id, []).append(step)
        for members in pools.values():
            work = members[0].work_as(VolumeWork)
            rows = [step.work_as(VolumeWork).row for step in members]
            work.type.create(work.pool, [_wanted(row) for row in rows])

    def execute(self, step: Step, host: Host) -> None:
        """Carry out a step with the pool's type."""
        work = step.work_as(VolumeWork)
        type, pool, row = work.type, work.pool, work.row
        if step.action == "grow":
            grow(type, pool, row, host)
        else:
            type.remove(pool, volume_of(row))


def _draft_image(
    current: VolumeRow | None, row: VolumeRow, size: int | None, resource: str
) -> None:
    """Look at the image of a volume that is not made yet, which may be another one than before."""
    found = images.whole_source(str(row["image"]))
    needed = -(-found.size // 512) * 512
    if size is None and current is not None:
        same = row["image"] == current["image"]
        row["size"] = max(current["size"], needed) if same else needed
    row["size"] = row["size"] or needed
    if row["size"] < found.size:
        raise InputError(
            f"size {units.format_size(row['size'])} is smaller than the image's"
            f" {units.format_size(found.size)}",
            resource=resource,
        )


def grow(type: PoolBackend, pool: Pool, row: VolumeRow, host: Host) -> None:
    """Make a volume as large as its row says; a running instance that uses it is told.

    QEMU itself enlarges an image that it has open. A device must be larger before.

    Raises:
        HostError: It could not be done.
    """
    volume = volume_of(row)
    if not type.grows_in_guest:
        type.grow(pool, volume, row["size"])
    told = False
    if row["instance_id"]:
        from pextra.host.hypervisor import power

        target = str(row["device_path"]).removeprefix("/dev/")
        told = power.grow_disk(host.qemu, row["instance_id"], target, row["size"])
    if type.grows_in_guest and not told:
        type.grow(pool, volume, row["size"])


def _step(
    row: VolumeRow,
    action: str,
    before: Shown,
    after: Shown,
    work: VolumeWork,
) -> Step:
    return Step(kinds.VOLUME, row["id"], row["name"], action, Phase.HOST, before, after, work=work)


def _wanted(row: VolumeRow) -> VolumeWanted:
    return VolumeWanted(volume_of(row), row["size"], row["image"])


def _check_unused(row: VolumeRow, world: World, resource: str) -> None:
    pool = world.row(kinds.STORAGE_POOL, row["storage_pool_id"])
    path = backend(pool["type"]).path(pool_of(pool, world.host), volume_of(row))
    if image_locks.in_use(path):
        raise ConflictError(
            "an instance that runs still has it open",
            resource=resource,
            hint="It was detached with hot_plug=false: stop or restart that instance first",
        )
