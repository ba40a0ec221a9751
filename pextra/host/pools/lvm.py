# SPDX-License-Identifier: Apache-2.0
"""Storage pools of type ``lvm``: logical volumes of a volume group, thick or in a thin pool.

The volume group has the pool's name and exists beforehand. Our volumes are named by id and carry
a tag; others in the group are left alone.
"""

from __future__ import annotations

import datetime as dt
import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pextra.host.pools import block, commands
from pextra.host.pools.backend import Pool, SnapshotState, Usage, Volume, VolumeState, VolumeWanted
from pextra.host.pools.block import UNFINISHED
from pextra.model.errors import ConflictError, NotFoundError

_TAG = "pextra-ce"
_SNAPSHOT_TAG = "pextra-ce-snapshot-of-"
_OLD = ".replaced"
_UNITS = ("--units", "b", "--nosuffix")


@dataclass(frozen=True, slots=True)
class _Logical:
    """A logical volume."""

    name: str
    size: int
    thin_pool: str
    data_percent: float
    tags: tuple[str, ...]
    created: int

    @property
    def allocated(self) -> int:
        """Bytes that it takes."""
        return round(self.size * self.data_percent / 100) if self.thin_pool else self.size


class LvmPool(block.BlockPool):
    """A volume group."""

    type: str = "lvm"

    def describe(self, pool: Pool, uuid: str) -> ET.Element:
        """libvirt's definition, https://libvirt.org/storage.html#logical-volume-pool."""
        root = ET.Element("pool", type="logical")
        ET.SubElement(root, "name").text = pool.name
        ET.SubElement(root, "uuid").text = uuid
        source = ET.SubElement(root, "source")
        ET.SubElement(source, "name").text = pool.name
        ET.SubElement(source, "format", type="lvm2")
        ET.SubElement(ET.SubElement(root, "target"), "path").text = f"/dev/{pool.name}"
        return root

    def test(self, pool: Pool) -> None:
        """See that the volume group is there, and its thin pool.

        Raises:
            NotFoundError: It is not.
        """
        if pool.name not in _groups():
            raise NotFoundError(
                f"there is no volume group {pool.name}",
                hint=f"Make it first: vgcreate {pool.name} DEVICE",
            )
        thin = pool.options.get("thin_pool")
        if thin and not any(item["lv_name"] == thin for item in _thin_pools(pool)):
            raise NotFoundError(
                f"volume group {pool.name} has no thin pool {thin}",
                hint=f"Make it first: lvcreate --type thin-pool -n {thin} -l 90%FREE {pool.name}",
            )

    def troubles(self, pools: Sequence[Pool]) -> Mapping[str, str]:
        """Those whose volume group is gone; one listing."""
        there = _groups()
        return {
            pool.id: f"there is no volume group {pool.name}"
            for pool in pools
            if pool.name not in there
        }

    def usage(self, pool: Pool) -> Usage | None:
        """The group's size and what is free of it, or the thin pool's."""
        thin = pool.options.get("thin_pool")
        if thin:
            for item in _thin_pools(pool):
                if item["lv_name"] == thin:
                    size = int(item["lv_size"])
                    used = float(item["data_percent"] or 0)
                    return Usage(size, round(size * (100 - used) / 100))
            return None
        group = _groups().get(pool.name)
        return Usage(int(group["vg_size"]), int(group["vg_free"])) if group else None

    def path(self, pool: Pool, volume: Volume) -> str:
        """The device."""
        return f"/dev/{pool.name}/{volume.key}"

    def look(self, pool: Pool, volumes: Sequence[Volume]) -> Mapping[str, VolumeState]:
        """The logical volumes, from one listing."""
        return self._states(pool, volumes, "")

    def remnants(self, pool: Pool, volumes: Sequence[Volume]) -> Mapping[str, VolumeState]:
        """The unfinished logical volumes."""
        return {**self._states(pool, volumes, UNFINISHED), **self._states(pool, volumes, _OLD)}

    def _states(self, pool: Pool, volumes: Sequence[Volume], suffix: str) -> dict[str, VolumeState]:
        there, found = _logical(pool), {}
        for volume in volumes:
            item = there.get(volume.key + suffix)
            if item is not None:
                path = self.path(pool, volume) + suffix
                found[volume.key] = VolumeState(path, "raw", item.size, item.allocated)
        return found

    def create(self, pool: Pool, wanted: Sequence[VolumeWanted]) -> None:
        """Make logical volumes; one that is filled has another name until it is complete."""
        there = _logical(pool)
        for item in wanted:
            key, thin = item.volume.key, pool.options.get("thin_pool")
            if key in there:
                continue
            if key + UNFINISHED in there:
                _lvm("lvremove", "-q", "-y", f"{pool.name}/{key}{UNFINISHED}")
            name = key + UNFINISHED
            what = ["-V", f"{item.size}b", "-T", f"{pool.name}/{thin}"]
            if not thin:
                what = ["-L", f"{item.size}b", pool.name]
            _lvm(
                "lvcreate", "-q", "-y", "-Wy", "-n", name, "--addtag", _TAG, *what
            )  # fmt: skip
            try:
                if item.image is not None:
                    block.fill(item.image, f"/dev/{pool.name}/{name}")
                _lvm("lvrename", "-q", pool.name, name, key)
            except BaseException:
                _lvm("lvremove", "-q", "-y", f"{pool.name}/{name}")
                raise

    def grow(self, pool: Pool, volume: Volume, size: int) -> None:
        """Enlarge the logical volume, in use or not."""
        current = _logical(pool).get(volume.key)
        if current is not None and current.size < size:
            _lvm("lvextend", "-q", "-L", f"{size}b", f"{pool.name}/{volume.key}")

    def remove(self, pool: Pool, volume: Volume) -> None:
        """Remove the logical volume."""
        there = _logical(pool)
        for name in (volume.key, volume.key + UNFINISHED, volume.key + _OLD):
            if name in there:
                _lvm("lvremove", "-q", "-y", f"{pool.name}/{name}")

    def no_snapshots(self, pool: Pool, volume: Volume, running: bool) -> str | None:
        """Only in a thin pool: a thick one's would fill up and be lost."""
        if not pool.options.get("thin_pool"):
            return "a volume of an LVM pool without thin_pool has no snapshots"
        return None

    def snapshots(self, pool: Pool, volume: Volume) -> Mapping[str, SnapshotState]:
        """The logical volumes that are tagged as its snapshots."""
        tag = _SNAPSHOT_TAG + volume.key
        return {
            name: SnapshotState(name, item.size, dt.datetime.fromtimestamp(item.created, dt.UTC))
            for name, item in _logical(pool).items()
            if tag in item.tags and not name.endswith(UNFINISHED)
        }

    def snapshot_create(self, pool: Pool, volume: Volume, key: str) -> None:
        """Take a thin snapshot."""
        if key not in _logical(pool):
            _lvm(
                "lvcreate", "-q", "-y", "-s", "-n", key, "-ky", "--addtag", _TAG,
                "--addtag", _SNAPSHOT_TAG + volume.key, f"{pool.name}/{volume.key}",
            )  # fmt: skip

    def snapshot_revert(self, pool: Pool, volume: Volume, key: str) -> None:
        """Put a copy of the snapshot in the volume's place; copies in a thin pool cost nothing.

        A run that was killed is finished: the volume goes only when its successor is complete.
        """
        there, name = _logical(pool), volume.key
        if name + UNFINISHED in there:
            _lvm("lvremove", "-q", "-y", f"{pool.name}/{name}{UNFINISHED}")
        _lvm(
            "lvcreate", "-q", "-y", "-s", "-n", name + UNFINISHED, "-kn", "--addtag", _TAG,
            f"{pool.name}/{key}",
        )  # fmt: skip
        if name in there and name + _OLD not in there:
            _lvm("lvrename", "-q", pool.name, name, name + _OLD)
        elif name in there:
            _lvm("lvremove", "-q", "-y", f"{pool.name}/{name}")
        _lvm("lvrename", "-q", pool.name, name + UNFINISHED, name)
        _lvm("lvremove", "-q", "-y", f"{pool.name}/{name}{_OLD}")

    def snapshot_remove(self, pool: Pool, volume: Volume, key: str) -> None:
        """Remove the snapshot."""
        if key in _logical(pool):
            _lvm("lvremove", "-q", "-y", f"{pool.name}/{key}")

    def clear(self, pool: Pool) -> None:
        """Have active again what others have in the group: libvirt deactivates all of it."""
        others = [name for name, item in _logical(pool).items() if _TAG not in item.tags]
        for name in others:
            _lvm("lvchange", "-q", "-ay", f"{pool.name}/{name}")


