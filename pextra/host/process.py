# SPDX-License-Identifier: Apache-2.0
"""Which process of this machine did something, and whether it is still there."""

from __future__ import annotations

import functools
import os


@functools.cache
def boot_id() -> str:
    """Identifies this boot of the machine; see random(4)."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def _started(pid: int) -> str | None:
    """When a process started, in ticks since the boot; None if it is not there; see proc(5)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


_caller: int | None = None


def works_for(caller: int) -> None:
    """Note which process this one does the work of."""
    global _caller
    _caller = caller


def caller() -> int:
    """The process that this one works for: itself, unless another one handed its work over."""
    return _caller or os.getpid()


def mark() -> str:
    """What tells this process from every other of this machine, past and future."""
    pid = os.getpid()
    return f"{boot_id()}/{pid}/{_started(pid)}"


def alive(mark: str) -> bool:
    """Whether the process of a mark is still there."""
    boot, _, rest = mark.partition("/")
    pid, _, started = rest.partition("/")
    return boot == boot_id() and pid.isdigit() and _started(int(pid)) == started
