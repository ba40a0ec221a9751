# SPDX-License-Identifier: Apache-2.0
"""Storage pools of type ``iscsi``: the LUNs of a target; a volume takes one.

Creating a volume takes a free LUN and writes its image, growing it takes over what the LUN was
enlarged by on the target, and destroying it makes the LUN empty to look at and lets go of it. LUNs
are neither made nor removed.

libvirt would hand the CHAP password to iscsiadm as an argument, where any user sees it. So the
session is made here, from open-iscsi's own record, which only root reads, and libvirt finds it.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pextra.host.pools import block, commands
from pextra.host.pools.backend import Pool, SnapshotState, Usage, Volume, VolumeState, VolumeWanted
from pextra.host.pools.options import split_address
from pextra.model import units
from pextra.model.errors import ConflictError, HostError, NotFoundError

_BY_PATH = "/dev/disk/by-path"
_PACKAGE = "open-iscsi"
_WAIT = 15.0
_RECOVERY = 30.0
"""Seconds for open-iscsi to log in again once the portal takes connections."""
_EDGE = 4 * units.MIB
"""Bytes at either end that are zeroed when a LUN is let go of: where signatures are."""
_RECORDS = "/etc/iscsi/nodes"
_TIMEOUTS = {
    "node.startup": "automatic",
    "node.conn[0].timeo.login_timeout": "10",
    "node.session.initial_login_retry_max": "2",
    "node.session.timeo.replacement_timeout": "30",
}
"""iscsid.conf(5): 30 seconds after a target is gone, what waits for it fails."""


@dataclass(frozen=True, slots=True)
class Lun:
    """A LUN that this node sees, its size in bytes."""

    number: int
    size: int
    path: str


class IscsiPool(block.BlockPool):
    """A target."""

    type: str = "iscsi"

    def __init__(self) -> None:
        self._let_go: set[str] = set()
        """Volumes that this run let go of: their LUNs stay, and are theirs no more."""

    def describe(self, pool: Pool, uuid: str) -> ET.Element:
        """libvirt's definition, https://libvirt.org/storage.html#iscsi-target-pool."""
        host, port = split_address(pool.options["portal"])
        root = ET.Element("pool", type="iscsi")
        ET.SubElement(root, "name").text = pool.name
        ET.SubElement(root, "uuid").text = uuid
        source = ET.SubElement(root, "source")
        ET.SubElement(source, "host", name=host, port=str(port))
        ET.SubElement(source, "device", path=pool.options["target"])
        ET.SubElement(ET.SubElement(root, "target"), "path").text = _BY_PATH
        return root

    def test(self, pool: Pool) -> None:
        """See that the portal answers, and has the target where it tells of its targets.

        Raises:
            HostError: It does not answer.
            NotFoundError: It has no such target.
        """
        host, port = split_address(pool.options["portal"])
        commands.reach(host, port, "portal")
        found = commands.run(
            _PACKAGE, "iscsiadm", "-m", "discovery", "-t", "sendtargets", "-p",
            pool.options["portal"], "-o", "nonpersistent", timeout=30,
        )  # fmt: skip
        targets = [line.split()[-1] for line in found.splitlines() if line.strip()]
        if targets and pool.options["target"] not in targets:
            raise NotFoundError(
                f"portal {pool.options['portal']} has no target {pool.options['target']}",
                hint=f"It has: {', '.join(sorted(set(targets))[:5])}",
            )

    def prepare(self, pool: Pool) -> None:
        """Write the record with the credentials, and log in.

        A session that has failed is open-iscsi's to log in again, and gets some time for that:
        ending it would take the LUNs away from the instances that use them.

        Raises:
            HostError: The target refuses, for example because the password is wrong.
        """
        if not self.prepared(pool):
            if not _record(pool):
                _node(pool, "-o", "new")
            _write_record(pool)
        deadline = time.monotonic() + _RECOVERY
        while _session(pool) not in (None, "LOGGED_IN") and time.monotonic() < deadline:
            time.sleep(0.5)
        if not _session(pool):
            _node(pool, "--login")
            with contextlib.suppress(HostError):  # udev may be busy with something else
                commands.run("udev", "udevadm", "settle", "--timeout=15")

    def prepared(self, pool: Pool) -> bool:
        """Whether the record has the pool's credentials."""
        path = _record(pool)
        text = commands.read_private(path) if path else None
        if text is None:
            return False
        have = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
        return all(have.get(key) == value for key, value in _settings(pool).items())

    def clear(self, pool: Pool) -> None:
        """Log out and forget the record."""
        if _session(pool):
            with contextlib.suppress(HostError):
                _node(pool, "--logout")
        if _record(pool):
            with contextlib.suppress(HostError):
                _node(pool, "-o", "delete")

    def troubles(self, pools: Sequence[Pool]) -> Mapping[str, str]:
        """Those without a session that is logged in."""
        found = {}
        for pool in pools:
            state = _session(pool)
            if state != "LOGGED_IN":
                what = f"is {state}" if state else "is not there"
                found[pool.id] = f"the session with {pool.options['target']} {what}"
        return found

    def usage(self, pool: Pool) -> Usage | None:
        """All LUNs together; what carries something counts as used. None if it is not there."""
        there = luns(pool).values()
        if not there:
            return None
        try:
            free = sum(lun.size for lun in there if content(lun.path) is None)
        except HostError:
            return None  # the target does not answer
        return Usage(sum(lun.size for lun in there), free)

    def path(self, pool: Pool, volume: Volume) -> str:
        """The LUN's name, which does not depend on the order of discovery."""
        return f"{_prefix(pool)}{volume.lun}"

    def look(self, pool: Pool, volumes: Sequence[Volume]) -> Mapping[str, VolumeState]:
        """The LUNs that the volumes have."""
        there, found = luns(pool), {}
        for volume in volumes:
            lun = there.get(volume.lun) if volume.lun is not None else None
            if lun is not None and volume.key not in self._let_go:
                found[volume.key] = VolumeState(lun.path, "raw", lun.size, lun.size)
        return found

    def remnants(self, pool: Pool, volumes: Sequence[Volume]) -> Mapping[str, VolumeState]:
        """There are none: the LUN itself is looked at."""
        return {}

    def create(self, pool: Pool, wanted: Sequence[VolumeWanted]) -> None:
        """Write the images; an empty volume is the LUN as it is.

        Raises:
            NotFoundError: The LUN is not there any more.
        """
        there = luns(pool)
        for item in wanted:
            lun = there.get(item.volume.lun) if item.volume.lun is not None else None
            if lun is None:
                raise NotFoundError(f"LUN {item.volume.lun} is not there any more")
            if item.image is not None:
                block.fill(item.image, lun.path)

    def grow(self, pool: Pool, volume: Volume, size: int) -> None:
        """Take over the LUN's new size from the target.

        Raises:
            ConflictError: The LUN was not enlarged on the target.
        """
        commands.run(_PACKAGE, "iscsiadm", *_of(pool), "-R")
        deadline = time.monotonic() + _WAIT
        while True:
            lun = luns(pool).get(volume.lun) if volume.lun is not None else None
            have = lun.size if lun else 0
            if have >= size:
                return
            if time.monotonic() > deadline:
                raise ConflictError(
                    f"LUN {volume.lun} has {units.format_size(have)}, not"
                    f" {units.format_size(size)}",
                    hint="Enlarge it on the target first",
                )
            time.sleep(0.2)

    def remove(self, pool: Pool, volume: Volume) -> None:
        """Zero both ends of the LUN, so that it counts as free, and discard the rest."""
        path = self.path(pool, volume)
        self._let_go.add(volume.key)
        if not os.path.exists(path):
            return
        with contextlib.suppress(HostError):
            commands.run("util-linux", "blkdiscard", "-f", path)
        try:
            with open(path, "r+b", buffering=0) as device:
                end = device.seek(0, os.SEEK_END)
                for offset in (0, max(0, end - _EDGE)):
                    device.seek(offset)
                    device.write(b"\0" * min(_EDGE, end))
                os.fsync(device.fileno())
        except OSError as error:
            raise HostError(f"{path} cannot be emptied: {error.strerror}") from None

    def no_snapshots(self, pool: Pool, volume: Volume, running: bool) -> str | None:
        """LUNs have none that a node could take."""
        return "a LUN has no snapshots of its own: take them on the target"

    def snapshots(self, pool: Pool, volume: Volume) -> Mapping[str, SnapshotState]:
        """None."""
        return {}

    def snapshot_create(self, pool: Pool, volume: Volume, key: str) -> None:
        """Refused before."""
        raise HostError("a LUN has no snapshots")

    snapshot_revert = snapshot_create
    snapshot_remove = snapshot_create


