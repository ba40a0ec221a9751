# SPDX-License-Identifier: Apache-2.0
"""What is returned of a node; how it is at the moment only where the node is this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pextra.host import facts
from pextra.host.pools.types import backend, pool_of
from pextra.kinds.info import Compute, Computed, Info
from pextra.kinds.node_license.view import is_valid, license_of
from pextra.kinds.view import View, percent, usage
from pextra.model import kinds
from pextra.model.returned import Returned
from pextra.model.values import Document, Value

if TYPE_CHECKING:
    from pextra.model.rows import NodeRow, StoragePoolRow

_SAMPLE = 0.1
"""Seconds over which processor usage is measured."""


def _live(measure: Callable[[], Value]) -> Compute[NodeRow]:
    """A field that is measured on this machine, and null where the node is another one."""
    return lambda row, view: measure() if row["id"] == view.here else None


def _time(row: NodeRow, view: View) -> Document:
    here = row["id"] == view.here
    return {
        "time": view.now if here else None,
        "timezone": row["time"]["timezone"] if row["time"] else None,
        "uptime": facts.uptime() if here else None,
    }


def _license(row: NodeRow, view: View) -> Document | None:
    license = license_of(row["id"], view)
    if license is None:
        return None
    return {"expiry": license.expires_at, "valid": is_valid(license, view.now)}


def _storage_usage(row: NodeRow, view: View) -> Document | None:
    """The pools of this node together; what lies on one file system counts once."""
    if row["id"] != view.here:
        return None
    found = {}
    for item in view.by(kinds.STORAGE_POOL_NODE, "node_id", row["id"]):
        pool = view.get(kinds.STORAGE_POOL, item["storage_pool_id"])
        seen = backend(pool["type"]).usage(pool_of(pool, view.host)) if pool is not None else None
        if pool is not None and seen is not None:
            found[_file_system(pool)] = seen
    return usage(
        sum(item.capacity for item in found.values()),
        sum(item.available for item in found.values()),
    )


def _file_system(pool: StoragePoolRow) -> int | str:
    try:
        return os.stat(pool["options"]["path"]).st_dev
    except (KeyError, OSError):
        return str(pool["id"])


def _memory_usage() -> Document:
    with open("/proc/meminfo", encoding="ascii") as file:
        table = dict(line.split(":", 1) for line in file)
    total, available = (int(table[key].split()[0]) for key in ("MemTotal", "MemAvailable"))
    return {
        "total": total // 1024,
        "used": (total - available) // 1024,
        "available": available // 1024,
        "percent_used": percent(total - available, total),
    }


def _cpu_usage() -> Document:
    idle, total = _cpu_times()
    time.sleep(_SAMPLE)
    idle_then, total_then = _cpu_times()
    busy = (total_then - total) - (idle_then - idle)
    return {
        "percent_used": percent(busy, total_then - total),
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def _cpu_times() -> tuple[int, int]:
    """Ticks that the processors were idle, and all of them (proc(5), /proc/stat)."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(text) for text in file.readline().split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


NODE = Info(
    kind=kinds.NODE,
    plural="nodes",
    parents=(kinds.ORGANIZATION, kinds.CLUSTER),
    computed={
        "alive": Computed(
            _live(lambda: True),
            Returned(
                "V(true) where the node is this machine. Of other nodes nobody knows, V(null).",
                "bool",
                sample=True,
            ),
        ),
        "time": Computed(
            _time,
            Returned(
                "Its clock.",
                "dict",
                contains={
                    "time": Returned(
                        "The time in UTC, V(null) for other nodes than this machine.",
                        sample="2026-01-31T12:00:00Z",
                    ),
                    "timezone": Returned("Time zone.", sample="Etc/UTC"),
                    "uptime": Returned(
                        "Seconds since it started, V(null) for other nodes than this machine.",
                        "int",
                        sample=86400,
                    ),
                },
            ),
        ),
        "license": Computed(
            _license,
            Returned(
                "Its licence, V(null) without one.",
                "dict",
                contains={
                    "expiry": Returned(
                        "When it ends or ended, in UTC.", sample="2026-01-31T12:00:00Z"
                    ),
                    "valid": Returned("Whether it is valid now.", "bool", sample=True),
                },
            ),
        ),
        "cpu_usage": Computed(
            _live(_cpu_usage),
            Returned(
                "Its processors now, V(null) for other nodes than this machine. Measuring takes a"
                " tenth of a second.",
                "dict",
                contains={
                    "percent_used": Returned(
                        "How busy they are together, in percent.", "float", sample=12.5
                    ),
                    "load_average": Returned(
                        "Over 1, 5 and 15 minutes.",
                        "list",
                        elements="float",
                        sample=[0.52, 0.58, 0.59],
                    ),
                },
            ),
        ),
        "memory_usage": Computed(
            _live(_memory_usage),
            Returned(
                "Its memory now, V(null) for other nodes than this machine.",
                "dict",
                contains={
                    "total": Returned("MiB.", "int", sample=32118),
                    "used": Returned(
                        "MiB that cannot be had without swapping.", "int", sample=9120
                    ),
                    "available": Returned(
                        "MiB that can be had without swapping.", "int", sample=22998
                    ),
                    "percent_used": Returned(
                        "What is used of the total, in percent.", "float", sample=28.4
                    ),
                },
            ),
        ),
        "storage_usage": Computed(
            _storage_usage,
            Returned(
                "Its storage pools together, where several on one file system count once. V(null)"
                " for other nodes than this machine.",
                "dict",
                contains={
                    "capacity": Returned("Size in GB of 10^9 bytes.", "float", sample=270.55),
                    "allocated": Returned(
                        "What is used in GB, whoever uses it.", "float", sample=189.55
                    ),
                    "available": Returned("What is free in GB.", "float", sample=81.0),
                    "percent_used": Returned(
                        "What is used of the size, in percent.", "float", sample=70.1
                    ),
                },
            ),
        ),
    },
)
