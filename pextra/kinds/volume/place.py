# SPDX-License-Identifier: Apache-2.0
"""Where an attached volume is within its instance: bus, device path and device name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from pextra.engine.world import World
from pextra.kinds.storage_pool.kind import pool_on_node
from pextra.model import kinds
from pextra.model.errors import ConflictError, InputError
from pextra.model.fields import Field
from pextra.model.returned import Returned

if TYPE_CHECKING:
    from pextra.model.rows import VolumeRow

BUSES = ("virtio", "sata", "scsi")
_DEVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,31}", re.ASCII)
_DEVICE_PATH = re.compile(r"/dev/((?:vd|sd)[a-z])", re.ASCII)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PREFIX = {"virtio": "vd", "sata": "sd", "scsi": "sd"}
_COUNT = {"virtio": 26, "sata": 24, "scsi": 24}
"""How many of a bus fit; the last two sd letters are those of the instance's own drives."""


def parse_device_name(value: object) -> str:
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


def _device_path(value: object) -> str:
    if not _DEVICE_PATH.fullmatch(str(value)):
        raise InputError(
            f"{str(value)[:80]!r} is not an acceptable device path",
            hint="Write /dev/vdb for bus virtio, /dev/sdb for sata and scsi",
        )
    return str(value)


ATTACHED: Final = ("device_name", "device_path", "bus", "read_only")
ATTACHMENT = (
    Field(
        "device_name",
        parse=parse_device_name,
        doc=(
            "Name of the device within the instance, unique there, from 3 to 32 ASCII letters,"
            " digits, dots, underscores and hyphens. The instance's boot order refers to it.",
            "Chosen while attaching, C(disk-) and the end of the device path unless given. It"
            " stays until the volume is detached. Needs O(state=attached).",
        ),
        returned=Returned(
            "Name of the device within the instance, V(null) if it is not attached.", sample="data"
        ),
    ),
    Field(
        "device_path",
        parse=_device_path,
        doc=(
            "Device path within the instance, unique there. C(/dev/vda) to C(/dev/vdz) for bus"
            " V(virtio), C(/dev/sda) to C(/dev/sdx) for V(sata) and V(scsi), which share these"
            " letters. What the guest calls the device is the guest's choice.",
            "Chosen while attaching, the first that is free unless given. It stays until the"
            " volume is detached. Needs O(state=attached).",
        ),
        returned=Returned(
            "Path of the device in the order of the bus, V(null) where it is not attached.",
            sample="/dev/vdb",
        ),
    ),
    Field(
        "bus",
        choices=BUSES,
        doc=(
            "Bus of the device. V(virtio) is the fastest; V(sata) needs no driver in the guest.",
            "Chosen while attaching, as O(device_path) says or else V(virtio). It stays until the"
            " volume is detached. Needs O(state=attached). A V(sata) device is attached and"
            " detached while the instance does not run, or with O(hot_plug=false); otherwise the"
            " task is refused.",
        ),
        returned=Returned(
            "V(virtio), V(sata) or V(scsi), V(null) where it is not attached.", sample="virtio"
        ),
    ),
    Field(
        "read_only",
        "bool",
        default=False,
        doc=(
            "The guest cannot write to it. Needs O(state=attached), and a O(bus) other than"
            " V(sata). It stays until the volume is detached.",
        ),
        returned=Returned("Whether the guest cannot write to it.", "bool", sample=False),
    ),
)


def paths_of_drives(row: VolumeRow, world: World) -> dict[str, str]:
    """The device paths that the instance's CD-ROM drives have, and which drive has each."""
    return {
        item["options"]["device_path"]: f'drive "{item["name"]}"'
        for item in world.by(kinds.INSTANCE_DEVICE, "instance_id", row["instance_id"])
        if item["options"].get("device_path")
    }


def place(
    row: VolumeRow, siblings: Sequence[VolumeRow], drives: Mapping[str, str], resource: str
) -> None:
    """Give an attached volume bus, device path and device name.

    What is chosen here nothing else has. What was asked for, another volume may have until the
    plan is complete, such as one that is let go by it; the engine looks at that in the end.
    """
    used_paths = {str(item["device_path"]) for item in siblings} | drives.keys()
    path, bus = row["device_path"], row["bus"]
    if path is None:
        bus = bus or "virtio"
        prefix, letters = _PREFIX[bus], _LETTERS[: _COUNT[bus]]
        free = (f"/dev/{prefix}{letter}" for letter in letters)
        path = next((item for item in free if item not in used_paths), None)
        if path is None:
            raise ConflictError(f"no device path is left on bus {bus}", resource=resource)
        row["device_path"] = path
    bus = row["bus"] = bus or ("virtio" if path.startswith("/dev/vd") else "sata")
    letter = _LETTERS.index(path[-1])
    if not path.startswith(f"/dev/{_PREFIX[bus]}") or letter >= _COUNT[bus]:
        raise InputError(f"device path {path} does not fit bus {bus}", resource=resource)
    if path in drives:
        raise ConflictError(f"device path {path} is used by {drives[path]}", resource=resource)
    if row["read_only"] and bus == "sata":
        raise InputError(
            "a disk on bus sata cannot be read-only",
            resource=resource,
            hint="Use bus virtio or scsi",
        )
    if row["device_name"] is None:
        row["device_name"] = f"disk-{path.removeprefix('/dev/')}"


def taking_back(row: VolumeRow, world: World, resource: str) -> None:
    """Refuse to take back a volume whose removal was interrupted, where its pool goes too.

    Raises:
        ConflictError: The pool is not enabled on this node any more.
    """
    pool = world.row(kinds.STORAGE_POOL, row["storage_pool_id"])
    pool_on_node(pool, row["node_id"], world, resource)


def detached(row: VolumeRow) -> VolumeRow:
    """The row of a volume that is let go by its instance."""
    return {
        **row,
        "instance_id": None,
        "device_name": None,
        "device_path": None,
        "bus": None,
        "read_only": False,
        "is_root": False,
    }
