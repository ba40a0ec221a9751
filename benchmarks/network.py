# SPDX-License-Identifier: Apache-2.0
"""vSwitches and port groups, side by side with loops over commands and unit files."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.cases import Bench, Line
from benchmarks.ground import BRIDGES
from benchmarks.timing import Figure, Sample

_PORT_GROUPS = 10
"""Of each vSwitch."""


def network(bench: Bench) -> Iterator[Line]:
    """Ten vSwitches with ten port groups each, made and found as they should be.

    The loops do less: they check no name, compare no bridge, and know no port groups.
    """
    units = bench.ground.directory / "units"
    ours, theirs = [{"pextra.ce.apply": {"resources": _resources()}}], _loops(units)
    count = f"{len(BRIDGES)} vSwitches with {_PORT_GROUPS * len(BRIDGES)} port groups"

    def cold(tasks: list[dict[str, Any]]) -> Sample:
        bench.ground.unbridge()
        bench.ground.renew()
        units.mkdir()
        return bench.play_all(tasks)

    def again(tasks: list[dict[str, Any]]) -> Figure:
        cold(tasks)
        return bench.together({"again": functools.partial(bench.play_all, tasks)})["again"]

    found = bench.together(
        {"apply": functools.partial(cold, ours), "loops": functools.partial(cold, theirs)}
    )
    yield from _lines("makes", count, found["apply"], found["loops"])
    yield from _lines("finds nothing to do for", count, again(ours), again(theirs))
    bench.ground.unbridge()
    bench.ground.renew()


def _lines(what: str, count: str, one: Figure, other: Figure) -> Iterator[Line]:
    yield Line(
        f"one `pextra.ce.apply` {what} {count}", one,
        f"{other.wall / one.wall:.1f} times as fast as the loops",
    )  # fmt: skip
    yield Line(f"loops over `ip link` and unit files: {what} {len(BRIDGES)} bridges", other)


def _resources() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"kind": "vswitch", "name": name} for name in BRIDGES]
    return found + [
        {"kind": "port_group", "name": f"{name}-{number}", "vswitch": name}
        for name in BRIDGES
        for number in range(_PORT_GROUPS)
    ]


def _loops(units: Path) -> list[dict[str, Any]]:
    """What a playbook does without a module for it: commands that look first, and unit files."""
    make = ["ip", "link", "add", "name", "{{ item }}", "type", "bridge"]
    return [
        {
            "ansible.builtin.command": {"argv": make, "creates": "/sys/class/net/{{ item }}"},
            "loop": list(BRIDGES),
        },
        {
            "ansible.builtin.command": {
                "argv": ["ip", "link", "set", "{{ item }}", "mtu", "1500", "up"]
            },
            "loop": list(BRIDGES),
            "changed_when": False,
        },
        {
            "ansible.builtin.copy": {
                "dest": f"{units}/{{{{ item.0 }}}}.{{{{ item.1 }}}}",
                "content": "[Match]\nName={{ item.0 }}\n",
                "mode": "0644",
            },
            "loop": [[name, kind] for name in BRIDGES for kind in ("netdev", "network")],
        },
    ]
