# SPDX-License-Identifier: Apache-2.0
"""Taking a backup of an instance: its definition, and its volumes as they are at one moment."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pextra.backup import archive
from pextra.engine import encryption
from pextra.engine.world import World
from pextra.host.hypervisor import export, power
from pextra.host.machine import Host
from pextra.host.pools.types import backend, pool_of, volume_of
from pextra.host.secrets import versions
from pextra.kinds.instance_device.kind import DETAILS
from pextra.kinds.network_device.kind import cards
from pextra.kinds.registry import KINDS
from pextra.model import ids, kinds
from pextra.model.encrypted import Encrypted, is_plain, places
from pextra.model.errors import ConflictError, HostError, UnsupportedError
from pextra.model.fields import Row
from pextra.model.names import AnyName
from pextra.model.units import format_time
from pextra.model.values import Document

if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    from pextra.model.rows import InstanceDeviceRow, InstanceRow, VolumeRow
    from pextra.store.connection import Store

    class Manifest(TypedDict):
        """What a backup says of itself, and of the instance that it is of."""

        format: int
        id: str
        creation: str
        instance_id: str
        cloud_init_id: str
        instance: Document
        volumes: list[Document]
        networks: list[Document]
        devices: list[Document]
        state: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Source:
    """A volume to copy: its target in the guest, and where it is."""

    target: str
    path: str | None
    format: str


def manifest(instance: InstanceRow, world: World, moment: dt.datetime) -> Manifest:
    """What a backup says of itself and of the instance; names instead of ids.

    Raises:
        UnsupportedError: The instance is a container.
    """
    if instance["type"] != "qemu":
        raise UnsupportedError(
            "a container has no backup in this release",
            resource=f'instance "{instance["name"]}"',
        )
    volumes = [
        kept(kinds.VOLUME, row, world) | {"is_root": row["is_root"]}
        for row in _volumes(instance, world)
    ]
    networks = [kept(kinds.NETWORK_DEVICE, row, world) for row in cards(instance, world)]
    devices = [
        _device(row, world)
        for row in world.by(kinds.INSTANCE_DEVICE, "instance_id", instance["id"])
    ]
    return {
        "format": archive.FORMAT if _is_encrypted(instance) else archive.PLAIN,
        "id": ids.new_id("backup"),
        "creation": format_time(moment),
        "instance_id": instance["id"],
        "cloud_init_id": instance["cloud_init_id"] or instance["id"],
        "instance": kept(kinds.INSTANCE, instance, world),
        "volumes": volumes,
        "networks": networks,
        "devices": devices,
    }


def _is_encrypted(instance: InstanceRow) -> bool:
    found = places(kinds.INSTANCE, instance, KINDS[kinds.INSTANCE].spec.encrypted)
    return any(type(value) is Encrypted for _place, value in found)


def encrypted(instance: InstanceRow, store: Store, host: Host) -> InstanceRow:
    """The instance with what the store still has in the clear encrypted.

    Raises:
        SecretError: This node does not have the cluster's key.
    """
    spec = KINDS[kinds.INSTANCE].spec
    if not any(is_plain(value) for _place, value in places(spec.name, instance, spec.encrypted)):
        return instance
    now = dt.datetime.now(dt.UTC)
    key = store.transact(lambda tx: versions.current(tx, host, now))
    return cast("InstanceRow", encryption.encrypted(spec, instance, key))


def kept(kind: AnyName, row: Row, world: World) -> Document:
    """What a backup has of a row: the fields whose table says so, of another resource its name."""
    return {
        item.name: world.row(item.ref, row[item.column])["name"] if item.ref else row[item.column]
        for item in KINDS[kind].spec.stored
        if item.backed_up
    }


def _device(row: InstanceDeviceRow, world: World) -> Document:
    """A device as the instance's option ``devices`` has it."""
    device, options = kept(kinds.INSTANCE_DEVICE, row, world), dict[str, Any](row["options"])
    del device["options"]
    return device | {key: options[key] for key in DETAILS if key in options}


def _volumes(instance: InstanceRow, world: World) -> list[VolumeRow]:
    found = world.by(kinds.VOLUME, "instance_id", instance["id"])
    return sorted(found, key=lambda row: (not row["is_root"], str(row["device_path"])))


