# SPDX-License-Identifier: Apache-2.0
"""What every table of results says of where it was made."""

from __future__ import annotations

import datetime as dt
import os
import platform


def day() -> dt.date:
    """Today."""
    return dt.datetime.now(dt.UTC).date()


def machine() -> str:
    """The machine, and how busy it was."""
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(file.readline().split()[1]) / (1 << 20)
    load = os.getloadavg()[2]
    return (
        f"{os.cpu_count()} processors ({platform.machine()}), {memory:.0f} GiB of memory, Linux"
        f" {platform.release()}; load over the last 15 minutes: {load:.1f}."
    )
