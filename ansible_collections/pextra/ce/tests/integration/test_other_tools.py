# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What virsh and other tools make of an instance is noticed before it costs data."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration.guest import READY
from ansible_collections.pextra.ce.tests.integration.lab import Args, Node, quietly, run

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the guest's boot sector is one of a PC"
)
WAITED = {"wait_console": READY, "timeout": 30}


def put_over(node: Node, name: str) -> Path:
    """Have libvirt put an overlay over an instance's root volume; where it is."""
    node.virsh("snapshot-create-as", name, "s2", "--disk-only", "--atomic")
    (source,) = node.domain(name).findall("devices/disk[@device='disk']/source")
    path = Path(source.get("file", ""))
    assert path != node.image_of(f"{name}-root")
    return path


def write(path: Path, format: str, pattern: str) -> None:
    """Write a pattern beyond the boot sector."""
    run("qemu-io", "-f", format, "-c", f"write -P {pattern} 64k 64k", str(path))


def has(path: Path, format: str, pattern: str) -> bool:
    """Whether it is there."""
    command = f"read -P {pattern} 64k 64k"
    return "failed" not in quietly("qemu-io", "-r", "-U", "-f", format, "-c", command, str(path))


def guest_writes(node: Node, name: str, pattern: str) -> None:
    """Write to the running machine's disk, as its guest would."""
    alias = f"ua-pextra-{node.row('volumes', f'{name}-root')['id']}"
    command = f'qemu-io -d /machine/peripheral/{alias}/virtio-backend "write -P {pattern} 64k 64k"'
    node.virsh("qemu-monitor-command", name, "--hmp", command)


def attempts(node: Node, name: str) -> dict[str, Callable[[], object]]:
    """Tasks that would go on with the volume below the overlay, each of which must be refused."""
    root = node.volume(f"{name}-root", None)
    return {
        "description": lambda: node.refused("instance", name=name, description="x"),
        "check": lambda: node.refused("instance", name=name, description="x", check=True),
        "grow": lambda: node.refused("volume", **{**root, "grow_by": "1MiB"}),
        "restart": lambda: node.refused("instance", name=name, state="restarted"),
    }


@pytest.mark.parametrize("format", ["raw", "qcow2"])
def test_overlay_over_a_running_instance_is_refused_or_written_back(
    node: Node, format: str
) -> None:
    name = node.name("vm")
    entry = node.guest(name)
    entry["volumes"][0]["format"] = format
    node.run("instance", **entry, state="started", **WAITED)
    base = node.image_of(f"{name}-root")
    overlay = put_over(node, name)
    guest_writes(node, name, "0x5a")
    before = node.libvirt()
    for attempt in attempts(node, name).values():
        result = attempt()
        assert result.code == "conflict"
        assert str(overlay) in result.message
        assert str(base) in result.message
        assert "commit_overlays=true" in result.message
    assert node.libvirt() == before
    said = node.run("instance", name=name, commit_overlays=True, check=True)
    assert node.libvirt() == before
    done = node.run("instance", name=name, commit_overlays=True)
    assert done.actions == said.actions == ["instance commit", "instance redefine"]
    assert [item.get("file") for item in node.live(name).findall("devices/disk/source")] == [
        str(base)
    ]
    assert node.running() == [name]
    assert overlay.exists()
    assert not node.run("instance", **entry).changed
    node.run("instance", name=name, state="killed")
    assert has(base, format, "0x5a")


def test_overlay_over_a_stopped_instance_is_refused_or_written_back(node: Node) -> None:
    name = node.name("vm")
    entry = node.guest(name)
    entry["volumes"][0]["format"] = "qcow2"
    node.run("instance", **entry)
    base, snapshot = node.image_of(f"{name}-root"), {"name": "first", "instance": name}
    node.run("instance_snapshot", **snapshot)
    overlay = put_over(node, name)
    write(overlay, "qcow2", "0x5a")
    before = node.libvirt()
    root = {"volume": f"{name}-root", "storage_pool": node.pool}
    refused = [
        *(attempt() for attempt in attempts(node, name).values()),
        node.refused("instance", name=name, state="started"),
        node.refused("instance_snapshot", **snapshot, state="reverted"),
        node.refused("instance_snapshot", **{**snapshot, "name": "second"}),
        node.refused("volume_snapshot", name="third", **root),
        node.refused("instance_backup", instance=name, path=f"{node.directory}/backup"),
    ]
    for result in refused:
        assert result.code == "conflict"
        assert str(overlay) in result.message
        assert str(base) in result.message
    assert node.libvirt() == before
    assert not has(base, "qcow2", "0x5a")
    node.run("instance", name=name, commit_overlays=True)
    assert has(base, "qcow2", "0x5a")
    assert not node.run("instance", **entry).changed
    node.run("instance", name=name, state="started", **WAITED)
    assert [item.get("file") for item in node.live(name).findall("devices/disk/source")] == [
        str(base)
    ]


