# SPDX-License-Identifier: Apache-2.0
"""CD-ROM drives, TPMs, random number generators and USB devices of instances.

Part of the instance. What a device is beside its name and type is in ``options``, each of them
under the name that the instance's option ``devices`` and its result have for it.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds.common import parse_path
from pextra.kinds.volume.place import parse_device_name
from pextra.model import kinds
from pextra.model.errors import ConflictError, InputError, UnsupportedError
from pextra.model.fields import Change, Field
from pextra.model.names import Key
from pextra.model.request import Request
from pextra.model.spec import KindSpec
from pextra.model.values import Document, Options

if TYPE_CHECKING:
    from pextra.model.rows import InstanceDeviceOptions, InstanceDeviceRow

TYPES = ("cdrom", "tpm", "rng", "usb")
SOURCES = {"random": "/dev/random", "urandom": "/dev/urandom", "passthrough": "/dev/hwrng"}
"""Where a random number generator takes from; the last is the node's own hardware."""
RESERVED = ("cdrom", "seed")
"""Names of the drives that the options ``cdrom`` and ``cloud_init`` make."""
_USB_ID = re.compile(r"[0-9a-fA-F]{4}:[0-9a-fA-F]{4}", re.ASCII)
_PATH = re.compile(r"/dev/((?:hd|sd)[a-z])", re.ASCII)
_PLACES = {
    "ide": [f"/dev/hd{letter}" for letter in "abcd"],
    "sata": [f"/dev/sd{letter}" for letter in "efghijklmnopqrstuvwx"],
    "scsi": [f"/dev/sd{letter}" for letter in "abcdefghijklmnopqrstuvwx"],
    "usb": [f"/dev/sd{letter}" for letter in "abcdefghijklmnopqrstuvwx"],
}
"""Device paths of drives by bus. The ports of the first SATA controller are the volumes'."""


def _usb_id(value: Any) -> str:
    if not _USB_ID.fullmatch(str(value)):
        raise InputError(
            f"{str(value)[:80]!r} is no USB id",
            hint='Write vendor and product as lsusb shows them, in quotes: "046d:c52b"',
        )
    return str(value).lower()


def _device_path(value: Any) -> str:
    if not _PATH.fullmatch(str(value)):
        raise InputError(
            f"{str(value)[:80]!r} is not an acceptable device path of a CD-ROM drive",
            hint="Write /dev/hda for bus ide, /dev/sde for the others",
        )
    return str(value)


OPTIONS = (
    Field(
        "name",
        required=True,
        parse=parse_device_name,
        doc=(
            "Name of the device, unique in the instance, from 3 to 32 ASCII letters, digits, dots,"
            " underscores and hyphens. V(cdrom) and V(seed) are taken.",
        ),
    ),
    Field(
        "type",
        choices=TYPES,
        doc=(
            "What it is. V(cdrom) is a CD-ROM drive, V(tpm) a Trusted Platform Module, made by"
            " swtpm, of which an instance has at most one, V(rng) a random number generator,"
            " V(usb) a USB device of the node.",
            "Required to create a device.",
        ),
        change=Change.IMMUTABLE,
    ),
    Field(
        "bus",
        choices=tuple(_PLACES),
        doc=(
            "Of a CD-ROM drive, its bus. Chosen as O(devices[].device_path) says or else V(sata)"
            " (V(scsi) on aarch64); it stays. V(ide) needs O(chipset=i440fx).",
        ),
    ),
    Field(
        "device_path",
        parse=_device_path,
        doc=(
            "Of a CD-ROM drive, its device path, unique in the instance. V(/dev/hda) to"
            " V(/dev/hdd) on bus V(ide), V(/dev/sde) to V(/dev/sdx) on V(sata), V(/dev/sda) to"
            " V(/dev/sdx) on V(scsi) and V(usb). Chosen unless given; it stays.",
        ),
    ),
    Field(
        "medium",
        nullable=True,
        parse=parse_path,
        doc=(
            "Of a CD-ROM drive, absolute path on the node of the image in it, which must exist."
            " Clearing it ejects it. A running instance sees a change at once.",
        ),
    ),
    Field(
        "tray",
        choices=("closed", "open"),
        doc=(
            "Of a CD-ROM drive, V(open) takes the medium out without forgetting it, V(closed) puts"
            " it back. Unless given, a new drive is closed.",
        ),
    ),
    Field(
        "model",
        choices=("crb", "tis"),
        doc=(
            "Of a TPM, its interface, V(crb) or V(tis). Unless given, a new one has V(crb). It"
            " stays.",
        ),
    ),
    Field(
        "version",
        choices=("1.2", "2.0"),
        doc=(
            "Of a TPM, the version of the specification. V(1.2) needs O(devices[].model=tis)."
            " Unless given, a new one has V(2.0). It stays.",
        ),
    ),
    Field(
        "source",
        choices=tuple(SOURCES),
        doc=(
            "Of a random number generator, where it takes from, the node's C(/dev/random),"
            " C(/dev/urandom), or V(passthrough), its hardware generator C(/dev/hwrng). Unless"
            " given, a new one has V(urandom). QEMU instances have one of that kind besides those"
            " given here.",
        ),
    ),
    Field(
        "usb_id",
        parse=_usb_id,
        doc=(
            "Of a USB device, its vendor and product as C(lsusb) shows them, such as V(046d:c52b),"
            " in quotes. Needed to create one. An instance on the same node cannot have it too.",
        ),
    ),
    Field(
        "startup_policy",
        choices=("mandatory", "requisite", "optional"),
        doc=(
            "Of a USB device, what happens where the node does not have it when the instance"
            " starts. V(mandatory) fails, V(requisite) fails except after a migration or a"
            " revert, V(optional) goes without. Unless given, a new one is V(mandatory).",
        ),
    ),
)
"""The fields of an entry of the instance's option ``devices``."""
DETAILS = tuple(field.name for field in OPTIONS if field.name not in ("name", "type"))

