# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: virtual disks in a storage pool of a node, attached to at most one instance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils import units
from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Change, Field, Row
from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import Kind, KindSpec, Request
from ansible_collections.pextra.ce.plugins.module_utils.engine.plan import Phase, Step
from ansible_collections.pextra.ce.plugins.module_utils.engine.world import World
from ansible_collections.pextra.ce.plugins.module_utils.errors import ConflictError, InputError
from ansible_collections.pextra.ce.plugins.module_utils.host import Host
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor import images
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.backend import (
    VolumeState,
    VolumeWanted,
)
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.types import backend
from ansible_collections.pextra.ce.plugins.module_utils.kinds.common import (
    DESCRIPTION,
    FIXED_NAME,
    NODE,
    check_here,
    parse_path,
    resolve_node,
)
from ansible_collections.pextra.ce.plugins.module_utils.kinds.storage_pool import pool_on_node

BUSES = ("virtio", "sata", "scsi")
_DEVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,31}", re.ASCII)
_DEVICE_PATH = re.compile(r"/dev/((?:vd|sd)[a-z])", re.ASCII)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PREFIX = {"virtio": "vd", "sata": "sd", "scsi": "sd"}
_COUNT = {"virtio": 26, "sata": 4, "scsi": 24}
"""How many of a bus fit; the last SATA ports and sd letters are the CD-ROM drives'."""


def parse_device_name(value: Any) -> str:
    """A device name: 3 to 32 characters without spaces (user guide, Attaching a Volume).

    Raises:
        InputError: It is not.
    """
    if not _DEVICE_NAME.fullmatch(str(value)):
        raise InputError(
            f"{str(value)[:80]!r} is not an acceptable device name",
            hint="Use 3 to 32 ASCII letters, digits, dots, underscores and hyphens, no spaces",
        )
    return str(value)


def _device_path(value: Any) -> str:
    if not _DEVICE_PATH.fullmatch(str(value)):
        raise InputError(
            f"{str(value)[:80]!r} is not an acceptable device path",
            hint="Write /dev/vdb for bus virtio, /dev/sdb for sata and scsi",
        )
    return str(value)