def test_file_that_is_no_overlay_of_the_volume_is_never_written_back(node: Node) -> None:
    name, other = node.name("vm"), node.image("other.qcow2")
    node.run("instance", **node.guest(name))
    text = node.libvirt()["domains"][name]["xml"]
    text = text.replace(str(node.image_of(f"{name}-root")), str(other))
    node.virsh("define", str(node.file("vm.xml", text.encode())))
    before = node.libvirt()
    for more in ({}, {"commit_overlays": True}):
        result = node.refused("instance", name=name, **more)
        assert result.code == "conflict"
        assert str(other) in result.message
        assert "is no overlay of its data" in result.message
        assert "commit_overlays" not in result.message
    assert node.libvirt() == before


def test_overlay_is_told_and_left_by_reconcile(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.guest(name))
    overlay = put_over(node, name)
    before = node.libvirt()
    status, out, err = node.command("reconcile")
    assert status != 0
    assert str(overlay) in out + err
    assert node.libvirt() == before


def test_volumes_that_are_destroyed_need_no_overlay(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.guest(name))
    overlay = put_over(node, name)
    node.virsh("snapshot-delete", name, "s2", "--metadata")
    assert str(overlay) in node.refused("instance", name=name, state="absent").message
    node.run("instance", name=name, state="absent", destroy_volumes=True)
    assert node.domains() == []
    assert overlay.exists()


def test_volume_that_another_tool_copies_is_left_alone_until_that_is_over(node: Node) -> None:
    name, copy = node.name("vm"), str(node.directory / "copy.qcow2")
    entry = node.guest(name)
    entry["volumes"] = [{**entry["volumes"][0], "format": "qcow2"}, node.volume("data")]
    node.run("instance", **entry, state="started", **WAITED)
    wanted = (
        ("volume", {**node.volume("data", None), "grow_by": "1MiB"}),
        ("volume", {**node.volume("data", None), "state": "detached"}),
        ("instance_snapshot", {"name": "first", "instance": name}),
        ("instance_backup", {"instance": name, "path": f"{node.directory}/backup"}),
    )
    node.virsh("blockcopy", name, "vdb", copy, "--transient-job", "--format", "qcow2")
    before = node.libvirt()
    for module, args in wanted:
        for check in (True, False):
            result = node.refused(module, **args, check=check)
            assert result.code == "conflict"
            assert 'copies its volume "data"' in result.message
            assert "virsh blockjob --abort" in result.message
    assert node.libvirt() == before
    assert not node.run("instance", **entry).changed
    node.run("volume", **{**node.volume(f"{name}-root", None), "grow_by": "1MiB"})
    node.virsh("blockjob", name, "vdb", "--abort")
    for module, args in wanted[2:] + wanted[:2]:
        assert node.run(module, **args).changed


def renamed(node: Node, *, running: bool, **more: object) -> tuple[Args, str]:
    """An instance's options, and the name that its domain has got from somebody else."""
    entry, name = node.guest(node.name("vm"), **more), node.name("renamed")
    node.run("instance", **entry)
    node.virsh("domrename", entry["name"], name)
    if running:
        node.virsh("start", name)
    return entry, name


def test_running_machine_that_was_renamed_keeps_its_volumes(node: Node) -> None:
    entry, other = renamed(node, running=True)
    name, before = entry["name"], node.libvirt()
    for check in (True, False):
        gone = {"name": name, "state": "absent", "destroy_volumes": True}
        assert "it is running" in node.refused("instance", **gone, check=check).message
        result = node.refused("instance", **entry, check=check)
        assert result.code == "restart_required"
        assert other in result.message
    root = {"volume": f"{name}-root", "storage_pool": node.pool}
    assert node.refused("volume_snapshot", name="first", **root).failed
    (found,) = node.run("instance_info", name=name)["instances"]
    assert found["state"] == "running"
    assert other in found["console"]["serial"]
    assert found["uptime"] is not None
    assert node.libvirt() == before
    assert node.image_of(f"{name}-root").exists()


