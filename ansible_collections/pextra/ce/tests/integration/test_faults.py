# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed at any point leaves nothing that the next run does not finish."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import (
    Args,
    Node,
    kill_points,
    quietly,
    run,
    succeeded,
)


def cloud(node: Node, step: int = 0) -> list[Args]:
    """A manifest with something of everything that is on a host; each step changes all of it."""
    name = node.name("vm")
    nics = [{"name": f"net{number}", "port_group": "lan"} for number in range(1 + step)]
    return [
        node.pool_entry(),
        {"kind": "vswitch", "name": node.vswitch, "mtu": 1500 + step},
        {"kind": "port_group", "name": "lan", "vswitch": node.vswitch},
        {
            "kind": "volume",
            **node.volume("spare", f"{8 + step}MiB", image=f"{node.directory}/system.qcow2"),
        },
        {
            "kind": "instance",
            "name": name,
            "memory": 32 + step,
            "autostart": step % 2 == 0,
            "cloud_init": {"user_data": f"#cloud-config\n# {step}\n"},
            "volumes": [node.volume("root"), node.volume("data", f"{4 + step}MiB", format="raw")],
            "networks": nics,
        },
    ]


def ended(node: Node) -> list[Args]:
    """A manifest in which the cloud is gone."""
    return [
        {
            "kind": "instance", "name": node.name("vm"), "state": "absent",
            "destroy_volumes": True,
        },
        {"kind": "volume", "name": "spare", "storage_pool": node.pool, "state": "absent"},
        {"kind": "storage_pool", "name": node.pool, "state": "absent"},
        {"kind": "port_group", "name": "lan", "state": "absent"},
        {"kind": "vswitch", "name": node.vswitch, "state": "absent"},
    ]  # fmt: skip


POWERED = {"started": True, "killed": False}
FIRST = 5
"""The first point at which a run could have written: those of mere reading are left out."""


def killed(node: Node, resources: list[Args], at: int) -> str | None:
    """Kill a run at a point; where that was, or None if the run came to its end before it."""
    result = node.task("apply", {"resources": resources}, die_at=at)
    if result.raw["signal"] is None:
        succeeded(result)
        return None
    assert result.raw["signal"] == signal.SIGKILL
    assert len(result.raw["points"]) == at
    return f"killed at point {at}, {result.raw['points'][-1]}"


def finished(node: Node, resources: list[Args], where: str) -> None:
    """The next run finishes the work, and the one after it has nothing to do."""
    result = node.task("apply", {"resources": resources})
    assert not result.failed, f"{where}: {result.values.get('msg')}"
    third = node.apply(*resources)
    assert not third.changed, f"{where}: {third['plan']}"
    settled = node.sql(
        " UNION ALL ".join(
            f"SELECT '{table}' AS kind, id, status FROM {table} WHERE status <> 'ready'"
            for table in (
                "storage_pools",
                "storage_pool_nodes",
                "vswitches",
                "instances",
                "volumes",
            )
        )
    )
    assert settled == [], where


def whole(node: Node, step: int, where: str) -> None:
    """Everything is on the host as the step has it, and nothing besides."""
    there = node.libvirt()
    domain = there["domains"][node.name("vm")]
    assert domain["autostart"] == (step % 2 == 0), where
    xml = node.domain(node.name("vm"))
    assert xml.findtext("memory") == str((32 + step) * 1024), where
    assert len(xml.findall("devices/interface")) == 1 + step, where
    assert len(xml.findall("devices/disk")) == 3, where
    assert there["pools"][node.pool]["active"], where
    assert there["pools"][node.pool]["autostart"], where
    assert node.bridges() == {node.vswitch: 1500 + step}, where
    images = {str(node.image_of(name)) for name in ("root", "data", "spare")}
    assert {str(path) for path in (node.directory / "pool").iterdir()} == images, where
    assert node.size_of("spare") == (8 + step) << 20, where
    assert node.size_of("data") == (4 + step) << 20, where
    seeds = list((node.directory / "lib" / "seeds").iterdir())
    assert [path.suffix for path in seeds] == [".iso"], f"{where}: {seeds}"
    assert xml.find(f"devices/disk/source[@file='{seeds[0]}']") is not None, where


