# SPDX-License-Identifier: Apache-2.0
"""Storage pools of type ``zfs``: volumes of a ZFS pool that exists beforehand under that name."""

from __future__ import annotations

import datetime as dt
import os
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from pextra.host.pools import block, commands
from pextra.host.pools.backend import Pool, SnapshotState, Usage, Volume, VolumeState, VolumeWanted
from pextra.host.pools.block import UNFINISHED
from pextra.model.errors import HostError, NotFoundError

_PACKAGE = "zfsutils-linux"
_GRAIN = 8192
"""volblocksize: the size of a volume is a multiple of it."""
_WAIT = 15.0


class ZfsPool(block.BlockPool):
    """A ZFS pool."""

    type: str = "zfs"

    def describe(self, pool: Pool, uuid: str) -> ET.Element:
        """libvirt's definition, https://libvirt.org/storage.html#zfs-pool."""
        root = ET.Element("pool", type="zfs")
        ET.SubElement(root, "name").text = pool.name
        ET.SubElement(root, "uuid").text = uuid
        ET.SubElement(ET.SubElement(root, "source"), "name").text = pool.name
        return root

    def test(self, pool: Pool) -> None:
        """See that the ZFS pool is there and healthy enough to be used.

        Raises:
            NotFoundError: It is not there.
            HostError: It is not usable.
        """
        health = _pools().get(pool.name)
        if health is None:
            raise NotFoundError(
                f"there is no ZFS pool {pool.name}",
                hint=f"Make it first: zpool create {pool.name} DEVICE",
            )
        if health not in ("ONLINE", "DEGRADED"):
            raise HostError(f"ZFS pool {pool.name} is {health}", hint="See: zpool status")

    def troubles(self, pools: Sequence[Pool]) -> Mapping[str, str]:
        """Those whose ZFS pool is gone or not usable; one listing."""
        there, found = _pools(), {}
        for pool in pools:
            health = there.get(pool.name)
            if health is None:
                found[pool.id] = f"there is no ZFS pool {pool.name}"
            elif health not in ("ONLINE", "DEGRADED"):
                found[pool.id] = f"ZFS pool {pool.name} is {health}"
        return found

    def usage(self, pool: Pool) -> Usage | None:
        """What is used and what is available of the pool's root."""
        row = _list("filesystem", pool.name, "used,available").get(pool.name)
        if row is None:
            return None
        used, available = (int(value) for value in row)
        return Usage(used + available, available)

    def path(self, pool: Pool, volume: Volume) -> str:
        """The device."""
        return f"/dev/zvol/{pool.name}/{volume.key}"

    def look(self, pool: Pool, volumes: Sequence[Volume]) -> Mapping[str, VolumeState]:
        """The ZFS volumes, from one listing."""
        return self._states(pool, volumes, "")

    def remnants(self, pool: Pool, volumes: Sequence[Volume]) -> Mapping[str, VolumeState]:
        """The unfinished ZFS volumes."""
        return self._states(pool, volumes, UNFINISHED)

    def _states(self, pool: Pool, volumes: Sequence[Volume], suffix: str) -> dict[str, VolumeState]:
        there, found = _list("volume", pool.name, "volsize,referenced"), {}
        for volume in volumes:
            row = there.get(f"{pool.name}/{volume.key}{suffix}")
            if row is not None:
                path = self.path(pool, volume) + suffix
                found[volume.key] = VolumeState(path, "raw", int(row[0]), int(row[1]))
        return found

    def create(self, pool: Pool, wanted: Sequence[VolumeWanted]) -> None:
        """Make ZFS volumes; each has another name until it is complete."""
        there = _list("volume", pool.name, "volsize")
        for item in wanted:
            name = f"{pool.name}/{item.volume.key}"
            unfinished = name + UNFINISHED
            if name in there:
                continue
            if unfinished in there:
                _zfs("destroy", unfinished)
            thin = ("-s",) if pool.options.get("thin", True) else ()
            _zfs("create", *thin, "-b", str(_GRAIN), "-V", str(_rounded(item.size)), unfinished)
            try:
                if item.image is not None:
                    device = f"/dev/zvol/{unfinished}"
                    _wait_for(device)
                    block.fill(item.image, device)
                _zfs("rename", unfinished, name)
            except BaseException:
                _zfs("destroy", unfinished)
                raise
            _wait_for(f"/dev/zvol/{name}")

    def grow(self, pool: Pool, volume: Volume, size: int) -> None:
        """Enlarge the ZFS volume, in use or not."""
        name = f"{pool.name}/{volume.key}"
        row = _list("volume", pool.name, "volsize").get(name)
        if row is not None and int(row[0]) < size:
            _zfs("set", f"volsize={_rounded(size)}", name)

    def remove(self, pool: Pool, volume: Volume) -> None:
        """Destroy the ZFS volume."""
        there = _list("volume", pool.name, "volsize")
        for name in (volume.key, volume.key + UNFINISHED):
            if f"{pool.name}/{name}" in there:
                _zfs("destroy", f"{pool.name}/{name}")

    def no_snapshots(self, pool: Pool, volume: Volume, running: bool) -> str | None:
        """It always can."""
        return None

    def snapshots(self, pool: Pool, volume: Volume) -> Mapping[str, SnapshotState]:
        """The ZFS volume's snapshots."""
        name, found = f"{pool.name}/{volume.key}", dict[str, SnapshotState]()
        if name not in _list("volume", pool.name, "volsize"):
            return found
        rows = _list("snapshot", name, "volsize,creation")
        for full, row in rows.items():
            key = full.removeprefix(f"{name}@")
            moment = dt.datetime.fromtimestamp(int(row[1]), dt.UTC)
            found[key] = SnapshotState(key, int(row[0]), moment)
        return found

    def snapshot_create(self, pool: Pool, volume: Volume, key: str) -> None:
        """Take a ZFS snapshot."""
        if key not in self.snapshots(pool, volume):
            _zfs("snapshot", f"{pool.name}/{volume.key}@{key}")

    def snapshot_revert(self, pool: Pool, volume: Volume, key: str) -> None:
        """Roll back, which ZFS does to the newest snapshot only.

        Raises:
            HostError: There are newer snapshots, which would be lost.
        """
        _zfs("rollback", f"{pool.name}/{volume.key}@{key}")

    def snapshot_remove(self, pool: Pool, volume: Volume, key: str) -> None:
        """Destroy the ZFS snapshot."""
        if key in self.snapshots(pool, volume):
            _zfs("destroy", f"{pool.name}/{volume.key}@{key}")


def _rounded(size: int) -> int:
    return -(-size // _GRAIN) * _GRAIN


def _zfs(*argv: str) -> str:
    return commands.run(_PACKAGE, "zfs", *argv)


def _pools() -> dict[str, str]:
    """The health of each ZFS pool, by name."""
    text = commands.run(_PACKAGE, "zpool", "list", "-H", "-o", "name,health", timeout=20)
    return dict(line.split("\t", 1) for line in text.splitlines())


def _list(type: str, name: str, columns: str) -> dict[str, list[str]]:
    """Values by name, sizes in bytes; none where the pool is not there."""
    if name.split("/")[0] not in _pools():
        return {}
    text = _zfs("list", "-H", "-p", "-r", "-t", type, "-o", f"name,{columns}", name)
    rows = (line.split("\t") for line in text.splitlines())
    return {row[0]: row[1:] for row in rows}


def _wait_for(path: str) -> None:
    """Wait until udev has made a device.

    Raises:
        HostError: It did not.
    """
    deadline = time.monotonic() + _WAIT
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            raise HostError(f"{path} did not appear within {_WAIT:.0f} seconds")
        time.sleep(0.05)
