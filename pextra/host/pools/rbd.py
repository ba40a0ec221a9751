# SPDX-License-Identifier: Apache-2.0
"""Storage pools of type ``rbd``: images in a pool of a Ceph cluster, which QEMU opens by itself.

The cephx key is in a secret of libvirt's, for libvirt and QEMU, and in a keyring that only root
reads, for the programs rbd and qemu-img.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

from pextra.host.hypervisor import images
from pextra.host.pools import commands
from pextra.host.pools.backend import (
    Format,
    Pool,
    Remote,
    SnapshotState,
    Usage,
    Volume,
    VolumeState,
    VolumeWanted,
)
from pextra.host.pools.block import UNFINISHED
from pextra.host.pools.options import split_address
from pextra.model import ids
from pextra.model.errors import HostError

_PACKAGE = "ceph-common"
_PATIENCE = 30.0


class RbdPool:
    """A Ceph pool."""

    type: str = "rbd"
    formats: tuple[Format, ...] = ("raw",)
    grows_in_guest = True

    def describe(self, pool: Pool, uuid: str) -> ET.Element:
        """libvirt's definition, https://libvirt.org/storage.html#rbd-pool."""
        root = ET.Element("pool", type="rbd")
        ET.SubElement(root, "name").text = pool.name
        ET.SubElement(root, "uuid").text = uuid
        source = ET.SubElement(root, "source")
        ET.SubElement(source, "name").text = pool.options["ceph_pool"]
        for monitor in pool.options["monitors"]:
            host, port = split_address(monitor)
            ET.SubElement(source, "host", name=host, port=str(port))
        auth = ET.SubElement(source, "auth", type="ceph", username=pool.options["username"])
        ET.SubElement(auth, "secret", uuid=ids.uuid_of(pool.id))
        return root

    def test(self, pool: Pool) -> None:
        """See that a monitor answers; who logs in is seen when it is started.

        Raises:
            HostError: None answers.
        """
        failed = None
        for monitor in pool.options["monitors"]:
            try:
                commands.reach(*split_address(monitor), "monitor")
            except HostError as error:
                failed = error
            else:
                return
        raise failed or HostError("it has no monitors")

    def prepare(self, pool: Pool) -> None:
        """Write the keyring and the configuration, and give libvirt the key."""
        commands.write_private(self._keyring(pool), self._keyring_text(pool))
        commands.write_private(self._configuration(pool), self._configuration_text(pool))
        _define_secret(pool)

    def prepared(self, pool: Pool) -> bool:
        """Whether keyring, configuration and libvirt's secret are the pool's."""
        return (
            commands.read_private(self._keyring(pool)) == self._keyring_text(pool)
            and commands.read_private(self._configuration(pool)) == self._configuration_text(pool)
            and _secret_value(pool) == pool.secrets["key"]
        )

    def clear(self, pool: Pool) -> None:
        """Remove keyring, configuration and secret."""
        for path in (self._keyring(pool), self._configuration(pool)):
            with contextlib.suppress(OSError):
                os.unlink(path)
        _undefine_secret(pool)

    def _keyring(self, pool: Pool) -> str:
        return f"{pool.directory}/{pool.id}.keyring"

    def _configuration(self, pool: Pool) -> str:
        return f"{pool.directory}/{pool.id}.conf"

    def _keyring_text(self, pool: Pool) -> str:
        return f"[client.{pool.options['username']}]\n\tkey = {pool.secrets['key']}\n"

    def _configuration_text(self, pool: Pool) -> str:
        return (
            f"[global]\nmon_host = {','.join(pool.options['monitors'])}\n"
            f"keyring = {self._keyring(pool)}\n"
            "rados_mon_op_timeout = 20\nrados_osd_op_timeout = 60\nclient_mount_timeout = 20\n"
        )

    def troubles(self, pools: Sequence[Pool]) -> Mapping[str, str]:
        """Those whose monitors do not answer."""
        found = {}
        for pool in pools:
            try:
                self.test(pool)
            except HostError as error:
                found[pool.id] = error.message
        return found

    def usage(self, pool: Pool) -> Usage | None:
        """What the cluster says of the Ceph pool; None where it does not answer."""
        try:
            read = json.loads(
                commands.run(
                    _PACKAGE, "ceph", *self._login(pool), "df", "--format", "json",
                    timeout=_PATIENCE,
                )
            )  # fmt: skip
        except HostError:
            return None
        for item in read["pools"]:
            if item["name"] == pool.options["ceph_pool"]:
                free, used = int(item["stats"]["max_avail"]), int(item["stats"]["stored"])
                return Usage(used + free, free)
        return None

    def path(self, pool: Pool, volume: Volume) -> str:
        """The image as libvirt and QEMU call it."""
        return f"rbd:{pool.options['ceph_pool']}/{volume.key}"

    def remote(self, pool: Pool, volume: Volume) -> Remote | None:
        """The monitors, and who logs in."""
        addresses = (split_address(monitor) for monitor in pool.options["monitors"])
        return Remote(
            "rbd",
            f"{pool.options['ceph_pool']}/{volume.key}",
            tuple((host, str(port)) for host, port in addresses),
            pool.options["username"],
            ids.uuid_of(pool.id),
        )

    def look(self, pool: Pool, volumes: Sequence[Volume]) -> Mapping[str, VolumeState]:
        """The images, from one listing."""
        return self._states(pool, volumes, "")

    def remnants(self, pool: Pool, volumes: Sequence[Volume]) -> Mapping[str, VolumeState]:
        """The unfinished images."""
        return self._states(pool, volumes, UNFINISHED)

    def _states(self, pool: Pool, volumes: Sequence[Volume], suffix: str) -> dict[str, VolumeState]:
        there, found = self._images(pool), {}
        for volume in volumes:
            size = there.get(volume.key + suffix)
            if size is not None:
                path = self.path(pool, volume) + suffix
                found[volume.key] = VolumeState(path, "raw", size, None)
        return found

    def _images(self, pool: Pool) -> dict[str, int]:
        if not os.path.exists(self._configuration(pool)):
            return {}  # the pool is not on this node, or was just removed from it
        rows = json.loads(self._rbd(pool, "ls", "--long", "--format", "json") or "[]")
        return {row["image"]: int(row["size"]) for row in rows if "snapshot" not in row}

    def create(self, pool: Pool, wanted: Sequence[VolumeWanted]) -> None:
        """Make images; each has another name until it is complete."""
        there = self._images(pool)
        for item in wanted:
            key, unfinished = item.volume.key, item.volume.key + UNFINISHED
            if key in there:
                continue
            if unfinished in there:
                self._rbd(pool, "rm", "--no-progress", unfinished)
            self._rbd(pool, "create", "--size", f"{item.size}B", unfinished)
            try:
                if item.image is not None:
                    self._fill(pool, item.image, unfinished)
                self._rbd(pool, "rename", unfinished, key)
            except BaseException:
                with contextlib.suppress(HostError):
                    self._rbd(pool, "rm", "--no-progress", unfinished)
                raise

    def _fill(self, pool: Pool, image: str, name: str) -> None:
        source = images.whole_source(image)
        target = (
            f"rbd:{pool.options['ceph_pool']}/{name}:id={pool.options['username']}"
            f":conf={self._configuration(pool)}"
        )
        images.run(
            "convert", "-n", "--target-is-zero", "-t", "none", "-f", source.format, "-O", "raw",
            image, target,
        )  # fmt: skip

    def grow(self, pool: Pool, volume: Volume, size: int) -> None:
        """Enlarge the image."""
        if self._images(pool).get(volume.key, size) < size:
            self._rbd(pool, "resize", "--no-progress", "--size", f"{size}B", volume.key)

    def remove(self, pool: Pool, volume: Volume) -> None:
        """Remove the image."""
        there = self._images(pool)
        for name in (volume.key, volume.key + UNFINISHED):
            if name in there:
                self._rbd(pool, "rm", "--no-progress", name)

    def no_snapshots(self, pool: Pool, volume: Volume, running: bool) -> str | None:
        """It always can."""
        return None

    def snapshots(self, pool: Pool, volume: Volume) -> Mapping[str, SnapshotState]:
        """The image's snapshots."""
        if volume.key not in self._images(pool):
            return {}
        rows = json.loads(self._rbd(pool, "snap", "ls", "--format", "json", volume.key) or "[]")
        return {
            row["name"]: SnapshotState(row["name"], int(row["size"]), _moment(row["timestamp"]))
            for row in rows
        }

    def snapshot_create(self, pool: Pool, volume: Volume, key: str) -> None:
        """Take one."""
        if key not in self.snapshots(pool, volume):
            self._rbd(pool, "snap", "create", "--no-progress", f"{volume.key}@{key}")

    def snapshot_revert(self, pool: Pool, volume: Volume, key: str) -> None:
        """Go back to one."""
        self._rbd(pool, "snap", "rollback", "--no-progress", f"{volume.key}@{key}", long=True)

    def snapshot_remove(self, pool: Pool, volume: Volume, key: str) -> None:
        """Remove one."""
        if key in self.snapshots(pool, volume):
            self._rbd(pool, "snap", "rm", "--no-progress", f"{volume.key}@{key}")

    def _login(self, pool: Pool) -> tuple[str, ...]:
        return (
            "--conf", self._configuration(pool), "--id", pool.options["username"],
            "--keyring", self._keyring(pool),
        )  # fmt: skip

    def _rbd(self, pool: Pool, *argv: str, long: bool = False) -> str:
        timeout = commands.LONG if long or argv[0] == "rm" else _PATIENCE
        login = self._login(pool)
        where = ("--pool", pool.options["ceph_pool"])
        return commands.run(_PACKAGE, "rbd", *login, *where, *argv, timeout=timeout)


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(text, "%a %b %d %H:%M:%S %Y").astimezone(dt.UTC)
    except ValueError:
        return None