@pytest.mark.parametrize("state", ["killed", "stopped", "restarted"])
def test_machine_that_was_renamed_has_its_name_again_when_it_is_off(node: Node, state: str) -> None:
    entry, other = renamed(node, running=True, autostart=True)
    node.run("instance", name=entry["name"], state="present", timeout=30, allow_restart=True)
    assert node.domains() == node.running() == [entry["name"]]
    node.virsh("destroy", entry["name"])
    node.virsh("domrename", entry["name"], other)
    node.virsh("start", other)
    said = node.run("instance", **entry, state=state, timeout=30, check=True)
    done = node.run("instance", **entry, state=state, timeout=30)
    assert said["plan"] == done["plan"]
    assert node.domains() == [entry["name"]]
    assert node.libvirt()["domains"][entry["name"]]["autostart"]
    assert not node.run("instance", **entry).changed


def test_machine_that_is_off_and_was_renamed_is_repaired_or_removed(node: Node) -> None:
    entry, other = renamed(node, running=False)
    said = node.run("instance", **{**entry, "memory": "48MiB"}, state="started", check=True)
    done = node.run("instance", **{**entry, "memory": "48MiB"}, state="started")
    assert done.actions == said.actions
    assert "instance rename" in done.actions
    assert node.domains() == node.running() == [entry["name"]]
    assert not node.run("instance", **{**entry, "memory": "48MiB"}).changed
    node.virsh("destroy", entry["name"])
    node.virsh("domrename", entry["name"], other)
    status, out, err = node.command("reconcile")
    assert status == 0, out + err
    assert node.domains() == [entry["name"]]
    node.virsh("domrename", entry["name"], other)
    node.run("instance", name=entry["name"], state="absent", destroy_volumes=True)
    assert node.left() == [node.pool, node.vswitch]


def test_machine_whose_name_somebody_else_has_taken_is_left_alone(node: Node) -> None:
    entry, _other = renamed(node, running=False)
    text = (
        f"<domain type='qemu'><name>{entry['name']}</name><memory unit='MiB'>16</memory>"
        "<os><type arch='x86_64'>hvm</type></os></domain>"
    )
    node.virsh("define", str(node.file("foreign.xml", text.encode())))
    before = node.libvirt()
    assert node.refused("instance", **entry).code == "foreign"
    assert node.libvirt() == before


def test_two_machines_whose_names_were_swapped_are_told_so(node: Node) -> None:
    one, two, spare = node.name("one"), node.name("two"), node.name("spare")
    for name in (one, two):
        node.run("instance", **node.guest(name))
    swap = ((one, spare), (two, one), (spare, two))
    for old, new in swap:
        node.virsh("domrename", old, new)
    before = node.libvirt()
    for check in (True, False):
        result = node.refused("instance", **node.guest(one), check=check)
        assert result.code == "foreign"
        assert "the domain of another instance under its name" in result.message
        assert "virsh domrename" in result.message
    assert node.libvirt() == before
    for old, new in swap:
        node.virsh("domrename", old, new)
    assert not node.run("instance", **node.guest(one)).changed


def saved(node: Node) -> tuple[Args, Path]:
    """The options of an instance with snapshots whose memory libvirt has saved; its console."""
    entry = node.guest(node.name("vm"))
    entry["volumes"][0]["format"] = "qcow2"
    name = entry["name"]
    node.run("instance", **entry)
    node.run("instance_snapshot", name="first", instance=name)
    node.run("volume_snapshot", name="one", volume=f"{name}-root", storage_pool=node.pool)
    node.run("instance", **entry, state="started", **WAITED)
    node.virsh("managedsave", name)
    (found,) = node.run("instance_info", name=name)["instances"]
    assert found["state"] == "saved"
    return entry, Path(found["console"]["log"])


def test_saved_memory_never_meets_other_disks_or_another_machine(node: Node) -> None:
    entry, log = saved(node)
    name, root = entry["name"], {"volume": f"{entry['name']}-root", "storage_pool": node.pool}
    same = node.run("instance", **entry)
    assert not same.changed
    assert same["instance"]["state"] == "saved"
    before = node.host()
    for check in (True, False):
        for result in (
            node.refused("instance", name=name, memory="48MiB", state="started", check=check),
            node.refused("instance", name=name, volumes=[node.volume("more")], check=check),
            node.refused("instance", name=name, state="restarted", check=check),
            node.refused("volume", **node.volume(f"{name}-root", "8MiB"), check=check),
            node.refused("volume_snapshot", name="one", **root, state="reverted", check=check),
            node.refused(
                "instance_snapshot", name="first", instance=name, state="reverted", check=check
            ),
        ):
            assert result.code == "conflict"
            assert "discard_saved=true" in result.message
    assert node.host() == before
    assert node.run("instance", name=name, autostart=True).changed
    shown = log.read_text().count(READY)
    assert node.run("instance", name=name, state="started").actions == ["instance start"]
    assert node.running() == [name]
    assert log.read_text().count(READY) == shown  # it went on, and did not boot