def _size(value: Any) -> int:
    size = units.parse_size(value)
    if not units.MIB <= size <= 64 * units.TIB:
        raise InputError(
            f"{value} is {size} bytes, possible are 1MiB to 64TiB",
            hint="Write a unit: 10GiB",
        )
    return -(-size // 512) * 512


_ATTACHED = ("device_name", "device_path", "bus", "read_only")
ATTACHMENT = (
    Field("device_name", parse=parse_device_name),
    Field("device_path", parse=_device_path),
    Field("bus", choices=BUSES),
    Field("read_only", "bool", default=False),
)
CONTENT = (
    Field("size", parse=_size, required=True),
    Field("format", choices=("qcow2", "raw"), default="qcow2", change=Change.IMMUTABLE),
    Field("image", parse=parse_path),
)


class Volume(Kind):
    """A virtual disk."""

    spec = KindSpec(
        name="volume",
        table="volumes",
        prefix="vol",
        fields=(
            FIXED_NAME,
            Field("storage_pool", ref="storage_pool", required=True, change=Change.IMMUTABLE),
            NODE,
            DESCRIPTION,
            *CONTENT,
            Field("instance", ref="instance"),
            *ATTACHMENT,
        ),
        options=(
            Field("grow_by", parse=_size),
            Field("root", "bool"),
            Field("recreate_missing", "bool", default=False),
            Field("hot_plug", "bool", default=True),
        ),
        states=("present", "attached", "detached", "absent"),
        scope=("storage_pool_id", "node_id"),
        needs=(
            "cluster",
            "node",
            "storage_pool",
            "storage_pool_node",
            "instance",
            "instance_device",
        ),
        rank=90,
        host_rank=30,
        on_host=True,
    )

    def rank(self, request: Request) -> int:
        """Made before instances and gone after them; attached and detached after they are made."""
        return 90 if request.state in ("attached", "detached") else 70

    def resolve(self, request: Request, world: World) -> dict[str, Any]:
        """Node, pool (``local`` unless named) and instance, each within the node's cluster."""
        values, found = request.values, dict[str, Any]()
        if "id" not in values or "node" in values:
            found["node_id"] = resolve_node(values.get("node"), world, request.label)["id"]
        node = world.get("node", found.get("node_id"))
        scope = {"cluster_id": node["cluster_id"]} if node else None
        if "id" not in values or "storage_pool" in values:
            pool = world.require("storage_pool", values.get("storage_pool") or "local", scope)
            found["storage_pool_id"] = pool["id"]
        if values.get("instance"):
            found["instance_id"] = world.require("instance", values["instance"], scope)["id"]
        return found

    def draft(self, request: Request, current: Row | None, row: Row, world: World) -> None:
        """Work out size and attachment."""
        resource = request.label
        check_here(row, world, resource)
        pool = world.row("storage_pool", row["storage_pool_id"])
        if current is None:
            pool_on_node(pool, row["node_id"], world, resource)
            row["is_root"] = False
        self._draft_size(request, current, row)
        attachment = {"instance", *_ATTACHED} & set(request.values)
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
                    world.defer("instance", item["instance_id"])

    def _draft_size(self, request: Request, current: Row | None, row: Row) -> None:
        size, more = request.values.get("size"), request.options.get("grow_by")
        resource = request.label
        if size is not None and more is not None:
            raise InputError("give size or grow_by, not both", resource=resource)
        if current is None:
            if row["image"]:
                found = images.check_source(row["image"])
                row["size"] = row["size"] or -(-found.size // 512) * 512
                if row["size"] < found.size:
                    raise InputError(
                        f"size {units.format_size(row['size'])} is smaller than the image's"
                        f" {units.format_size(found.size)}",
                        resource=resource,
                    )
            return
        if request.values.get("image") not in (None, current["image"]):
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
            row["size"] = _size(current["size"] + more)

    def _detach(self, current: Row | None, row: Row, resource: str) -> None:
        if current is not None and current["instance_id"] and current["is_root"]:
            raise ConflictError("the root volume cannot be detached", resource=resource)
        row.update(dict.fromkeys(("instance_id", *_ATTACHED)), is_root=False, read_only=False)

    def _attach(self, request: Request, current: Row | None, row: Row, world: World) -> None:
        resource = request.label
        instance = world.get("instance", row["instance_id"])
        if instance is None:
            raise InputError("instance must be given to attach it", resource=resource)
        if instance["type"] != "qemu":
            raise InputError("a container takes no volumes", resource=resource)
        held = current["instance_id"] if current else None
        if held and held != row["instance_id"]:
            other = world.get("instance", held)
            raise ConflictError(
                f'it is attached to instance "{other["name"] if other else held}"',
                resource=resource,
                hint="Detach it there first",
            )
        if held and current is not None:
            for key in _ATTACHED:
                if row[key] != current[key]:
                    raise ConflictError(
                        f"{key} cannot change from {current[key]} to {row[key]} while attached",
                        resource=resource,
                        hint="Detach it first",
                    )
        siblings = [
            item
            for item in world.by("volume", "instance_id", row["instance_id"])
            if item["id"] != row["id"]
        ]
        if request.options.get("root"):
            row["is_root"] = True
        _place(row, siblings, _paths_of_drives(row, world), resource)

    def retire(self, request: Request, current: Row, world: World) -> None:
        """One stays that is attached to an instance that stays, or is on another node."""
        check_here(current, world, request.label)
        instance = world.get("instance", current["instance_id"])
        if instance is not None and current["status"] != "deleting":
            raise ConflictError(
                f'it is attached to instance "{instance["name"]}"',
                resource=request.label,
                hint="Detach it first",
            )
        before = world.before("volume", current["id"])
        if before is not None and before["instance_id"] is None:
            _check_unused(current, world, request.label)

    def touched(
        self, before: Row | None, after: Row | None, world: World
    ) -> Iterable[tuple[str, str]]:
        """The instances that it leaves and joins."""
        for row in (before, after):
            if row is not None and row["instance_id"]:
                yield "instance", row["instance_id"]

    def observe(self, rows: Sequence[Row], host: Host, world: World) -> Mapping[str, VolumeState]:
        """The volumes' sizes and formats, from their headers."""
        found = {}
        for row in rows:
            pool = world.get("storage_pool", row["storage_pool_id"])
            if pool is not None and row["node_id"] == world.here:
                place = pool["options"], row["id"], row["format"]
                state = backend(pool["type"]).look(*place)
                if state is None and row["status"] == "deleting":
                    state = backend(pool["type"]).remnant(*place)
                if state is not None:
                    found[row["id"]] = state
        return found

    def converge(
        self, request: Request | None, row: Row | None, gone: Row | None, seen: Any, world: World
    ) -> Iterable[Step]:
        """Create, grow, or remove."""
        current = row or gone
        if current is None or current["node_id"] != world.here:
            return
        pool = world.row("storage_pool", current["storage_pool_id"])
        if gone is not None:
            if seen is not None:
                yield self._step(gone, pool, "delete", {"path": seen.path}, None)
        elif seen is None:
            recreate = request is not None and request.options.get("recreate_missing")
            if current["status"] != "pending" and not recreate:
                path = backend(pool["type"]).path(pool["options"], current["id"], current["format"])
                raise ConflictError(
                    f"its data is missing at {path}",
                    resource=f'volume "{current["name"]}"',
                    hint="Restore the file, or set recreate_missing=true to begin anew",
                )
            yield self._step(current, pool, "allocate", None, {"size": current["size"]})
        elif seen.size < current["size"]:
            before, after = {"size": seen.size}, {"size": current["size"]}
            yield self._step(current, pool, "grow", before, after)

    def _step(self, row: Row, pool: Row, action: str, before: Any, after: Any) -> Step:
        return Step(
            "volume", row["id"], row["name"], action, Phase.HOST, before, after,
            payload=(pool["type"], pool["options"], row),
        )  # fmt: skip

    def execute_many(self, steps: Sequence[Step], host: Host) -> None:
        """Carry out steps of one action; new volumes are made in one go."""
        first = steps[0]
        if first.action != "allocate":
            for step in steps:
                self.execute(step, host)
            return
        pools: dict[str, list[Step]] = {}
        for step in steps:
            pools.setdefault(step.payload[2]["storage_pool_id"], []).append(step)
        for members in pools.values():
            type, options, _row = members[0].payload
            backend(type).create(options, [_wanted(step.payload[2]) for step in members])

    def execute(self, step: Step, host: Host) -> None:
        """Carry out a step with the pool's type; a running instance grows its disk itself."""
        type, options, row = step.payload
        if step.action == "grow":
            from ansible_collections.pextra.ce.plugins.module_utils.hypervisor import power

            path = backend(type).path(options, row["id"], row["format"])
            if not (
                row["instance_id"]
                and power.grow_disk(host.qemu, row["instance_id"], path, row["size"])
            ):
                backend(type).grow(options, row["id"], row["format"], row["size"])
        else:
            backend(type).remove(options, row["id"], row["format"])


def _wanted(row: Row) -> VolumeWanted:
    return VolumeWanted(row["id"], row["format"], row["size"], row["image"])


def _check_unused(row: Row, world: World, resource: str) -> None:
    pool = world.row("storage_pool", row["storage_pool_id"])
    path = backend(pool["type"]).path(pool["options"], row["id"], row["format"])
    if images.in_use(path):
        raise ConflictError(
            "an instance that runs still has it open",
            resource=resource,
            hint="It was detached with hot_plug=false: stop or restart that instance first",
        )


def _paths_of_drives(row: Row, world: World) -> dict[str, str]:
    return {
        item["options"]["device_path"]: f'drive "{item["name"]}"'
        for item in world.by("instance_device", "instance_id", row["instance_id"])
        if item["options"].get("device_path")
    }


def _place(row: Row, siblings: Sequence[Row], drives: Mapping[str, str], resource: str) -> None:
    """Give an attached volume bus, device path and device name, each unique in the instance."""
    used_paths = {item["device_path"]: f'volume "{item["name"]}"' for item in siblings}
    used_paths |= drives
    path = row["device_path"]
    if path is None:
        row["bus"] = row["bus"] or "virtio"
        prefix, letters = _PREFIX[row["bus"]], _LETTERS[: _COUNT[row["bus"]]]
        free = (f"/dev/{prefix}{letter}" for letter in letters)
        path = next((item for item in free if item not in used_paths), None)
        if path is None:
            raise ConflictError(f"no device path is left on bus {row['bus']}", resource=resource)
        row["device_path"] = path
    row["bus"] = row["bus"] or ("virtio" if path.startswith("/dev/vd") else "sata")
    letter = _LETTERS.index(path[-1])
    if not path.startswith(f"/dev/{_PREFIX[row['bus']]}") or letter >= _COUNT[row["bus"]]:
        raise InputError(f"device path {path} does not fit bus {row['bus']}", resource=resource)
    if path in used_paths:
        raise ConflictError(f"device path {path} is used by {used_paths[path]}", resource=resource)
    if row["read_only"] and row["bus"] == "sata":
        raise InputError(
            "a disk on bus sata cannot be read-only",
            resource=resource,
            hint="Use bus virtio or scsi",
        )
    if row["device_name"] is None:
        row["device_name"] = f"disk-{path.removeprefix('/dev/')}"
    if row["device_name"] in {item["device_name"] for item in siblings}:
        raise ConflictError(f"device name {row['device_name']} is used", resource=resource)