def sources(instance: InstanceRow, world: World) -> list[Source]:
    """The volumes in the manifest's order."""
    found = []
    for row in _volumes(instance, world):
        pool = world.row(kinds.STORAGE_POOL, row["storage_pool_id"])
        type, where = backend(pool["type"]), pool_of(pool, world.host)
        remote = type.remote(where, volume_of(row)) is not None
        path = None if remote else type.path(where, volume_of(row))
        found.append(Source(str(row["device_path"]).removeprefix("/dev/"), path, row["format"]))
    return found


class Progress:
    """A small file beside the backup that says how far it is.

    Args:
        path: Of the backup.
    """

    def __init__(self, path: str) -> None:
        self._path = f"{path}.progress"
        self._percent = -1

    def tell(self, stage: str, done: int, total: int) -> None:
        """Write it where it has changed."""
        percent = 100 * done // total if total else 0
        if percent != self._percent:
            self._percent = percent
            text = json.dumps({"stage": stage, "percent": min(percent, 100)}) + "\n"
            with contextlib.suppress(OSError), open(self._path, "w", encoding="ascii") as file:
                file.write(text)

    def end(self) -> None:
        """Remove it."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)


def _place(instance: InstanceRow, host: Host) -> str:
    return f"{host.state_dir}/staging/backup-{instance['id']}"


def tidy(path: str, instance: InstanceRow, host: Host) -> None:
    """Remove what a run has left that was killed when its backup was complete."""
    place = _place(instance, host)
    left = (place, f"{place}.lock", f"{path}.progress")
    if any(os.path.exists(item) for item in left):
        with contextlib.suppress(ConflictError), alone(instance, host):
            Progress(path).end()


@contextlib.contextmanager
def alone(instance: InstanceRow, host: Host) -> Iterator[str]:
    """The instance's own directory for copies, empty, while no other run backs it up.

    Raises:
        ConflictError: Another run does.
    """
    place = _place(instance, host)
    os.makedirs(os.path.dirname(place), mode=0o711, exist_ok=True)
    descriptor = os.open(f"{place}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(
                "another run is backing it up", resource=f'instance "{instance["name"]}"'
            ) from None
        if power.state(host.qemu, instance["id"]) != "stopped":
            export.stop_copying(host.qemu, instance["id"], place)
        shutil.rmtree(place, ignore_errors=True)
        os.mkdir(place, mode=0o711)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.unlink(f"{place}.lock")
        os.close(descriptor)


def take(
    path: str, said: Manifest, instance: InstanceRow, disks: Sequence[Source], host: Host
) -> None:
    """Copy the volumes at one moment, and put them into an archive.

    Raises:
        HostError: A copy failed, or the instance was started or stopped meanwhile.
    """
    resource, progress = f'instance "{instance["name"]}"', Progress(path)
    try:
        with alone(instance, host) as place:
            targets = [f"{place}/{index}.qcow2" for index in range(len(disks))]
            state = power.state(host.qemu, instance["id"])
            said["state"] = state
            if state == "stopped":
                _copy_stopped(disks, targets, progress, resource)
                if power.state(host.qemu, instance["id"]) != "stopped":
                    raise HostError(
                        "it was started while it was backed up", resource=resource,
                        hint="Run it again",
                    )  # fmt: skip
            elif disks:
                names = {disk.target: file for disk, file in zip(disks, targets, strict=True)}
                export.copy_running(
                    host.qemu, instance["id"], names,
                    lambda done, total: progress.tell("copy", done, total), resource,
                )  # fmt: skip
            _pack(path, said, targets, progress)
    finally:
        progress.end()


def _copy_stopped(
    disks: Sequence[Source], targets: Sequence[str], progress: Progress, resource: str
) -> None:
    for index, (disk, target) in enumerate(zip(disks, targets, strict=True)):
        progress.tell("copy", index, len(disks))
        if disk.path is None:
            raise UnsupportedError(
                f"disk {disk.target} is on the network, which only a running instance reads",
                resource=resource,
                hint="Start the instance first",
            )
        export.copy_stopped(disk.path, disk.format, target)


def _pack(path: str, said: Manifest, targets: Sequence[str], progress: Progress) -> None:
    total, done = sum(os.path.getsize(target) for target in targets), 0

    def told(count: int) -> None:
        nonlocal done
        done += count
        progress.tell("pack", done, total)

    archive.write(path, said, targets, told)