def test_saved_memory_is_given_up_only_if_that_is_asked(node: Node) -> None:
    entry, log = saved(node)
    name, shown = entry["name"], log.read_text().count(READY)
    wanted = {"name": name, "memory": "48MiB", "state": "started", "discard_saved": True, **WAITED}
    said = node.run("instance", **wanted, check=True)
    done = node.run("instance", **wanted)
    assert said["plan"] == done["plan"]
    assert done.actions == [
        "instance update", "instance discard", "instance redefine", "instance start",
    ]  # fmt: skip
    assert done["instance"]["state"] == said["instance"]["state"] == "running"
    assert log.read_text().count(READY) == shown + 1
    assert node.live(name).findtext("memory") == str(48 * 1024)
    assert not node.run("instance", **wanted).changed


@pytest.mark.parametrize("running", [True, False])
def test_snapshots_and_checkpoints_of_others_are_told_before_an_instance_goes(
    node: Node, running: bool
) -> None:
    entry = node.guest(node.name("vm"))
    entry["volumes"][0]["format"] = "qcow2"
    name = entry["name"]
    node.run("instance", **entry, state="started", **WAITED)
    if not running:
        node.run("instance", name=name, state="killed")
    node.virsh("snapshot-create-as", name, "theirs")
    kept = ["snapshot theirs"]
    if running:  # qemu makes a checkpoint only while it runs, and not beside a snapshot
        node.virsh("snapshot-delete", name, "theirs", "--metadata")
        node.virsh("checkpoint-create-as", name, "mark")
        kept = ["checkpoint mark"]
        node.run("instance", name=name, state="killed")
    gone = {"name": name, "state": "absent", "destroy_volumes": True}
    for check in (True, False):
        result = node.refused("instance", **gone, check=check)
        assert result.code == "conflict"
        assert kept[0] in result.message
        assert "force=true" in result.message
    assert node.row("instances", name)["status"] == "ready"
    assert not node.run("instance", **entry).changed
    said = node.run("instance", **gone, force=True, check=True)
    done = node.run("instance", **gone, force=True)
    assert said["plan"] == done["plan"]
    (step,) = (step for step in done["plan"] if step["action"] == "undefine")
    assert step["before"]["kept"] == kept
    assert node.left() == [node.pool, node.vswitch]


def test_force_gives_up_saved_memory_too(node: Node) -> None:
    entry, _log = saved(node)
    name = entry["name"]
    for kind, snapshot in (("instance", "first"), ("volume", "one")):
        more = {"volume": f"{name}-root", "storage_pool": node.pool}
        more = {"instance": name} if kind == "instance" else more
        node.run(f"{kind}_snapshot", name=snapshot, state="absent", **more)
    node.run("instance", name=name, state="absent", destroy_volumes=True, force=True)
    assert node.left() == [node.pool, node.vswitch]


def test_instance_that_was_renamed_and_has_snapshots_of_others_is_told(node: Node) -> None:
    entry, other = node.guest(node.name("vm")), node.name("renamed")
    entry["volumes"][0]["format"] = "qcow2"
    node.run("instance", **entry)
    node.virsh("domrename", entry["name"], other)
    node.virsh("snapshot-create-as", other, "theirs")
    before = node.libvirt()
    for check in (True, False):
        result = node.refused("instance", name=entry["name"], check=check)
        assert "snapshot theirs" in result.message
        assert other in result.message
    assert node.libvirt() == before


def test_saved_instance_is_not_removed_without_asking(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.guest(name), state="started", **WAITED)
    node.virsh("managedsave", name)
    gone = {"name": name, "state": "absent", "destroy_volumes": True}
    assert "discard_saved=true" in node.refused("instance", **gone).message
    node.run("instance", **gone, discard_saved=True)
    assert node.left() == [node.pool, node.vswitch]


def test_a_password_that_an_operator_has_set_outlives_every_change(node: Node) -> None:
    entry = node.guest(node.name("vm"))
    node.run("instance", **entry)
    name = entry["name"]
    text = node.virsh("dumpxml", name)
    screen = "<graphics type='vnc' passwd='pl4nted'><listen type='socket'/></graphics>"
    text, _count = re.subn(r"<graphics.*?</graphics>", "", text, flags=re.DOTALL)
    text = text.replace("</devices>", f"{screen}</devices>")
    node.virsh("define", str(node.file("vm.xml", text.encode())))
    told = node.run("instance", name=name, memory="64MiB", description="changed")
    assert "pl4nted" not in repr(told)
    assert "passwd='pl4nted'" in node.virsh("dumpxml", "--security-info", name)
    node.run("instance", name=name, state="started")
    assert "passwd='pl4nted'" in node.virsh("dumpxml", "--security-info", name)
    assert not node.run("instance", name=name).changed