def _connection() -> Any:
    from pextra.host.hypervisor.connection import Hypervisor

    return Hypervisor("qemu:///system")


def _define_secret(pool: Pool) -> None:
    """Define libvirt's secret with the key; it can be read back by root, to be compared."""
    from pextra.host.hypervisor.connection import translated

    root = ET.Element("secret", ephemeral="no", private="no")
    ET.SubElement(root, "uuid").text = ids.uuid_of(pool.id)
    ET.SubElement(root, "description").text = f"pextra-ce storage pool {pool.name}"
    usage = ET.SubElement(root, "usage", type="ceph")
    ET.SubElement(usage, "name").text = f"pextra-ce {pool.id}"
    hypervisor = _connection()
    try:
        with translated(f"keeping the key of storage pool {pool.name}"):
            text = ET.tostring(root, encoding="unicode")
            secret = hypervisor.connection.secretDefineXML(text, 0)
            import base64

            secret.setValue(base64.b64decode(pool.secrets["key"]), 0)
    finally:
        hypervisor.close()


def _secret_value(pool: Pool) -> str | None:
    import base64

    import libvirt

    hypervisor = _connection()
    try:
        secret = hypervisor.connection.secretLookupByUUIDString(ids.uuid_of(pool.id))
        return base64.b64encode(secret.value(0)).decode()
    except libvirt.libvirtError:
        return None
    finally:
        hypervisor.close()


def _undefine_secret(pool: Pool) -> None:
    import libvirt

    hypervisor = _connection()
    try:
        hypervisor.connection.secretLookupByUUIDString(ids.uuid_of(pool.id)).undefine()
    except libvirt.libvirtError:
        return
    finally:
        hypervisor.close()
