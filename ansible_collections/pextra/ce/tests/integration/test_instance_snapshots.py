# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots of instances: what comes back, stopped and running, and killed anywhere."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration.guest import READY
from ansible_collections.pextra.ce.tests.integration.lab import Args, Node, kill_points, run

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the guest's boot sector is one of a PC"
)
WAITED = {"wait_console": READY, "timeout": 30}


def vm(node: Node) -> str:
    """The name of the instance."""
    return node.name("vm")


def guest(node: Node, **more: object) -> Args:
    """An instance with two volumes that can have snapshots."""
    entry = node.guest(vm(node), **more)
    root = {**entry["volumes"][0], "format": "qcow2"}
    return {**entry, "volumes": [root, node.volume("data")]}


def snapshot(node: Node, **more: object) -> Args:
    """A snapshot of it."""
    return {"name": "first", "instance": vm(node), **more}


def write(node: Node, pattern: str, volume: str = "data") -> None:
    """Write to a volume of a stopped instance, beyond what a guest boots from."""
    run("qemu-io", "-f", "qcow2", "-c", f"write -P {pattern} 512k 64k", str(node.image_of(volume)))


def reads(node: Node, pattern: str, volume: str = "data") -> bool:
    """Whether that is in a volume of a stopped instance."""
    command = f"read -P {pattern} 512k 64k"
    text = run("qemu-io", "-r", "-f", "qcow2", "-c", command, str(node.image_of(volume)))
    return "Pattern verification failed" not in text


def process(node: Node) -> str:
    """The process that the running domain is."""
    return Path(f"/run/libvirt/qemu/{vm(node)}.pid").read_text()


def kept(node: Node) -> list[str]:
    """Files with memory."""
    top = Path(node.directories[0], "snapshots")
    return sorted(path.name for path in top.iterdir()) if top.exists() else []


def inside(node: Node) -> str:
    """What qemu-img says of snapshots in the volumes."""
    names = (f"{vm(node)}-root", "data")
    return "".join(run("qemu-img", "snapshot", "-l", "-U", str(node.image_of(n))) for n in names)


def test_content_of_a_stopped_instance_comes_back(node: Node) -> None:
    node.run("instance", **guest(node))
    write(node, "1")
    made = node.run("instance_snapshot", **snapshot(node))
    assert made["instance_snapshot"]["state"] == "stopped"
    assert [item["name"] for item in made["instance_snapshot"]["volumes"]] == [
        f"{vm(node)}-root", "data",
    ]  # fmt: skip
    write(node, "2")
    write(node, "3", f"{vm(node)}-root")
    for _turn in range(2):
        done = node.run("instance_snapshot", **snapshot(node, state="reverted"))
        assert "instance_snapshot revert" in done.actions
        assert not done["instance_snapshot"]["reverting"]
        assert reads(node, "1")
        assert reads(node, "0", f"{vm(node)}-root")
        write(node, "2")
    assert node.running() == []
    node.run("instance", name=vm(node), state="started", **WAITED)


@pytest.mark.parametrize("memory", [False, True], ids=["volumes", "memory"])
def test_life_of_a_snapshot_is_as_check_mode_says(node: Node, memory: bool) -> None:
    node.run("instance", **guest(node, state="started", **WAITED))
    steps = [
        snapshot(node, memory=memory),
        snapshot(node, description="before the upgrade"),
        *([snapshot(node, state="reverted")] if memory else []),
        snapshot(node, state="absent"),
    ]
    for options in steps:
        rows = node.rows_of_all()
        said = node.run("instance_snapshot", check=True, **options)
        assert node.rows_of_all() == rows
        done = node.run("instance_snapshot", **options)
        assert said.changed
        assert done.changed
        assert said.actions == done.actions
        assert node.running() == [vm(node)]
        if options.get("state") != "reverted":
            assert not node.run("instance_snapshot", **options).changed
        gone = options.get("state") == "absent"
        assert len(kept(node)) == (memory and not gone), options
    assert "isnap-" not in inside(node)
    assert not node.run("instance", **guest(node)).changed