def nothing(node: Node, where: str) -> None:
    """Nothing is left, on the host or in the store."""
    assert node.left() == [], where
    kept = ("system.qcow2",)
    assert [name for name in node.host()["files"] if name not in kept] == [], where
    for table in ("storage_pools", "storage_pool_nodes", "vswitches", "instances", "volumes",
                  "network_devices", "port_groups"):  # fmt: skip
        assert node.sql(f"SELECT id FROM {table}") == [], where


@pytest.fixture
def empty_node(make_lab: Callable[..., Node]) -> Node:
    """A node that has nothing yet but the image of a system."""
    made = make_lab(Node)
    made.image("system.qcow2")
    return made


def test_creation_and_deletion_killed_anywhere_are_finished_by_the_next_run(
    empty_node: Node,
) -> None:
    node, deletion_ends = empty_node, False
    for at in kill_points(FIRST):
        where = killed(node, cloud(node), at)
        if where is not None:
            finished(node, cloud(node), where)
        elif deletion_ends:
            return
        whole(node, 0, str(where))
        where = killed(node, ended(node), at)
        deletion_ends = where is None
        if where is not None:
            finished(node, ended(node), where)
        nothing(node, str(where))


def test_creation_killed_anywhere_can_be_taken_back(empty_node: Node) -> None:
    node = empty_node
    for at in kill_points(FIRST):
        where = killed(node, cloud(node), at)
        if where is None:
            return
        finished(node, ended(node), where)
        nothing(node, where)


def test_change_killed_anywhere_is_finished_by_the_next_run(empty_node: Node) -> None:
    node = empty_node
    node.apply(*cloud(node))
    for step, at in enumerate(kill_points(FIRST), 1):
        where = killed(node, cloud(node, step), at)
        if where is None:
            return
        finished(node, cloud(node, step), where)
        whole(node, step, where)


@pytest.mark.parametrize("fault", ["die_at", "lose_libvirt_at"])
def test_definitions_of_many_that_are_broken_off_are_finished_by_the_next_run(
    node: Node, fault: str
) -> None:
    names = [node.name(f"vm{number}") for number in range(6)]
    many = [{"kind": "instance", "name": name, "memory": 32, "autostart": True} for name in names]
    gone = [{"kind": "instance", "name": name, "state": "absent"} for name in names]
    points = node.task("apply", {"resources": many}, die_at=0).raw["points"]
    node.apply(*gone)
    defining = [at for at, point in enumerate(points, 1) if "defineXMLFlags" in point]
    assert len(defining) == len(names)
    for at in defining[::2]:
        result = node.task("apply", {"resources": many}, **{fault: at})
        if fault == "die_at":
            assert result.raw["signal"] == signal.SIGKILL
        else:
            assert result.code == "host"
            assert any(f'instance "{name}": defining it failed' in result.message for name in names)
        finished(node, many, f"{fault} {at}")
        assert node.domains() == names
        node.apply(*gone)
    assert node.domains() == []


def test_power_killed_anywhere_is_finished_by_the_next_run(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name))
    states = {state: [{"kind": "instance", "name": name, "state": state}] for state in POWERED}
    for at in kill_points(FIRST):
        ends = []
        for state, running in POWERED.items():
            where = killed(node, states[state], at)
            finished(node, states[state], str(where))
            assert node.running() == ([name] if running else []), where
            ends.append(where is None)
        if all(ends):
            return


def test_removal_of_one_instance_killed_anywhere_is_finished_by_the_next_run(node: Node) -> None:
    name = node.name("vm")
    ended = {"name": name, "state": "absent"}
    for at in kill_points(FIRST):
        node.run("instance", name=name, memory=32)
        result = node.task("instance", ended, die_at=at)
        where = f"killed at {result.raw['points'][-1:]}"
        node.run("instance", **ended)
        assert node.sql("SELECT id FROM instances") == [], where
        assert not node.run("instance", **ended).changed, where
        if result.raw["signal"] is None:
            return


