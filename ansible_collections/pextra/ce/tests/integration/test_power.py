# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts that were begun are finished, and machines that stand still are told or go on."""

from __future__ import annotations

import contextlib
import itertools
import os
import platform
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration.guest import READY, sleeping_disk, writing_disk
from ansible_collections.pextra.ce.tests.integration.lab import Args, Node, kill_points, succeeded

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the guest's boot sector is one of a PC"
)
WAITED = {"wait_console": READY, "timeout": 30}


def awaited(what: Callable[[], bool]) -> None:
    """Come back when something is so."""
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def memory(node: Node, name: str) -> int:
    """What a running instance has, in MiB."""
    return int(node.live(name).findtext("memory", "")) // 1024


def unfinished(node: Node) -> list[str]:
    """Names of the instances of which the store keeps that a restart was begun."""
    rows = node.sql("SELECT name FROM instances WHERE restarting IS NOT NULL ORDER BY name")
    return [row["name"] for row in rows]


def pair(node: Node) -> list[str]:
    """Two instances that run, and power off when they are asked to."""
    names = [node.name("a"), node.name("b")]
    running = [{"kind": "instance", **node.guest(name), "state": "started"} for name in names]
    node.apply(*({**entry, **WAITED} for entry in running))
    return names


def larger(names: list[str], size: int, **more: object) -> list[Args]:
    """Entries that give instances other memory."""
    return [{"kind": "instance", "name": name, "memory": size, **more} for name in names]


@pytest.mark.parametrize("state", ["present", "restarted"])
def test_restart_that_was_killed_anywhere_is_finished_by_the_next_run(
    node: Node, state: str
) -> None:
    names, sizes = pair(node), itertools.count(48)
    for at in kill_points(first_shutdown(node, names, next(sizes), state)):
        size = next(sizes)
        wanted = {"resources": larger(names, size, state=state), "allow_restart": True}
        result = node.task("apply", wanted, die_at=at)
        if result.raw["signal"] is None:
            succeeded(result)
            return
        where = f"killed at {result.raw['points'][-1]}"
        node.apply(*larger(names, size, **WAITED), allow_restart=True)
        assert node.running() == names, where
        assert [memory(node, name) for name in names] == [size, size], where
        assert unfinished(node) == [], where
        assert not node.apply(*larger(names, size), allow_restart=True).changed, where


def first_shutdown(node: Node, names: list[str], size: int, state: str = "present") -> int:
    """The number of the point at which a restart of instances for more memory asks the first.

    The guests are ready again: earlier, they would not hear the next that asks them.
    """
    wanted = {"resources": larger(names, size, state=state, **WAITED), "allow_restart": True}
    points = node.task("apply", wanted, die_at=0).raw["points"]
    return int(points.index("virDomain.shutdown")) + 1


def shut_down(node: Node) -> list[str]:
    """Two instances that a run that was killed has shut down to give them 56 MiB."""
    names = pair(node)
    wanted = {"resources": larger(names, 56), "allow_restart": True}
    died = node.task("apply", wanted, die_at="virDomain.create").raw
    assert died["signal"] == signal.SIGKILL
    assert died["points"][-3:] == ["virDomain.shutdown", "virDomain.shutdown", "virDomain.create"]
    awaited(lambda: node.running() == [])
    assert unfinished(node) == names
    return names


@pytest.mark.parametrize("finisher", ["present", "reconcile", "started"])
def test_machine_that_was_shut_down_for_a_restart_is_started_by_whoever_comes_next(
    node: Node, finisher: str
) -> None:
    names = shut_down(node)
    if finisher == "reconcile":
        status, out, err = node.command("reconcile")
        assert status == 0, out + err
    else:
        for name in names:
            said = node.run("instance", name=name, state=finisher, check=True)
            done = node.run("instance", name=name, state=finisher)
            assert said["plan"] == done["plan"]
            assert done.actions == ["instance start"]
            assert said["instance"]["state"] == done["instance"]["state"] == "running"
    assert [memory(node, name) for name in names] == [56, 56]
    assert unfinished(node) == []
    # It is finished: one that somebody shuts down now stays off.
    node.virsh("destroy", names[0])
    assert not node.run("instance", name=names[0]).changed
    assert node.running() == names[1:]