def _lvm(*argv: str) -> str:
    return commands.run("lvm2", *argv)


def _report(key: str, *argv: str) -> list[dict[str, str]]:
    text = _lvm(*argv, "--reportformat", "json", *_UNITS)
    rows: list[dict[str, str]] = json.loads(text)["report"][0][key]
    return rows


def _groups() -> dict[str, dict[str, str]]:
    rows = _report("vg", "vgs", "-o", "vg_name,vg_size,vg_free")
    return {row["vg_name"]: row for row in rows}


def _thin_pools(pool: Pool) -> list[dict[str, str]]:
    columns = "lv_name,lv_size,data_percent,segtype"
    rows = _report("lv", "lvs", "-o", columns, pool.name)
    return [row for row in rows if row["segtype"] == "thin-pool"]


def _logical(pool: Pool) -> dict[str, _Logical]:
    """The group's logical volumes by name; none where there is no group.

    Raises:
        ConflictError: Its name is the pool's, but it is not to be read.
    """
    if pool.name not in _groups():
        return {}
    columns = "lv_name,lv_size,pool_lv,data_percent,lv_tags,lv_time"
    rows = _report("lv", "lvs", "-o", columns, "--config", 'report/time_format="%s"', pool.name)
    try:
        return {
            row["lv_name"]: _Logical(
                row["lv_name"], int(row["lv_size"]), row["pool_lv"],
                float(row["data_percent"] or 0), tuple(row["lv_tags"].split(",")),
                int(row["lv_time"] or 0),
            )
            for row in rows
        }  # fmt: skip
    except ValueError as error:
        raise ConflictError(f"volume group {pool.name} cannot be read: {error}") from None