_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "cdrom": {"bus": None, "device_path": None, "medium": None, "tray": "closed"},
    "tpm": {"model": "crb", "version": "2.0"},
    "rng": {"source": "urandom"},
    "usb": {"usb_id": None, "startup_policy": "mandatory"},
}
_FIXED = {"bus", "device_path", "model", "version"}
"""What makes another device of it."""


class InstanceDevice(Kind["InstanceDeviceRow", None]):
    """A device of an instance that is neither a volume nor on a network."""

    spec = KindSpec(
        name=kinds.INSTANCE_DEVICE,
        table="instance_devices",
        prefix="dev",
        fields=(
            Field("name", required=True, parse=parse_device_name),
            Field("instance", ref=kinds.INSTANCE, required=True, backed_up=False),
            Field("type", choices=TYPES, required=True, change=Change.IMMUTABLE),
            Field("options", "dict", options=OPTIONS[2:], default={}),
        ),
        scope=("instance_id",),
        owned_by=kinds.INSTANCE,
        rank=87,
    )

    def draft(
        self,
        request: Request,
        current: InstanceDeviceRow | None,
        row: InstanceDeviceRow,
        world: World,
    ) -> None:
        """Check what the type takes, and give a drive its bus and path."""
        resource = request.label
        if current is None and "type" not in request.values:
            return  # the engine says what is missing
        wanted = {key: item for key, item in row["options"].items() if key in DETAILS}
        foreign = sorted(set(wanted) - set(_DEFAULTS[row["type"]]))
        if foreign:
            raise InputError(
                f"a device of type {row['type']} has no {', '.join(foreign)}",
                resource=resource,
                hint=f"It has: {', '.join(_DEFAULTS[row['type']])}",
            )
        row["options"] = cast("InstanceDeviceOptions", {**_DEFAULTS[row["type"]], **wanted})
        if current is not None:
            _check_fixed(current["options"], row["options"], resource)
        _check_name(row, world, resource)
        _CHECKS[row["type"]](current, row, world, resource)

    def touched(
        self, before: InstanceDeviceRow | None, after: InstanceDeviceRow | None, world: World
    ) -> Iterable[Key]:
        """Its instance."""
        for row in (before, after):
            if row is not None:
                yield kinds.INSTANCE, row["instance_id"]


def shown(row: InstanceDeviceRow) -> Document:
    """A device as it is returned: every option, null where its type has none."""
    options: Options = row["options"]
    details = {name: options.get(name) for name in DETAILS}
    return {"id": row["id"], "name": row["name"], "type": row["type"], **details}


def _check_fixed(old: InstanceDeviceOptions, new: InstanceDeviceOptions, resource: str) -> None:
    for key in sorted(_FIXED & set(old)):
        if new.get(key) != old.get(key):
            raise ConflictError(
                f"{key} cannot change from {old.get(key)} to {new.get(key)}",
                resource=resource,
                hint="Remove the device first, with purge, or add another one",
            )


def _check_name(row: InstanceDeviceRow, world: World, resource: str) -> None:
    id = row["instance_id"]
    taken = {item["device_name"] for item in world.by(kinds.VOLUME, "instance_id", id)}
    taken |= {item["name"] for item in world.by(kinds.NETWORK_DEVICE, "instance_id", id)}
    if row["name"] in taken:
        raise ConflictError("another device of the instance has that name", resource=resource)
    if row["name"] in RESERVED:
        raise InputError(
            f"the name {row['name']} is that of a drive of the instance's own", resource=resource
        )