def test_machine_that_is_to_be_off_is_not_started_for_a_restart_of_before(node: Node) -> None:
    names = shut_down(node)
    for name, state in zip(names, ("stopped", "killed"), strict=True):
        node.run("instance", name=name, state=state)
        assert not node.run("instance", name=name, state=state).changed
        assert not node.run("instance", name=name).changed
    assert node.running() == []
    assert unfinished(node) == []


def test_guest_that_ignores_a_shutdown_leaves_no_other_down(node: Node) -> None:
    deaf, good = node.name("a"), node.name("b")
    node.apply(
        {"kind": "instance", **node.instance(deaf), "state": "started"},
        {"kind": "instance", **node.guest(good), "state": "started", **WAITED},
    )
    wanted = [*larger([deaf], 48, timeout=2), *larger([good], 48, timeout=90)]
    result = node.task("apply", {"resources": wanted, "allow_restart": True})
    assert result.failed
    assert f'instance "{deaf}": it did not shut down within 2 seconds' in result.message
    assert good not in result.message
    assert node.running() == [deaf, good]
    assert (memory(node, deaf), memory(node, good)) == (32, 48)
    assert unfinished(node) == [deaf]
    assert node.refused("instance", name=deaf).code == "restart_required"
    node.virsh("destroy", deaf)
    assert node.run("instance", name=deaf).actions == ["instance start"]
    assert memory(node, deaf) == 48
    assert unfinished(node) == []


def test_all_that_fail_are_told_together(node: Node) -> None:
    names = [node.name("a"), node.name("b"), node.name("c")]
    entries = [{"kind": "instance", **node.instance(name), "volumes": []} for name in names]
    node.apply(*({**entry, "state": "started"} for entry in entries))
    wanted = [
        {"kind": "instance", "name": name, "state": "stopped", "timeout": 2} for name in names
    ]
    result = node.task("apply", {"resources": wanted})
    assert result.failed
    assert [item["resource"] for item in result["errors"]] == [f'instance "{n}"' for n in names]


def test_all_that_guests_do_not_let_go_of_is_told_at_once(node: Node) -> None:
    deaf, heeds = [node.name("a"), node.name("b")], node.name("c")
    cards = [{"name": name, "port_group": "lan"} for name in ("net0", "net1")]
    entries = [{"kind": "instance", **node.instance(name, networks=cards)} for name in deaf]
    for entry in entries:
        entry["volumes"] = [*entry["volumes"], node.volume(f"{entry['name']}-data")]
    entries.append({"kind": "instance", **node.guest(heeds, networks=cards)})
    node.apply(*({**entry, "state": "started"} for entry in entries))
    node.run("instance", name=heeds, state="started", **WAITED)
    macs = {
        name: sorted(str(item.get("address")) for item in node.domain(name).iter("mac"))
        for name in deaf
    }
    for name in deaf:
        node.virsh("suspend", name)
    less = [
        {**entry, "networks": [], "volumes": entry["volumes"][:1], "purge": ["networks", "volumes"]}
        for entry in entries
    ]
    said = node.apply(*less, check=True)
    unplugs = [step for step in said["plan"] if step["action"] == "unplug"]
    assert len(unplugs) == 8
    first = said["plan"].index(unplugs[0])
    assert said["plan"][first : first + 8] == unplugs
    result = node.task("apply", {"resources": less})
    assert result.failed
    assert [item["resource"] for item in result["errors"]] == [f'instance "{n}"' for n in deaf]
    for item, name in zip(result["errors"], deaf, strict=True):
        assert all(mac in item["message"] for mac in ("vdb", *macs[name]))
        assert "it is paused by another tool" in item["message"]
    assert list(node.live(heeds).iter("interface")) == []
    for name in deaf:
        node.virsh("destroy", name)
    node.apply(*less)
    assert not node.apply(*less).changed


# Paused


