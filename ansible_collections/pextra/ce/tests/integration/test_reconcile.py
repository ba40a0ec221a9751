# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine without a request makes this node what the store says, and loses nothing by it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration import test_drift, test_faults, test_ports
from ansible_collections.pextra.ce.tests.integration.lab import (
    Args,
    Lab,
    Node,
    Result,
    kill_points,
    run,
)

OF_ALL = ("storage_pools", "storage_pool_nodes", "vswitches", "instances", "volumes")


def reconcile(lab: Lab, **args: Any) -> Result:
    """A run whose prediction came true and wrote nothing."""
    before, host = lab.rows_of_all(), lab.host()
    said = lab.call("reconcile", args, check=True)
    assert lab.rows_of_all() == before, "check mode wrote to the store"
    assert lab.host() == host, "check mode changed the host"
    done = lab.call("reconcile", args)
    assert said.failed == done.failed, (said.values, done.values)
    for key in ("changed", "plan", "resources"):
        assert said[key] == done[key], key
    return done


def found(result: Result) -> dict[str, str]:
    """How each resource was found that was not whole, by kind and name."""
    return {
        f"{item['kind']} {item['name']}": item["found"]
        for item in result["resources"]
        if item["found"] != "whole"
    }


def left(result: Result) -> list[str]:
    """Kind and action of what was not done without a request."""
    items = [step for item in result["resources"] for step in item["left"]]
    assert all(step["why"] for step in items)
    return [f"{step['kind']} {step['action']}" for step in items]


def unsettled(lab: Lab) -> list[Args]:
    """Rows that are not ready."""
    parts = (f"SELECT id, status FROM {name} WHERE status <> 'ready'" for name in OF_ALL)
    return lab.sql(" UNION ALL ".join(parts))


@pytest.fixture(scope="module")
def drifting(make_module_lab: Callable[..., Node]) -> Node:
    """A node whose cloud is whole again after each test that passes."""
    made = make_module_lab(Node)
    made.apply(*test_drift.cloud(made))
    return made


@pytest.fixture
def machine(lab: Lab) -> str:
    """The machine id of another node of the lab's cluster, which is registered."""
    return registered(lab)


def registered(lab: Lab) -> str:
    path = str(lab.file("machine-id", f"{secrets.token_hex(16)}\n".encode()))
    result = lab.task("node", {"name": "node2"}, machine_id=path)
    assert not result.failed, result.message
    return path


# Drift


def test_a_node_that_is_whole_is_left_alone_and_told_of_completely(drifting: Node) -> None:
    before, host = drifting.rows_of_all(), drifting.host()
    result = reconcile(drifting)
    assert not result.changed
    kinds = {item["kind"] for item in result["resources"]}
    assert kinds == {"vswitch", "storage_pool_node", "volume", "instance"}
    assert found(result) == {}
    assert drifting.rows_of_all() == before
    assert drifting.host() == host


@pytest.mark.parametrize("change", test_drift.CHANGES, ids=lambda change: change.__name__)
def test_drift_is_found_and_repaired(drifting: Node, change: test_drift.Repair) -> None:
    node = drifting
    before = test_drift.comparable(node)
    change(node)
    assert test_drift.comparable(node) != before
    result = reconcile(node)
    assert result.actions == [test_drift.CHANGES[change]]
    assert list(found(result).values()) == ["drifted"]
    assert test_drift.comparable(node) == before
    assert not reconcile(node).changed
    assert not node.apply(*test_drift.cloud(node)).changed


def test_all_of_it_at_once_is_repaired_in_the_order_of_what_stands_on_what(
    drifting: Node,
) -> None:
    node = drifting
    before = test_drift.comparable(node)
    test_drift.undefine(node)
    test_drift.delete_bridge(node)
    test_drift.undefine_pool(node)
    result = reconcile(node)
    assert result.actions == ["vswitch bridge", "storage_pool_node define", "instance define"]
    assert test_drift.comparable(node) == before


def test_only_what_is_named_is_seen_to(drifting: Node) -> None:
    node = drifting
    before = test_drift.comparable(node)
    test_drift.undefine(node)
    test_drift.delete_bridge(node)
    test_drift.stop_pool(node)
    assert reconcile(node, kind="storage_pool").actions == ["storage_pool_node start"]
    assert reconcile(node, kind="volume").actions == []
    name = node.name("vm")
    assert reconcile(node, kind="instance", names=[name]).actions == ["instance define"]
    assert reconcile(node, kind="port_group", names=["lan"]).actions == ["vswitch bridge"]
    assert test_drift.comparable(node) == before


