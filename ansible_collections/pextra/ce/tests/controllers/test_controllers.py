# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as it is installed, under the oldest and the newest ansible-core."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.controllers.place import Controller

BASE: list[dict[str, Any]] = [
    {"kind": "organization", "name": "Example"},
    {"kind": "datacenter", "name": "east"},
    {"kind": "cluster", "name": "main"},
    {"kind": "node", "name": "node1"},
]
MIGRATED: dict[str, Any] = {"pextra.ce.database": {"state": "migrated"}}
GUARDED: dict[str, Any] = {
    "name": "svswitch9",
    "uplinks": ["uplink0"],
    "management": "migrate",
    "guard_timeout": 60,
}


def applied(resources: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A task that applies resources."""
    return {"pextra.ce.apply": {"resources": resources}, **more}


def test_every_plugin_is_documented(controller: Controller) -> None:
    for type, folder in (("module", "modules"), ("inventory", "inventory")):
        files = sorted((controller.collection / "plugins" / folder).glob("[a-z]*.py"))
        names = [f"pextra.ce.{path.stem}" for path in files]
        assert names
        shown = json.loads(controller.run("ansible-doc", "-j", "-t", type, *names))
        assert sorted(shown) == names
        for name, found in shown.items():
            assert found["doc"]["short_description"], name
            assert found["examples"], name
    listed = json.loads(controller.run("ansible-doc", "-j", "-l", "pextra.ce"))
    there = {path.stem for path in (controller.collection / "plugins/modules").glob("[a-z]*.py")}
    assert set(listed) == {f"pextra.ce.{name}" for name in there}


def test_a_cloud_is_predicted_made_and_found_unchanged(
    controller: Controller, database: str
) -> None:
    tasks = [
        {**MIGRATED, "check_mode": False},
        applied(BASE, register="predicted", check_mode=True, diff=True),
        applied(BASE, register="made"),
        applied(BASE, register="again"),
        {"pextra.ce.node": {"name": "node1", "description": "one"}, "register": "one"},
        {"pextra.ce.node_info": {}, "register": "info"},
        {"pextra.ce.vswitch": {"name": "svswitch1"}, "register": "vswitch"},
    ]
    run = controller.play(tasks, defaults={"database": database})
    assert run["predicted"]["changed"], run.output
    assert len(run["predicted"]["diff"]) == len(BASE)
    assert [step["name"] for step in run["made"]["plan"]] == ["Example", "east", "main", "node1"]
    assert [step["action"] for step in run["predicted"]["plan"]] == [
        step["action"] for step in run["made"]["plan"]
    ]
    assert not run["again"]["changed"]
    (step,) = run["one"]["plan"]
    assert (step["before"], step["after"]) == ({"description": ""}, {"description": "one"})
    assert [node["description"] for node in run["info"]["nodes"]] == ["one"]
    assert run["vswitch"]["vswitch"]["status"] == "ready", run.output
    assert "+++ after: node node1 (create)" in run.output
    assert run.code == 0, run.output


def test_what_moves_the_nodes_address_is_confirmed_or_refused(
    controller: Controller, database: str
) -> None:
    address = "ip -brief -4 address show up scope global"
    guards = "ls /var/lib/pextra-ce/network-guard/"
    changed = {"name": "svswitch9", "mtu": 1400}
    tasks = [
        MIGRATED,
        applied(BASE),
        {"pextra.ce.vswitch": GUARDED, "register": "unattended", "async": 60, "poll": 1},
        {"ansible.builtin.command": f"{address}", "register": "before"},
        {"pextra.ce.vswitch": GUARDED, "register": "predicted", "check_mode": True},
        {"pextra.ce.vswitch": GUARDED, "register": "moved"},
        {"ansible.builtin.command": f"{address}", "register": "after"},
        {"ansible.builtin.shell": f"{guards}*", "register": "kept"},
        {"pextra.ce.vswitch": GUARDED, "register": "again", "async": 60, "poll": 1},
        applied([{"kind": "vswitch", **changed}], register="manifest", poll=1, **{"async": 60}),
        applied([{"kind": "vswitch", **changed}], register="changed"),
        {"pextra.ce.vswitch": GUARDED | {"state": "absent"}, "register": "removed"},
        {"ansible.builtin.command": f"{address}", "register": "back"},
        {"pextra.ce.vswitch_info": {}, "register": "left"},
    ]
    run = controller.play(tasks, defaults={"database": database})
    for name in ("unattended", "manifest"):
        assert run[name]["failed"], run.output
        assert "unless the caller confirms it" in run[name]["msg"]
        assert "without async" in run[name]["msg"]
        assert [item["code"] for item in run[name]["errors"]] == ["unsupported"]
    assert run["before"]["stdout"].split() == ["uplink0@cable0", "UP", "192.0.2.2/24"]
    assert not run["moved"].get("failed"), run.output
    assert [step["action"] for step in run["moved"]["plan"]] == ["create", "bridge"]
    assert run["predicted"]["changed"]
    assert "guards" not in run["moved"]
    assert run["after"]["stdout"].split() == ["svswitch9", "UP", "192.0.2.2/24"]
    assert run["kept"]["stdout"] == "confirmed.json"
    assert run["again"]["changed"] is False, run.output
    assert run["changed"]["changed"], run.output
    assert "guards" not in run["changed"]
    assert run["removed"]["changed"], run.output
    assert run["back"]["stdout"].split() == ["uplink0@cable0", "UP", "192.0.2.2/24"]
    assert run["left"]["vswitches"] == []


def test_the_inventory_reads_the_store(controller: Controller, database: str) -> None:
    run = controller.play([MIGRATED, applied(BASE)], defaults={"database": database})
    assert run.code == 0, run.output
    source = controller.directory / "cloud.pextra.yml"
    source.write_text(f"plugin: pextra.ce.pextra\ndatabase: {database}\n")
    listed = json.loads(controller.run("ansible-inventory", "-i", str(source), "--list"))
    assert listed["pextra_nodes"]["hosts"] == ["node1"]


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("", "this machine has no engine of the platform"),
        ("0.1.0", "this machine's engine has version 0.1.0, and this collection needs 0.2"),
    ],
    ids=["missing", "old"],
)
def test_a_machine_without_the_engine_is_told_so(
    controller: Controller, engine: Path, version: str, message: str
) -> None:
    tasks = [
        {"pextra.ce.vswitch": {"name": "x", "state": "present"}, "register": "single"},
        applied([{"kind": "user", "password": "{{ secret }}"}], register="manifest"),
        {"pextra.ce.node_info": {}, "register": "listing", "check_mode": True},
    ]
    run = controller.play(
        tasks, "-vvv", variables={"secret": "planted-0815"},
        ENGINE_PLACE=str(engine), ENGINE_VERSION=version,
    )  # fmt: skip
    for name in ("single", "manifest", "listing"):
        assert run[name]["failed"]
        assert message in run[name]["msg"]
        assert "role pextra.ce.platform" in run[name]["msg"]
        assert run[name]["code"] == "engine"
    assert "Invoked" in run.log
    assert "planted-0815" not in run.output + run.log
