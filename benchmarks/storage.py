# SPDX-License-Identifier: Apache-2.0
"""Storage pools: their propagation and status, side by side with a loop over libvirt's."""

from __future__ import annotations

import functools
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

from benchmarks.cases import Bench, Line
from benchmarks.ground import PREFIX
from benchmarks.timing import Sample

_UNREALISED = "UPDATE storage_pool_nodes SET internal_id = NULL, status = 'pending'"
_PROPAGATE: dict[str, Any] = {"pextra.ce.storage_pool_propagation": {}}
_STATUS: dict[str, Any] = {"pextra.ce.storage_pool_info": {"fields": ["name", "status"]}}


def pools(bench: Bench) -> Iterator[Line]:
    """Realise directory pools, and find them available, at more and more of them."""
    for count in bench.size.pools:
        bench.ground.renew()
        _make(bench, count)

        def cold() -> Sample:
            _unrealise(bench)
            return bench.play(_PROPAGATE)

        def loop(count: int = count) -> Sample:
            bench.ground.forget("theirs")
            return bench.play_all(_loop(bench, count))

        found = bench.together({"propagation": cold, "virt_pool": loop})
        one, other = found["propagation"], found["virt_pool"]
        yield Line(
            f"propagation realises {count} pools", one,
            f"{other.wall / one.wall:.1f} times as fast as the loop",
        )  # fmt: skip
        yield Line(f"loops of `virt_pool` define, start and autostart {count} pools", other)
        bench.play(_PROPAGATE)
        again = bench.together(
            {
                "propagation": functools.partial(bench.play, _PROPAGATE),
                "status": functools.partial(bench.play, _STATUS),
                "virt_pool": functools.partial(bench.play_all, _loop(bench, count)),
            }
        )
        other = again["virt_pool"]
        for name, what in (
            ("propagation", f"propagation, nothing to do, {count} pools"),
            ("status", f"`storage_pool_info` of the status of {count} pools"),
        ):
            ratio = other.wall / again[name].wall
            yield Line(what, again[name], f"{ratio:.1f} times as fast as the loops")
        yield Line(f"the loops of `virt_pool` again, nothing to do, {count} pools", other)
        bench.ground.forget("theirs")
        bench.ground.forget("shared")


def _names(stem: str, count: int) -> list[str]:
    return [f"{PREFIX}{stem}{number:04}" for number in range(count)]


def _make(bench: Bench, count: int) -> None:
    """Have so many pools in the store, enabled on this node and realised."""
    resources = [
        {
            "kind": "storage_pool", "name": name, "nodes": ["bench"],
            "options": {"path": str(bench.ground.directory / name)},
        }
        for name in _names("shared", count)
    ]  # fmt: skip
    bench.play({"pextra.ce.apply": {"resources": resources}})


def _unrealise(bench: Bench) -> None:
    """Have the pools in the store alone."""
    bench.ground.forget("shared")
    bench.ground.sql(_UNREALISED, "cloud")


def _loop(bench: Bench, count: int) -> list[dict[str, Any]]:
    """The tasks with which community.libvirt comes to the same."""
    names = _names("theirs", count)
    for name in names:
        (bench.ground.directory / name).mkdir(exist_ok=True)
    loop = {"loop": names, "loop_control": {"label": ""}}
    module = "community.libvirt.virt_pool"
    text = _definition("{{ item }}", f"{bench.ground.directory}/{{{{ item }}}}")
    return [
        {module: {"command": "define", "name": "{{ item }}", "xml": text}, **loop},
        {module: {"state": "active", "name": "{{ item }}"}, **loop},
        {module: {"autostart": True, "name": "{{ item }}"}, **loop},
    ]


def _definition(name: str, path: str) -> str:
    root = ET.Element("pool", type="dir")
    ET.SubElement(root, "name").text = name
    ET.SubElement(ET.SubElement(root, "target"), "path").text = path
    return ET.tostring(root, encoding="unicode")