def test_removal_killed_anywhere_can_be_taken_back_with_what_is_left(empty_node: Node) -> None:
    node = empty_node
    for at in kill_points(FIRST):
        node.apply(*cloud(node))
        macs = node.sql("SELECT id, mac FROM network_devices")
        for name, pattern in PATTERNS.items():
            write(node, name, pattern)
        where = killed(node, ended(node), at)
        if where is None:
            nothing(node, "removed")
            return
        left = {row["name"]: row["id"] for row in node.sql("SELECT id, name FROM volumes")}
        gone = [name for name in left if not node.image_of(name).exists()]
        wanted = cloud(node)
        if gone:
            wanted += told_and_begun_anew(node, wanted, gone, where)
        finished(node, wanted, where)
        whole(node, 0, where)
        for name, pattern in PATTERNS.items():
            if name in left:
                assert node.row("volumes", name)["id"] == left[name], where
                assert has(node, name, pattern) == (name not in gone), f"{where}: {name}"
        if left:
            assert node.sql("SELECT id, mac FROM network_devices") == macs, where
        node.apply(*ended(node))


PATTERNS = {"root": "0x51", "data": "0x52", "spare": "0x53"}


def write(node: Node, name: str, pattern: str) -> None:
    """Have data in a volume that tells it from a new one."""
    path = node.image_of(name)
    format = path.suffix.removeprefix(".")
    run("qemu-io", "-f", format, "-c", f"write -P {pattern} 1M 64k", str(path))


def has(node: Node, name: str, pattern: str) -> bool:
    """Whether it is there."""
    path = node.image_of(name)
    command = f"read -P {pattern} 1M 64k"
    out = quietly("qemu-io", "-r", "-f", path.suffix.removeprefix("."), "-c", command, str(path))
    return "failed" not in out


def told_and_begun_anew(node: Node, wanted: list[Args], gone: list[str], where: str) -> list[Args]:
    """Volumes whose data is gone are named, and no others; the entries that begin them anew."""
    result = node.apply_refused(*wanted)
    named = [item["resource"] for item in result["errors"]]
    assert sorted(named) == sorted(f'volume "{name}"' for name in gone), where
    assert all("its data is missing" in item["message"] for item in result["errors"]), where
    (spare,) = (entry for entry in wanted if entry["name"] == "spare")
    spare["recreate_missing"] = "spare" in gone
    return [
        {"kind": "volume", **node.volume(name, None), "recreate_missing": True}
        for name in gone
        if name != "spare"
    ]


@pytest.mark.parametrize("back", [True, False])
def test_removal_that_keeps_volumes_killed_anywhere_lets_go_of_them_last(
    node: Node, back: bool
) -> None:
    name = node.name("vm")
    entry = node.instance(name, volumes=[node.volume("root"), node.volume("data")])
    attached = "SELECT id, instance_id, device_path, device_name, is_root, status FROM volumes"
    ends = False
    for at in kill_points(FIRST):
        node.run("instance", **entry)
        before = node.sql(f"{attached} ORDER BY id")
        result = node.task("instance", {"name": name, "state": "absent"}, die_at=at)
        where = f"killed at {result.raw['points'][-1:]}"
        ends = result.raw["signal"] is None
        if node.sql("SELECT id FROM instances") == []:
            assert [row["instance_id"] for row in node.sql(attached)] == [None, None], where
        elif back:
            node.run("instance", name=name)
            assert node.sql(f"{attached} ORDER BY id") == before, where
            assert len(node.domain(name).findall("devices/disk")) == 2, where
            assert len(node.domain(name).findall("devices/interface")) == 1, where
            assert not node.run("instance", **entry).changed, where
        else:
            going = node.row("instances", name)["status"] == "deleting"
            status, out, err = node.command("reconcile")
            assert status == 0, f"{where}: {out}{err}"
            rows = node.sql(attached)
            assert {row["status"] for row in rows} == {"ready"}, where
            assert all((row["instance_id"] is None) == going for row in rows), where
            assert node.domains() == ([] if going else [name]), where
        if ends:
            return


def test_a_second_run_waits_for_the_first_and_both_succeed(empty_node: Node) -> None:
    node = empty_node
    job = node.job("apply", {"resources": cloud(node)})
    results = [succeeded(result) for result in node.together([job, job, job])]
    assert sorted(result.changed for result in results) == [False, False, True]
    whole(node, 0, "three at once")
