# SPDX-License-Identifier: Apache-2.0
"""What a node says of itself, under the platform's names. Read from /proc and /sys."""

from __future__ import annotations

import datetime as dt
import os
import socket
from typing import TYPE_CHECKING

from pextra import VERSION

if TYPE_CHECKING:
    from typing import TypedDict

    from pextra.model.rows import NodeHardware, NodeHardwareDisk, NodeOs, NodeTime

    class Facts(TypedDict):
        """Columns of ``nodes`` that the machine itself says."""

        hostname: str
        os: NodeOs
        time: NodeTime
        hardware: NodeHardware
        pce_version: str


def now() -> dt.datetime:
    """This moment in UTC, to the second."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def gather() -> Facts:
    """Facts that change only when the machine does: columns of ``nodes``."""
    system = os.uname()
    return {
        "hostname": socket.gethostname(),
        "os": {
            "kernel": system.release,
            "architecture": system.machine,
            "uefi": os.path.isdir("/sys/firmware/efi"),
        },
        "time": {"timezone": timezone()},
        "hardware": {
            "vcpus": os.cpu_count() or 1,
            "memory_gb": round(total_memory() / (1 << 30), 1),
            "cpu": {"model": _cpu_model()},
            "disks": disks(),
        },
        "pce_version": VERSION,
    }


def timezone() -> str:
    """The system's time zone, such as ``Etc/UTC``."""
    target = os.path.realpath("/etc/localtime")
    head, found, zone = target.partition("/zoneinfo/")
    return zone if head and found else "Etc/UTC"


def uptime() -> int:
    """Seconds since the machine started."""
    return int(float(_read("/proc/uptime").split()[0]))


def total_memory() -> int:
    """Bytes of memory that the kernel manages."""
    for line in _read("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return 0


def _cpu_model() -> str:
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith(("model name", "CPU part")):
            return line.partition(":")[2].strip()
    return ""


def disks() -> list[NodeHardwareDisk]:
    """Whole disks, sizes in bytes; loop devices, RAM disks and CD-ROM drives left out."""
    found: list[NodeHardwareDisk] = []
    for name in sorted(os.listdir("/sys/block")):
        if name.startswith(("loop", "ram", "zram", "sr", "nbd", "dm-", "md")):
            continue
        size = int(_read(f"/sys/block/{name}/size").strip() or 0) * 512
        if size:
            serial = _read(f"/sys/block/{name}/serial").strip()
            found.append({"device": f"/dev/{name}", "size": size, "serial": serial or None})
    return found


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