def test_what_is_named_must_exist_and_be_on_a_node(drifting: Node) -> None:
    for args, code in (
        ({"kind": "instance", "names": ["nowhere"]}, "not_found"),
        ({"kind": "organization"}, "invalid_input"),
        ({"names": ["vm"]}, "invalid_input"),
    ):
        result = drifting.call("reconcile", args)
        assert result.failed
        assert result.code == code


def test_port_of_a_running_instance_is_closed_again(node: Node) -> None:
    node.run("port_group", name="lan", forged_transmits=False)
    name = node.name("vm")
    node.run("instance", **node.guest(name, state="started", wait_console="ready"))
    tap = test_ports.tap_of(node, name)
    assert test_ports.flags(tap)["locked"]
    run("bridge", "link", "set", "dev", tap, "locked", "off")
    result = reconcile(node, kind="port_group", names=["lan"])
    assert result.actions == ["instance set-port"]
    assert test_ports.flags(tap)["locked"]
    assert test_ports.tap_of(node, name) == tap, "the device was unplugged"


def test_what_runs_is_neither_restarted_nor_given_other_devices(node: Node) -> None:
    name, medium = node.name("vm"), str(node.image("cd.iso", "raw"))
    entry = node.instance(name, cdrom=medium, state="started")
    node.run("instance", **entry)
    later = node.volume("later", instance=name, state="attached", hot_plug=False)
    node.run("volume", **later)
    running = node.virsh("domid", name)
    node.virsh("change-media", name, "sdy", "--eject", "--live", "--force")
    test_drift.change_memory(node)
    before = node.libvirt()["domains"][name]["live"]
    result = reconcile(node)
    assert result.actions == ["instance redefine"]
    assert sorted(set(left(result))) == ["instance change-medium", "instance plug"]
    assert node.virsh("domid", name) == running
    assert node.libvirt()["domains"][name]["live"] == before
    assert node.domain(name).findtext("memory") == str(32 * 1024)
    again = reconcile(node)
    assert not again.changed
    assert left(again) == left(result)


def test_what_only_a_restart_brings_is_told(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name, state="started"))
    running = node.virsh("domid", name)
    node.sql("UPDATE instances SET memory = 48")
    result = reconcile(node)
    assert result.actions == ["instance redefine"]
    assert left(result) == ["instance restart"]
    assert node.virsh("domid", name) == running


def test_missing_data_is_told_and_stops_nothing_else(node: Node) -> None:
    node.run("volume", **node.volume("data"))
    image = node.image_of("data")
    image.unlink()
    test_drift.delete_bridge(node)
    result = reconcile(node)
    assert result.failed
    assert result.code == "conflict"
    assert str(image) in result.message
    assert result.actions == ["vswitch bridge"]
    assert node.bridges() == {node.vswitch: 1500}
    assert not image.exists()


def test_what_is_somebody_else_s_is_told_and_not_touched(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name))
    text = node.libvirt()["domains"][name]["xml"]
    uuid = node.domain(name).findtext("uuid")
    assert uuid is not None
    node.virsh("undefine", name)
    theirs = text.replace(uuid, "c0ffee00-0000-4000-8000-000000000001")
    node.virsh("define", str(node.file("theirs.xml", theirs.encode())))
    before = node.libvirt()
    result = reconcile(node)
    assert result.failed
    assert result.code == "foreign"
    assert node.libvirt() == before
    node.virsh("undefine", name)
    assert reconcile(node).actions == ["instance define"]


# What others and interrupted runs left


def test_what_other_nodes_left_is_done(lab: Lab, machine: str) -> None:
    def pool(stem: str, **more: Any) -> Args:
        path = str(lab.directory / stem)
        return {"name": lab.name(stem), "options": {"path": path}, **more}

    lab.run("storage_pool", **pool("old", nodes=["node1"]))
    for entry in (pool("new", nodes=["node1"]), pool("old", state="absent")):
        assert not lab.task("storage_pool", entry, machine_id=machine).failed
    result = reconcile(lab)
    assert found(result) == {
        f"storage_pool_node {lab.name('new')}": "unfinished",
        f"storage_pool_node {lab.name('old')}": "leaving",
        f"storage_pool {lab.name('old')}": "leaving",
    }
    assert lab.pools() == [lab.name("new")]
    assert [row["name"] for row in lab.sql("SELECT name FROM storage_pools")] == [lab.name("new")]
    assert unsettled(lab) == []


