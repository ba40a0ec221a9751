# SPDX-License-Identifier: Apache-2.0
"""Making a system disk: what is needed is decided from what is there, then done."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pextra.host.disks import devices, layout
from pextra.model.errors import ConflictError, HostError, NotFoundError, UnsupportedError

APPEAR_SECONDS = 30
"""How long the kernel and udev have to show new partitions."""


@dataclass(frozen=True, slots=True)
class Request:
    """Which disk, for which firmware; a token makes the GUIDs of one installation."""

    path: str
    firmware: str
    token: str
    serial: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What a disk is now: lsblk's node, and our partitions and file systems as far as made."""

    disk: devices.Node
    partitions: dict[str, str]
    formatted: frozenset[str]


@dataclass(frozen=True, slots=True)
class Missing:
    """What a system disk still lacks; nothing where it is as it should be."""

    partition: bool
    format: tuple[layout.Partition, ...]

    def lines(self, request: Request, disk: devices.Node) -> list[str]:
        """What making it does, for people."""
        done = [f"erase {node['path']}" for node in devices.below(disk)] if self.partition else []
        done += [f"partition {request.path}"] if self.partition else []
        return done + [f"make {one.file_system} on {one.name}" for one in self.format]


def read(request: Request) -> State:
    """Read the disk.

    Raises:
        NotFoundError: It is not there.
        ConflictError: It is another disk than the one that was chosen, or nothing may be
            written to it.
    """
    disk = _lsblk(request)
    label = f"disk {request.path}"
    serial = str(disk["serial"] or "").strip() or None
    if request.serial is not None and serial != request.serial:
        raise ConflictError(
            f"its serial number is {serial}, not {request.serial}",
            resource=label,
            hint="Disks have changed places; probe again",
        )
    if request.size is not None and int(disk["size"]) != request.size:
        raise ConflictError(
            f"it has {disk['size']} bytes, not {request.size}", resource=label, hint="Probe again"
        )
    reason = devices.protected(disk)
    if reason:
        raise ConflictError(f"nothing is written to it: {reason}", resource=label)
    partitions = layout.wanted(request.firmware)
    table = _table(request.path)
    found = layout.nodes(table, request.token, partitions)
    made = {
        one.name
        for one in partitions
        if one.file_system
        and one.name in found
        and _identity(found[one.name]) == layout.file_system_uuid(request.token, one)
    }
    return State(disk, found, frozenset(made))


def missing(request: Request, state: State) -> Missing:
    """What is missing, of how the disk is. Pure."""
    partitions = layout.wanted(request.firmware)
    unformatted = [one for one in partitions if one.file_system and one.name not in state.formatted]
    return Missing(partition=not state.partitions, format=tuple(unformatted))


def apply(request: Request, state: State, lacking: Missing) -> None:
    """Make what is missing.

    Raises:
        HostError: A program failed; the disk is not usable until another run finishes.
    """
    partitions = layout.wanted(request.firmware)
    found = state.partitions
    if lacking.partition:
        for command in devices.release(state.disk):
            _run(command.argv, harmless=command.harmless)
        argv = ("sfdisk", "--wipe", "always", "--wipe-partitions", "always", "--quiet")
        _run((*argv, request.path), text=layout.script(request.token, partitions))
        found = _appeared(request, partitions)
    for one in lacking.format:
        argv_of = layout.format_command(request.token, one, found[one.name])
        if argv_of is not None:
            _run(argv_of)
    _run(("sync",))


def _appeared(request: Request, partitions: Sequence[layout.Partition]) -> dict[str, str]:
    """The new partitions' devices, once they are there."""
    if os.path.exists("/run/udev/control"):
        _run(("udevadm", "settle", f"--timeout={APPEAR_SECONDS}"))
    deadline = time.monotonic() + APPEAR_SECONDS
    while True:
        found = layout.nodes(_table(request.path), request.token, partitions)
        absent = [node for node in found.values() if not os.path.exists(node)]
        if found and not absent:
            return found
        if time.monotonic() > deadline:
            raise HostError(
                f"the kernel shows no {', '.join(absent) or 'partitions'}",
                resource=f"disk {request.path}",
                hint="Something still uses the disk: look at lsblk, and restart the machine",
            )
        time.sleep(0.1)


def _lsblk(request: Request) -> devices.Node:
    argv = ("lsblk", "--json", "--bytes", "--output", devices.COLUMNS, request.path)
    if not os.path.exists(request.path):
        raise NotFoundError(
            "there is no such device", resource=f"disk {request.path}", hint="Look at lsblk"
        )
    found = json.loads(_run(argv).stdout)["blockdevices"]
    if len(found) != 1 or found[0]["type"] not in ("disk", "loop"):
        raise ConflictError(
            "this is not a whole disk", resource=f"disk {request.path}", hint="Look at lsblk"
        )
    node: devices.Node = found[0]
    return node


def _table(path: str) -> dict[str, Any]:
    done = _run(("sfdisk", "--json", path), check=False)
    if done.returncode != 0:
        return {}
    table: dict[str, Any] = json.loads(done.stdout)["partitiontable"]
    return table


def _identity(node: str) -> str | None:
    """The UUID of what is on a partition, read from it and from no cache."""
    argv = ("blkid", "--probe", "--match-tag", "UUID", "--output", "value", node)
    return _run(argv, check=False).stdout.strip() or None


def _run(
    argv: Sequence[str], *, text: str | None = None, check: bool = True, harmless: str = ""
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            argv, input=text, capture_output=True, text=True, check=False, env=environment
        )
    except FileNotFoundError:
        raise UnsupportedError(f"{argv[0]} is not installed") from None
    known = bool(harmless) and harmless in done.stderr
    if check and done.returncode != 0 and not known:
        reason = (done.stderr or done.stdout).strip().replace("\n", "; ")
        raise HostError(f"{' '.join(argv)} failed: {reason}")
    return done