def fill(mount: Path) -> Path:
    """The file that takes all that a file system has left."""
    path = mount / "full"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_SYNC)
    with contextlib.suppress(OSError):
        while True:
            os.write(descriptor, b"x" * 4096)
    os.close(descriptor)
    return path


def test_machine_that_was_suspended_goes_on_when_it_is_to_run_or_to_stop(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.guest(name), state="started", **WAITED)
    for state, actions, then in (
        ("started", ["instance resume"], "running"),
        ("restarted", ["instance restart"], "running"),
        ("stopped", ["instance shutdown"], "stopped"),
    ):
        node.run("instance", name=name, state="started", **WAITED)
        node.virsh("suspend", name)
        assert node.run("instance", name=name)["instance"]["state"] == "paused"
        said = node.run("instance", name=name, state=state, timeout=30, check=True)
        assert node.virsh("domstate", name).strip() == "paused"
        done = node.run("instance", name=name, state=state, timeout=30)
        assert said["plan"] == done["plan"]
        assert done.actions == actions
        assert done["plan"][0]["before"] == {"power": "paused"}
        assert said["instance"]["state"] == done["instance"]["state"] == then
        (found,) = node.run("instance_info", name=name)["instances"]
        assert found["state"] == then
        if state != "restarted":
            assert not node.run("instance", name=name, state=state).changed


def test_machine_of_which_a_snapshot_was_taken_while_suspended_goes_on(node: Node) -> None:
    name, entry = node.name("vm"), node.guest(node.name("vm"))
    entry["volumes"][0]["format"] = "qcow2"
    node.run("instance", **entry, state="started", **WAITED)
    node.virsh("suspend", name)
    node.run("instance_snapshot", name="first", instance=name)
    assert node.virsh("domstate", name).strip() == "paused"
    assert node.run("instance", name=name, state="started").actions == ["instance resume"]
    assert node.virsh("domstate", name).strip() == "running"
    node.virsh("suspend", name)
    node.run("instance_snapshot", name="second", instance=name, memory=True)
    assert node.run("instance", name=name, state="stopped", timeout=30).changed


def test_change_that_needs_a_restart_restarts_a_suspended_machine(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.guest(name), state="started", **WAITED)
    node.virsh("suspend", name)
    node.run("instance", name=name, memory=48, allow_restart=True, timeout=30)
    assert memory(node, name) == 48


def test_machine_whose_guest_sleeps_is_woken(node: Node) -> None:
    name, image = node.name("vm"), node.file("sleeps.img", sleeping_disk())
    root = node.volume(f"{name}-root", None, image=str(image), format="raw")
    node.run("instance", **node.instance(name, volumes=[root]), state="started")
    awaited(lambda: node.virsh("domstate", name).strip() == "pmsuspended")
    (found,) = node.run("instance_info", name=name)["instances"]
    assert found["state"] == node.run("instance", name=name)["instance"]["state"] == "paused"
    done = node.run("instance", name=name, state="started")
    assert done.actions == ["instance resume"]
    assert node.virsh("domstate", name).strip() == "running"
    assert not node.run("instance", name=name, state="started").changed


def test_machine_that_an_io_error_has_paused_goes_on_when_there_is_space(node: Node) -> None:
    name, mount = node.name("vm"), node.mount("small", 8)
    node.apply({**node.pool_entry(), "name": node.name("tight"), "options": {"path": str(mount)}})
    image = node.file("writes.img", writing_disk(16 << 20))
    root = {
        **node.volume(f"{name}-root", "32MiB", image=str(image), format="raw"),
        "storage_pool": node.name("tight"),
    }
    node.run("instance", **node.instance(name, volumes=[root]))
    full = fill(mount)
    node.run("instance", name=name, state="started")
    awaited(lambda: node.virsh("domstate", name).strip() == "paused")
    for state in ("started", "stopped", "restarted"):
        result = node.task("instance", {"name": name, "state": state, "timeout": 20})
        assert result.failed
        assert "by an I/O error (vda: no space is left)" in result.message
        assert "state=killed" in result.message
    full.unlink()
    node.run("instance", name=name, state="started")
    assert node.virsh("domstate", name).strip() == "running"
    node.run("instance", name=name, state="killed")