def test_running_instance_goes_on_as_it_was(node: Node) -> None:
    node.run("instance", **guest(node, state="started", **WAITED))
    log = node.directory / "log/console"
    (console,) = log.iterdir()
    said = console.read_text(errors="replace").count(READY)
    made = node.run("instance_snapshot", **snapshot(node))["instance_snapshot"]
    assert made["state"] == "running"
    assert node.running() == [vm(node)]
    assert kept(node) == []
    assert inside(node).count(made["id"]) == 2
    assert console.read_text(errors="replace").count(READY) == said
    # The guest still answers to its power button.
    node.run("instance", name=vm(node), state="stopped", timeout=30)


def test_memory_comes_back_with_the_volumes_and_the_guest_goes_on(node: Node) -> None:
    node.run("instance", **guest(node, state="started", **WAITED))
    (console,) = (node.directory / "log/console").iterdir()
    node.run("instance_snapshot", **snapshot(node, memory=True))
    said = console.read_text(errors="replace").count(READY)
    node.run("instance", name=vm(node), state="killed")
    write(node, "2")
    done = node.run("instance_snapshot", **snapshot(node, state="reverted"))
    assert node.running() == [vm(node)]
    assert done["instance_snapshot"]["reverted"]
    assert console.read_text(errors="replace").count(READY) == said, "it booted anew"
    before = process(node)
    node.run("instance_snapshot", **snapshot(node, state="reverted"))
    assert process(node) != before
    node.run("instance", name=vm(node), state="stopped", timeout=30)
    assert reads(node, "0")


def test_going_back_without_memory_needs_a_stopped_instance(node: Node) -> None:
    node.run("instance", **guest(node, state="started", **WAITED))
    node.run("instance_snapshot", **snapshot(node))
    result = node.refused("instance_snapshot", **snapshot(node, state="reverted"))
    assert "Stop the instance first" in result.message
    assert node.running() == [vm(node)]


def test_what_cannot_be_is_refused(node: Node) -> None:
    raw = [node.volume("raw", format="raw")]
    node.run("instance", **node.instance(vm(node), volumes=raw))
    result = node.refused("instance_snapshot", **snapshot(node))
    assert 'volume "raw": a raw image file has no snapshots' in result.message
    node.run("instance", **node.instance(node.name("other")))
    other = {"instance": node.name("other")}
    result = node.refused("instance_snapshot", **snapshot(node, memory=True, **other))
    assert "only of an instance that runs" in result.message
    result = node.refused("instance_snapshot", **snapshot(node, state="reverted", **other))
    assert result.code == "not_found"
    for name in ("../x", "a/b", "x" * 64, "-a", "<a>"):
        assert node.refused("instance_snapshot", **snapshot(node, **other) | {"name": name}).failed
    assert node.refused("instance_snapshot", name="a", instance="nobody").code == "not_found"


def test_instance_and_volumes_of_a_snapshot_stay(node: Node) -> None:
    node.run("instance", **guest(node))
    node.run("instance_snapshot", **snapshot(node))
    for more in ({}, {"destroy_volumes": True}):
        result = node.refused("instance", name=vm(node), state="absent", **more)
        assert "first" in result.message
    node.run("volume", **node.volume("data", None, state="detached"))
    result = node.refused("volume", **node.volume("data", None, state="absent"))
    assert "part of 1 snapshots of an instance: first" in result.message
    result = node.refused("instance_snapshot", **snapshot(node, state="reverted"))
    assert "no longer attached" in result.message
    node.run("instance_snapshot", **snapshot(node, state="absent"))
    assert "isnap-" not in inside(node)
    node.run("volume", **node.volume("data", None, state="absent"))
    node.run("instance", name=vm(node), state="absent", destroy_volumes=True)


def test_volume_that_has_grown_since_keeps_its_size(node: Node) -> None:
    node.run("instance", **guest(node))
    node.run("instance_snapshot", **snapshot(node))
    node.run("volume", **node.volume("data", "8MiB"))
    node.run("instance_snapshot", **snapshot(node, state="reverted"))
    assert node.size_of("data") == 8 << 20
    assert not node.run("volume", **node.volume("data", "8MiB")).changed


def test_snapshots_are_listed(node: Node) -> None:
    node.run("instance", **guest(node))
    for name in ("b", "a"):
        node.run("instance_snapshot", **snapshot(node, name=name))
    found = node.run("instance_snapshot_info", instance=vm(node))["instance_snapshots"]
    assert [(item["name"], item["exists"]) for item in found] == [("a", True), ("b", True)]
    assert found[0]["instance"] == vm(node)