def test_what_is_other_nodes_is_left_to_them(lab: Lab, machine: str) -> None:
    entry = {
        "name": lab.name("pool"), "options": {"path": str(lab.directory / "pool")},
        "nodes": ["node2"],
    }  # fmt: skip
    lab.run("storage_pool", **entry)
    before = lab.rows_of_all()
    result = reconcile(lab)
    assert result["resources"] == []
    assert lab.rows_of_all() == before
    theirs = lab.call("reconcile", {}, machine_id=machine)
    assert theirs.actions == ["storage_pool_node define", "storage_pool_node update"]


def test_a_running_instance_keeps_its_volumes_until_it_can_go(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name, state="started"))
    node.sql("UPDATE instances SET status = 'deleting'")
    node.sql("UPDATE volumes SET status = 'deleting'")
    node.sql("DELETE FROM network_devices")
    image = node.image_of(f"{name}-root")
    result = reconcile(node)
    assert result.failed
    assert "it is running" in result.message
    assert left(result) == ["volume delete"]
    assert image.exists()
    assert node.running() == [name]
    node.virsh("destroy", name)
    assert not reconcile(node).failed
    assert node.domains() == []
    assert not image.exists()
    assert node.sql("SELECT id FROM instances") == node.sql("SELECT id FROM volumes") == []


@pytest.fixture
def empty_node(make_lab: Callable[..., Node]) -> Node:
    """A node that has nothing yet but the image of a system."""
    made = make_lab(Node)
    made.image("system.qcow2")
    return made


@pytest.mark.long
def test_creation_and_deletion_killed_anywhere_are_finished_without_a_request(
    empty_node: Node,
) -> None:
    node, deletion_ends = empty_node, False
    for at in kill_points(test_faults.FIRST):
        where = test_faults.killed(node, test_faults.cloud(node), at)
        finished(node, str(where))
        node.apply(*test_faults.cloud(node))
        test_faults.whole(node, 0, str(where))
        if deletion_ends:
            return
        where = test_faults.killed(node, test_faults.ended(node), at)
        deletion_ends = where is None
        finished(node, str(where))
        node.apply(*test_faults.ended(node))
        test_faults.nothing(node, str(where))


def finished(node: Node, where: str) -> None:
    """Nothing that was claimed is left to be done."""
    result = node.call("reconcile", {})
    assert not result.failed, f"{where}: {result.values.get('msg')}"
    assert unsettled(node) == [], where
    assert not node.call("reconcile", {}).changed, where


def test_reconcile_itself_killed_anywhere_is_finished_by_the_next_one(drifting: Node) -> None:
    node = drifting
    before = test_drift.comparable(node)

    def drift() -> None:
        test_drift.undefine(node)
        test_drift.delete_bridge(node)
        test_drift.undefine_pool(node)

    drift()
    points = node.call("reconcile", {}, die_at=0).raw["points"]
    writing = [at for at, name in enumerate(points, 1) if "read" not in name]
    reached = 0
    for at in writing:
        drift()
        killed = node.call("reconcile", {}, die_at=at)
        # The audit log is sealed at the end of a run, but not of each.
        assert killed.raw["signal"] == 9 or at > len(killed.raw["points"]), points[at - 1]
        reached += killed.raw["signal"] == 9
        assert not node.call("reconcile", {}).failed, points[at - 1]
        assert test_drift.comparable(node) == before, points[at - 1]
        assert unsettled(node) == [], points[at - 1]
    assert reached > 10


def test_any_number_at_once_is_safe(drifting: Node) -> None:
    node = drifting
    before = test_drift.comparable(node)
    test_drift.undefine(node)
    test_drift.delete_bridge(node)
    results = node.together([{**node.job("reconcile", {}), "op": "call"} for _index in range(4)])
    assert [result.message for result in results if result.failed] == []
    done = [action for result in results for action in result.actions]
    assert sorted(done) == ["instance define", "vswitch bridge"]
    assert test_drift.comparable(node) == before


def test_libvirt_that_does_not_answer_is_told_and_stops_no_bridge(drifting: Node) -> None:
    node = drifting
    test_drift.delete_bridge(node)
    result = node.call("reconcile", {}, no_libvirt=True)
    assert result.failed
    assert "Start libvirtd" in result.message
    assert result.actions == ["vswitch bridge", "storage_pool_node update"]
    assert reconcile(node).actions == ["storage_pool_node update"]


def test_who_asked_is_in_the_audit_log(drifting: Node) -> None:
    test_drift.delete_bridge(drifting)
    assert drifting.call("reconcile", {}).changed
    (row,) = drifting.sql(
        "SELECT action, door, name FROM audit_log WHERE kind = 'vswitch' ORDER BY at DESC LIMIT 1"
    )
    assert row == {"action": "bridge", "door": "test", "name": drifting.vswitch}
