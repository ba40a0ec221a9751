# SPDX-License-Identifier: Apache-2.0
"""A machine's hardware and system as /proc, /sys, /dev and /etc show it.

Everything is read below one root directory, so that a recorded machine reads like a live one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

SECTOR = 512  # the unit of /sys/block/*/size, whatever the disk's own sector is
ETHERNET = 1  # ARPHRD_ETHER in if_arp.h, as /sys/class/net/*/type shows it
RAID_CLASS = 0x0104  # PCI class code: mass storage, RAID controller
VIRTUAL_DISKS = ("vd", "xvd", "ubd")  # their "rotational" says nothing about the real medium
REMOVABLE_DISKS = ("sr", "fd", "nbd")


class Disk(NamedTuple):
    """A local, fixed disk; ``rotational`` is None where it cannot be known."""

    name: str
    size: int
    rotational: bool | None


class Interface(NamedTuple):
    """An Ethernet interface; ``speed`` is in Mbit/s, None where it is unknown."""

    name: str
    physical: bool
    speed: int | None


class Controller(NamedTuple):
    """A PCI device of the class "RAID controller"."""

    slot: str
    vendor: str
    device: str
    driver: str | None


class Process(NamedTuple):
    """What the running interpreter knows better than any file."""

    architecture: str
    bits: int
    python: tuple[int, int, int]
    uid: int


class Machine(NamedTuple):
    """All that the checks look at. Sizes are in bytes."""

    process: Process
    os_id: str
    os_version: str
    cpu_model: str
    cpu_flags: frozenset[str]
    cores: int
    threads: int
    memory: int
    disks: tuple[Disk, ...]
    interfaces: tuple[Interface, ...]
    raid: tuple[Controller, ...]
    kvm_present: bool
    kvm_opens: bool


def this_process() -> Process:
    """The interpreter that runs this."""
    version = sys.version_info
    return Process(
        architecture=os.uname().machine,
        bits=64 if sys.maxsize > 2**32 else 32,
        python=(version.major, version.minor, version.micro),
        uid=os.geteuid(),
    )


def read_machine(root: Path = Path("/"), process: Process | None = None) -> Machine:
    """Read a machine; what a file does not tell is left empty, never guessed.

    Args:
        root: The directory that holds ``proc``, ``sys``, ``dev`` and ``etc``.
        process: The interpreter, when another than this one is meant.
    """
    release = _os_release(root)
    processors = _processors(root)
    first = processors[0] if processors else {}
    flags = first.get("flags") or first.get("Features") or ""
    return Machine(
        process=process or this_process(),
        os_id=release.get("ID", ""),
        os_version=release.get("VERSION_ID", ""),
        cpu_model=first.get("model name", ""),
        cpu_flags=frozenset(flags.split()),
        cores=_cores(root) or len(processors),
        threads=len(processors),
        memory=_memory(root),
        disks=_disks(root),
        interfaces=_interfaces(root),
        raid=_raid_controllers(root),
        kvm_present=(root / "dev/kvm").exists(),
        kvm_opens=_opens(root / "dev/kvm"),
    )


def _text(path: Path) -> str:
    """A small file's text, empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    try:
        return int(_text(path), 0)
    except ValueError:
        return None


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []


def _opens(path: Path) -> bool:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _os_release(root: Path) -> dict[str, str]:
    """The fields of os-release(5)."""
    text = _text(root / "etc/os-release") or _text(root / "usr/lib/os-release")
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def _processors(root: Path) -> list[dict[str, str]]:
    """One dictionary of /proc/cpuinfo a hardware thread."""
    processors: list[dict[str, str]] = []
    for line in _text(root / "proc/cpuinfo").splitlines():
        fields = [field.strip() for field in line.split(":", 1)]
        if fields[0] == "processor":
            processors.append({})
        if processors and len(fields) == 2:
            processors[-1][fields[0]] = fields[1]
    return processors


def _cores(root: Path) -> int:
    """Distinct cores of the running kernel, 0 where it shows no topology."""
    cores = set()
    for cpu in _entries(root / "sys/devices/system/cpu"):
        package = _number(cpu / "topology/physical_package_id")
        core = _number(cpu / "topology/core_id")
        if package is not None and core is not None:
            cores.add((package, _number(cpu / "topology/die_id"), core))
    return len(cores)


def _memory(root: Path) -> int:
    for line in _text(root / "proc/meminfo").splitlines():
        fields = line.split()
        if len(fields) >= 2 and fields[0] == "MemTotal:" and fields[1].isdigit():
            return int(fields[1]) * 1024
    return 0


def _disks(root: Path) -> tuple[Disk, ...]:
    """Fixed disks: what has a device behind it, so no loop, memory or mapped devices."""
    disks = []
    for block in _entries(root / "sys/block"):
        size = (_number(block / "size") or 0) * SECTOR
        fixed = (block / "device").exists() and _number(block / "removable") != 1
        if not size or not fixed or block.name.startswith(REMOVABLE_DISKS):
            continue
        rotational = _number(block / "queue/rotational")
        unknown = rotational is None or block.name.startswith(VIRTUAL_DISKS)
        disks.append(Disk(block.name, size, None if unknown else rotational == 1))
    return tuple(disks)


def _interfaces(root: Path) -> tuple[Interface, ...]:
    """Wired interfaces: those with a device behind them, and virtual ones (of a container)."""
    interfaces = []
    for link in _entries(root / "sys/class/net"):
        if _number(link / "type") != ETHERNET or (link / "wireless").exists():
            continue
        speed = _number(link / "speed")
        known = speed if speed is not None and 0 < speed < 0xFFFFFFFF else None
        interfaces.append(Interface(link.name, (link / "device").exists(), known))
    return tuple(interfaces)


def _raid_controllers(root: Path) -> tuple[Controller, ...]:
    controllers = []
    for device in _entries(root / "sys/bus/pci/devices"):
        if (_number(device / "class") or 0) >> 8 != RAID_CLASS:
            continue
        driver = device / "driver"
        controllers.append(
            Controller(
                slot=device.name,
                vendor=_text(device / "vendor")[2:],
                device=_text(device / "device")[2:],
                driver=os.path.basename(os.readlink(driver)) if driver.is_symlink() else None,
            )
        )
    return tuple(controllers)