@pytest.mark.long
@pytest.mark.parametrize("memory", [False, True], ids=["volumes", "memory"])
def test_taking_and_removing_killed_anywhere_are_finished_by_the_next_run(
    node: Node, memory: bool
) -> None:
    node.run("instance", **guest(node, state="started", **WAITED))
    ended = snapshot(node, state="absent")
    options = snapshot(node, memory=memory)
    for at in kill_points(3):
        made = node.task("instance_snapshot", options, die_at=at)
        where = f"killed at point {at}: {made.raw['points'][-1:]}"
        done = node.run("instance_snapshot", **options)
        assert node.running() == [vm(node)], where
        assert inside(node).count(done["instance_snapshot"]["id"]) == 2, where
        assert len(kept(node)) == memory, where
        assert not node.run("instance_snapshot", **options).changed, where
        gone = node.task("instance_snapshot", ended, die_at=at)
        where = f"killed at point {at}: {gone.raw['points'][-1:]}"
        node.run("instance_snapshot", **ended)
        assert node.running() == [vm(node)], where
        assert kept(node) == [], where
        assert "isnap-" not in inside(node), where
        assert node.sql("SELECT id FROM instance_snapshots") == [], where
        if made.raw["signal"] is None and gone.raw["signal"] is None:
            assert at > 12
            return


def test_going_back_killed_anywhere_is_finished_and_no_half_way_guest_starts(node: Node) -> None:
    node.run("instance", **guest(node))
    write(node, "1")
    write(node, "1", f"{vm(node)}-root")
    node.run("instance_snapshot", **snapshot(node))
    for at in kill_points(3):
        write(node, "2")
        write(node, "2", f"{vm(node)}-root")
        result = node.task("instance_snapshot", snapshot(node, state="reverted"), die_at=at)
        where = f"killed at point {at}: {result.raw['points'][-1:]}"
        row = node.row("instance_snapshots", "first")
        if row["reverting"]:
            refused = node.refused("instance", name=vm(node), state="started")
            assert 'going back to snapshot "first" was interrupted' in refused.message, where
            node.run("instance_snapshot", **snapshot(node))
            assert reads(node, "1"), where
            assert reads(node, "1", f"{vm(node)}-root"), where
        if result.raw["signal"] is None:
            assert at > 8
            return


def test_disk_that_is_full_leaves_the_instance_running(make_lab: Callable[..., Node]) -> None:
    node = make_lab(Node)
    (Path(node.directories[0])).mkdir()
    node.mount("lib/snapshots", 1)
    node.prepare()
    node.run("instance", **guest(node, state="started", **WAITED))
    result = node.task("instance_snapshot", snapshot(node, memory=True))
    assert result.failed
    assert result.code == "host"
    assert node.running() == [vm(node)]
    node.run("instance_snapshot", **snapshot(node, state="absent"))
    assert kept(node) == ["lost+found"]
    assert not node.run("instance", **guest(node)).changed


def test_what_another_tool_has_noted_in_a_disk_keeps_nobody_from_starting(node: Node) -> None:
    node.run("instance", **guest(node))
    node.run("instance_snapshot", **snapshot(node))
    image = node.image_of("data")
    run("qemu-img", "bitmap", "--add", "-f", "qcow2", str(image), "nightly")
    node.run("volume_snapshot", name="own", volume="data", storage_pool=node.pool)
    back = {"state": "reverted"}
    own = {"name": "own", "volume": "data", "storage_pool": node.pool, **back}
    for module, asked in (("instance_snapshot", snapshot(node, **back)), ("volume_snapshot", own)):
        for check in (True, False):
            result = node.refused(module, check=check, **asked)
            assert result.code == "conflict"
            assert f"{image} has dirty bitmaps of another tool: nightly" in result.message
            assert "qemu-img bitmap --remove" in result.message
    node.run("instance", name=vm(node), state="started", **WAITED)
    node.run("instance", name=vm(node), state="killed")
    run("qemu-img", "bitmap", "--remove", "-f", "qcow2", str(image), "nightly")
    node.run("instance_snapshot", **snapshot(node, **back))
    node.run("volume_snapshot", **own)