def _check_cdrom(
    current: InstanceDeviceRow | None, row: InstanceDeviceRow, world: World, resource: str
) -> None:
    options = row["options"]
    instance = world.row(kinds.INSTANCE, row["instance_id"])
    path, bus = options.get("device_path"), options.get("bus")
    if bus is None:
        bus = "sata" if platform.machine() == "x86_64" else "scsi"
        if path is not None and path.startswith("/dev/hd"):
            bus = "ide"
        options["bus"] = bus
    if bus == "ide" and instance["chipset"] != "i440fx":
        raise UnsupportedError(
            f"the chipset {instance['chipset']} has no IDE bus",
            resource=resource,
            hint="Use bus sata, or another instance with chipset i440fx",
        )
    used = paths(row["instance_id"], world, row["id"])
    if path is None:
        path = next((item for item in _PLACES[bus] if item not in used), None)
        if path is None:
            raise ConflictError(f"no device path is left on bus {bus}", resource=resource)
        options["device_path"] = path
    if path not in _PLACES[bus]:
        places = _PLACES[bus]
        raise InputError(
            f"device path {path} does not fit bus {bus}",
            resource=resource,
            hint=f"Its drives are {places[0]} to {places[-1]}",
        )
    if path in used:
        raise ConflictError(f"device path {path} is used by {used[path]}", resource=resource)
    medium = options["medium"]
    if medium and (current is None or current["options"].get("medium") != medium):
        check_medium(medium, resource)


def check_medium(path: str, resource: str, what: str = "medium") -> None:
    """An image that is newly put into a drive must exist, and be all there.

    Raises:
        InputError: It does not, or was cut off.
    """
    if not os.path.isfile(path):
        wrong = "is no regular file" if os.path.exists(path) else "does not exist on this node"
        raise InputError(f"{what} {path} {wrong}", resource=resource)
    from pextra.host.hypervisor import images

    images.check_medium(path)


def paths(instance_id: str, world: World, but: str | None = None) -> dict[str, str]:
    """The device paths of an instance, and what has them; without one device's."""
    found = {
        item["device_path"]: f'volume "{item["name"]}"'
        for item in world.by(kinds.VOLUME, "instance_id", instance_id)
        if item["id"] != but and item["device_path"]
    }
    for item in world.by(kinds.INSTANCE_DEVICE, "instance_id", instance_id):
        if item["id"] != but and item["options"].get("device_path"):
            found[item["options"]["device_path"]] = f'device "{item["name"]}"'
    return found


def _check_tpm(
    current: InstanceDeviceRow | None, row: InstanceDeviceRow, world: World, resource: str
) -> None:
    options = row["options"]
    if options["model"] == "crb" and options["version"] != "2.0":
        raise InputError(
            f"a TPM of model crb has version 2.0, not {options['version']}",
            resource=resource,
            hint="Use model tis for version 1.2",
        )
    for other in world.by(kinds.INSTANCE_DEVICE, "instance_id", row["instance_id"]):
        if other["type"] == "tpm" and other["id"] != row["id"]:
            raise ConflictError(
                f'the instance has TPM "{other["name"]}" already', resource=resource
            )
    if current is None:
        import shutil

        if shutil.which("swtpm") is None or shutil.which("swtpm_setup") is None:
            raise UnsupportedError(
                "this node has no software TPM",
                resource=resource,
                hint="Install the packages swtpm and swtpm-tools",
            )


def _check_rng(
    current: InstanceDeviceRow | None, row: InstanceDeviceRow, _world: World, resource: str
) -> None:
    source = SOURCES[row["options"]["source"]]
    before = current["options"].get("source") if current else None
    if row["options"]["source"] != before and not os.path.exists(source):
        raise UnsupportedError(
            f"this node has no {source}",
            resource=resource,
            hint="Use source urandom" if source == SOURCES["passthrough"] else None,
        )


def _check_usb(
    _current: InstanceDeviceRow | None, row: InstanceDeviceRow, world: World, resource: str
) -> None:
    id = row["options"]["usb_id"]
    if not id:
        raise InputError("usb_id must be given", resource=resource)
    here = world.row(kinds.INSTANCE, row["instance_id"])
    for owner in world.by(kinds.INSTANCE, "node_id", here["node_id"]):
        world.subject(kinds.INSTANCE, owner["id"])
        for other in world.by(kinds.INSTANCE_DEVICE, "instance_id", owner["id"]):
            if other["id"] != row["id"] and other["options"].get("usb_id") == id:
                raise ConflictError(
                    f'USB device {id} is given to instance "{owner["name"]}"', resource=resource
                )


_CHECKS = {"cdrom": _check_cdrom, "tpm": _check_tpm, "rng": _check_rng, "usb": _check_usb}
