# SPDX-License-Identifier: Apache-2.0
"""What is returned of an instance; how it runs only where its node is this machine."""

from __future__ import annotations

import os
from typing import Any

from pextra.host import facts
from pextra.kinds.info import Computed, Info
from pextra.kinds.instance.files import console_log
from pextra.kinds.registry import KINDS
from pextra.kinds.view import View
from pextra.model.fields import Row

_ACCELERATORS = {"kvm": "kvm", "qemu": "tcg"}
"""By libvirt's domain type; a container has none."""


def _presented(name: str) -> Computed:
    """What the state module returns too."""
    return lambda row, view: KINDS["instance"].present(row, view)[name]


def _networks(row: Row, view: View) -> list[dict[str, Any]]:
    return [
        {**device, "port_group": view.name("port_group", device["port_group_id"])}
        for device in _presented("networks")(row, view)
    ]


def _state(row: Row, view: View) -> str | None:
    return view.domains(row["type"]).state(row) if view.is_here(row) else None


def _console(row: Row, view: View) -> dict[str, Any]:
    container = row["type"] == "lxc"
    uri = "lxc:///system" if container else "qemu:///system"
    root = None if container else view.definition(row)
    graphics = root.find("devices/graphics[@type='vnc']") if root is not None else None
    return {
        "serial": f"virsh -c {uri} console {row['name']}",
        "log": None if container else console_log(row, view.host),
        "vnc": graphics.get("socket") if graphics is not None else None,
    }


def _accelerator(row: Row, view: View) -> str | None:
    root = view.definition(row)
    return _ACCELERATORS.get(root.get("type", "")) if root is not None else None


def _uptime(row: Row, view: View) -> int | None:
    if _state(row, view) not in ("running", "paused"):
        return None
    return seconds_since_start(f"/run/libvirt/{row['type']}/{row['name']}.pid")


def seconds_since_start(pid_file: str) -> int | None:
    """How long the process has run whose id libvirt has written to a file (proc(5))."""
    try:
        with open(pid_file, encoding="ascii") as file:
            process = int(file.read())
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
    return max(0, facts.uptime() - ticks // os.sysconf("SC_CLK_TCK"))


def _deployment_duration(row: Row, view: View) -> int:
    return max(0, int((view.now - row["creation"]).total_seconds()))


INSTANCE = Info(
    kind="instance",
    plural="instances",
    columns=(
        "id", "cluster_id", "node_id", "name", "description", "type", "cpu", "memory", "chipset",
        "firmware", "autostart", "boot_order", "cdrom", "rootfs", "rootfs_archive", "restored_from",
        "status", "creation",
    ),
    parents=("cluster", "node"),
    computed={
        "vcpus": _presented("vcpus"),
        "networks": _networks,
        "volumes": _presented("volumes"),
        "devices": _presented("devices"),
        "state": _state,
        "uptime": _uptime,
        "deployment_duration": _deployment_duration,
        "accelerator": _accelerator,
        "console": _console,
    },
)  # fmt: skip