def _prefix(pool: Pool) -> str:
    return f"{_BY_PATH}/ip-{pool.options['portal']}-iscsi-{pool.options['target']}-lun-"


def _of(pool: Pool) -> tuple[str, ...]:
    return "-m", "node", "-T", pool.options["target"], "-p", pool.options["portal"]


def _node(pool: Pool, *argv: str) -> None:
    commands.run(_PACKAGE, "iscsiadm", *_of(pool), *argv, timeout=90)


def luns(pool: Pool) -> dict[int, Lun]:
    """The LUNs that this node sees, by number; none without a session."""
    found = {}
    prefix = _prefix(pool)
    for path in glob.glob(f"{glob.escape(prefix)}*"):
        number = path.removeprefix(prefix)
        if number.isdigit():
            device = os.path.basename(os.path.realpath(path))
            try:
                with open(f"/sys/class/block/{device}/size", encoding="ascii") as file:
                    found[int(number)] = Lun(int(number), int(file.read()) * 512, path)
            except OSError:
                continue
    return found


def content(path: str) -> str | None:
    """What is to be seen on a device: the type of a file system or partition table."""
    text = commands.run("util-linux", "wipefs", "--noheadings", "--output", "TYPE", path)
    return text.split()[0] if text.split() else None


def _session(pool: Pool) -> str | None:
    """The state of the session with the target, as the kernel has it; None without one."""
    for path in glob.glob("/sys/class/iscsi_session/session*"):
        with contextlib.suppress(OSError):
            if _read(f"{path}/targetname") == pool.options["target"]:
                return _read(f"{path}/state")
    return None


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def _record(pool: Pool) -> str | None:
    """open-iscsi's record of the target at the portal, if it has one."""
    host, port = split_address(pool.options["portal"])
    base = f"{_RECORDS}/{glob.escape(pool.options['target'])}/{host},{port}"
    # By how it came to know the target, it adds the portal group, and the interface.
    patterns = (f"{base},*/default", f"{base}/default", f"{base},*", base)
    found = (path for pattern in patterns for path in sorted(glob.glob(pattern)))
    return next((path for path in found if os.path.isfile(path)), None)


def _settings(pool: Pool) -> dict[str, str]:
    if not pool.secrets:
        return {**_TIMEOUTS, "node.session.auth.authmethod": "None"}
    return {
        **_TIMEOUTS,
        "node.session.auth.authmethod": "CHAP",
        "node.session.auth.username": pool.options["username"],
        "node.session.auth.password": pool.secrets["password"],
    }


def _write_record(pool: Pool) -> None:
    path = _record(pool)
    if path is None:
        raise HostError(f"open-iscsi keeps no record of {pool.options['target']}")
    ours = _settings(pool)
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    drop = tuple(f"{key} =" for key in (*ours, "node.session.auth.username"))
    drop += ("node.session.auth.password =",)
    kept = [line for line in lines if not line.startswith(drop) and not _is_end(line)]
    end = [line for line in lines if _is_end(line)]
    text = "\n".join([*kept, *(f"{key} = {value}" for key, value in ours.items()), *end])
    commands.write_private(path, f"{text}\n")


def _is_end(line: str) -> bool:
    return re.fullmatch(r"# END RECORD", line) is not None
