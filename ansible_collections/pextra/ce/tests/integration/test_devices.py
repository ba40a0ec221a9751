# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices of instances: drives, TPMs, random number generators, USB, and how they are plugged."""

from __future__ import annotations

import platform
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.guest import READY
from ansible_collections.pextra.ce.tests.integration.lab import Args, Node, elements

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the guest's boot sector is one of a PC"
)
WAITED = {"wait_console": READY, "timeout": 30}


@pytest.fixture(scope="module")
def shared(make_module_lab: Callable[..., Node]) -> Node:
    """A node with a running instance that has a drive; tests leave it running."""
    made = make_module_lab(Node)
    made.prepare()
    for name in ("one.iso", "two.iso"):
        made.image(name, "raw", "1M")
    drive = {"name": "drive", "type": "cdrom", "medium": f"{made.directory}/one.iso"}
    made.run("instance", **made.guest(vm(made), devices=[drive], state="started", **WAITED))
    return made


def vm(node: Node) -> str:
    """The name of the instance."""
    return node.name("vm")


def drive_of(domain: ET.Element, target: str) -> ET.Element:
    """The drive at a place."""
    for drive in elements(domain, "devices/disk", device="cdrom"):
        if drive.find("target").get("dev") == target:
            return drive
    raise AssertionError(f"no drive at {target}")


def medium_of(domain: ET.Element, target: str = "sde") -> str | None:
    """The path of the image in a drive."""
    source = drive_of(domain, target).find("source")
    return source.get("file") if source is not None else None


def with_devices(node: Node, *devices: Args, **more: Any) -> Args:
    """A change of the instance's devices."""
    return {"name": vm(node), "devices": list(devices), **more}


# Drives


def test_medium_is_changed_ejected_and_put_back_while_it_runs(shared: Node) -> None:
    one, two = (f"{shared.directory}/{name}.iso" for name in ("one", "two"))
    for change, inside, kept in (
        ({"medium": two}, two, two),
        ({"tray": "open"}, None, two),
        ({"medium": one}, None, one),
        ({"tray": "closed"}, one, one),
        ({"medium": None}, None, None),
        ({"medium": one}, one, one),
    ):
        options = with_devices(shared, {"name": "drive", **change})
        said = shared.run("instance", check=True, **options)
        done = shared.run("instance", **options)
        assert said["plan"] == done["plan"], change
        assert medium_of(shared.live(vm(shared))) == inside, change
        assert medium_of(shared.domain(vm(shared))) == inside, change
        (device,) = done["instance"]["devices"]
        assert device["medium"] == kept, change
        assert not shared.run("instance", **options).changed, change


def test_drives_are_on_the_bus_that_is_asked_for_and_the_machine_boots(node: Node) -> None:
    medium = str(node.image("cd.iso", "raw", "1M"))
    buses = ["sata", "scsi", "usb", "sata", "sata", "sata", "sata", "sata", "sata", "usb"]
    devices = [
        {"name": f"drive{number}", "type": "cdrom", "bus": bus, "medium": medium}
        for number, bus in enumerate(buses)
    ]
    given = node.guest(vm(node), devices=devices, cdrom=medium, state="started", **WAITED)
    shown = node.run("instance", **given)["instance"]["devices"]
    assert [item["bus"] for item in shown] == buses
    live = node.live(vm(node))
    for item in shown:
        target = drive_of(live, item["device_path"].removeprefix("/dev/")).find("target")
        assert target.get("bus") == item["bus"]
        assert medium_of(live, target.get("dev")) == medium
    assert len({item["device_path"] for item in shown}) == len(buses)
    assert not node.run("instance", **given).changed


def test_ide_drives_are_for_machines_that_have_ide(node: Node) -> None:
    drive = {"name": "drive", "type": "cdrom", "bus": "ide"}
    result = node.refused("instance", **node.guest(vm(node), devices=[drive]))
    assert result.code == "unsupported"
    assert "i440fx" in result.message
    old = node.guest(vm(node), devices=[drive], chipset="i440fx", state="started", **WAITED)
    shown = node.run("instance", **old)["instance"]["devices"][0]
    assert (shown["bus"], shown["device_path"]) == ("ide", "/dev/hda")
    assert "i440fx" in node.live(vm(node)).find("os/type").get("machine")
    more = with_devices(node, {"name": "rng0", "type": "rng"})
    assert "instance plug" in node.run("instance", **more).actions
    assert len(node.live(vm(node)).findall("devices/rng")) == 2
    assert not node.run("instance", **old).changed


def test_device_paths_and_names_are_unique_within_an_instance(node: Node) -> None:
    drive = {"name": "drive", "type": "cdrom", "bus": "scsi", "device_path": "/dev/sdb"}
    node.run("instance", **node.instance(vm(node), devices=[drive]))
    scsi = {"bus": "scsi", "device_path": "/dev/sdb"}
    result = node.refused("instance", name=vm(node), volumes=[node.volume("data", **scsi)])
    assert "device path /dev/sdb is used by drive" in result.message
    other = {"name": "other", "type": "cdrom", "bus": "usb", "device_path": "/dev/sdb"}
    assert "/dev/sdb is used" in node.refused("instance", **with_devices(node, other)).message
    for name in ("net0", "disk-vda"):
        result = node.refused("instance", **with_devices(node, {"name": name, "type": "rng"}))
        assert "another device" in result.message
    free = node.run("instance", name=vm(node), volumes=[node.volume("data", bus="scsi")])
    paths = [item["device_path"] for item in free["instance"]["volumes"]]
    assert paths == ["/dev/sda", "/dev/vda"]


@pytest.mark.parametrize(
    ("device", "text"),
    [
        ({"type": "cdrom", "medium": "/nonexistent.iso"}, "/nonexistent.iso does not exist"),
        ({"type": "cdrom", "medium": "../etc/shadow"}, "not an absolute path"),
        ({"type": "cdrom", "model": "crb"}, "has no model"),
        ({"type": "cdrom", "bus": "sata", "device_path": "/dev/sda"}, "does not fit bus sata"),
        ({"type": "cdrom", "device_path": "/dev/vda"}, "not an acceptable device path"),
        ({"type": "tpm", "model": "crb", "version": "1.2"}, "crb has version 2.0"),
        ({"type": "tpm", "version": "3.0"}, "version"),
        ({"type": "rng", "source": "/etc/passwd"}, "source"),
        ({"type": "usb"}, "usb_id must be given"),
        ({"type": "usb", "usb_id": "1d6b:zzzz"}, "is no USB id"),
        ({"type": "usb", "usb_id": "<1d6b:0002/>"}, "is no USB id"),
        ({"medium": "/x.iso"}, "type must be given"),
        ({"type": "floppy"}, "type"),
        ({"type": "rng", "name": "a b"}, "device name"),
        ({"type": "rng", "name": "cdrom"}, "of the instance's own"),
    ],
)
def test_unacceptable_devices_are_refused(shared: Node, device: Args, text: str) -> None:
    result = shared.refused("instance", **with_devices(shared, {"name": "extra", **device}))
    assert text in result.message


# Running instances


@pytest.mark.parametrize(
    "device",
    [{"type": "cdrom"}, {"type": "tpm"}, {"type": "usb", "usb_id": "1d6b:0002"}],
    ids=["drive", "tpm", "usb"],
)
def test_what_a_running_instance_cannot_take_is_refused_or_waits(
    shared: Node, device: Args
) -> None:
    options = with_devices(shared, {"name": "extra", **device})
    before = shared.host()
    result = shared.refused("instance", **options)
    assert result.code == "restart_required"
    assert result["errors"][0]["resource"] == f'instance "{vm(shared)}"'
    assert shared.host() == before
    live = ET.tostring(shared.live(vm(shared)))
    done = shared.run("instance", **options, hot_plug=False)
    assert done.actions == ["instance_device create", "instance redefine"]
    assert ET.tostring(shared.live(vm(shared))) == live
    assert not shared.run("instance", **options, hot_plug=False).changed
    ended = with_devices(shared, {"name": "drive"}, purge=["devices"], hot_plug=False)
    assert [item["name"] for item in shared.run("instance", **ended)["instance"]["devices"]] == [
        "drive"
    ]
    assert not shared.run("instance", name=vm(shared)).changed


def test_random_number_generator_comes_and_goes_while_it_runs(shared: Node) -> None:
    add = with_devices(shared, {"name": "rng0", "type": "rng", "source": "random"})
    assert "instance plug" in shared.run("instance", **add).actions
    sources = [item.text for item in shared.live(vm(shared)).findall("devices/rng/backend")]
    assert sorted(sources) == ["/dev/random", "/dev/urandom"]
    assert not shared.run("instance", **add).changed
    keep = with_devices(shared, {"name": "drive"})
    assert not shared.run("instance", **keep).changed
    gone = shared.run("instance", **keep, purge=["devices"])
    assert "instance unplug" in gone.actions
    for domain in (shared.live(vm(shared)), shared.domain(vm(shared))):
        assert [item.text for item in domain.findall("devices/rng/backend")] == ["/dev/urandom"]


def test_devices_that_waited_are_there_after_a_restart(node: Node) -> None:
    medium = str(node.image("cd.iso", "raw", "1M"))
    node.run("instance", **node.guest(vm(node), state="started", **WAITED))
    devices = [
        {"name": "drive", "type": "cdrom", "medium": medium},
        {"name": "tpm0", "type": "tpm"},
        {"name": "rng0", "type": "rng"},
    ]
    node.run("instance", **with_devices(node, *devices, hot_plug=False))
    more = {"networks": [{"name": "net1", "port_group": "lan"}], "hot_plug": False}
    node.run("instance", name=vm(node), **more)
    assert len(node.live(vm(node)).findall("devices/interface")) == 1
    node.run("instance", name=vm(node), state="restarted", **WAITED)
    live = node.live(vm(node))
    assert medium_of(live) == medium
    assert live.find("devices/tpm") is not None
    assert len(live.findall("devices/rng")) == 2
    assert len(live.findall("devices/interface")) == 2
    assert not node.run("instance", **with_devices(node, *devices)).changed


# TPM


@pytest.mark.parametrize(("model", "version"), [("crb", "2.0"), ("tis", "2.0"), ("tis", "1.2")])
def test_tpm_runs_and_goes_with_what_it_keeps(node: Node, model: str, version: str) -> None:
    tpm = {"name": "tpm0", "type": "tpm", "model": model, "version": version}
    node.run("instance", **node.guest(vm(node), devices=[tpm], state="started", **WAITED))
    live = node.live(vm(node))
    assert live.find("devices/tpm").get("model") == f"tpm-{model}"
    assert live.find("devices/tpm/backend").get("version") == version
    state = Path("/var/lib/libvirt/swtpm", live.findtext("uuid"))
    assert state.is_dir()
    second = {"name": "tpm1", "type": "tpm"}
    assert (
        'has TPM "tpm0" already' in node.refused("instance", **with_devices(node, second)).message
    )
    other = {"name": "tpm0", "version": "1.2" if version == "2.0" else "2.0", "model": "tis"}
    assert "cannot change" in node.refused("instance", **with_devices(node, other)).message
    node.run("instance", name=vm(node), state="killed")
    node.run("instance", name=vm(node), state="absent", destroy_volumes=True)
    assert not state.exists()


# USB


def test_usb_device_is_given_to_one_instance_and_missed_where_it_is_needed(node: Node) -> None:
    usb = {"name": "key", "type": "usb", "usb_id": "FFFF:fffe"}
    node.run("instance", **node.guest(vm(node), devices=[usb]))
    (host,) = node.domain(vm(node)).findall("devices/hostdev")
    assert host.find("source/vendor").get("id") == "0xffff"
    assert host.find("source/product").get("id") == "0xfffe"
    assert host.find("source").get("startupPolicy") == "mandatory"
    taken = {"name": node.name("other"), "memory": 32, "devices": [usb]}
    result = node.refused("instance", **taken)
    assert f'is given to instance "{vm(node)}"' in result.message
    result = node.task("instance", {"name": vm(node), "state": "started"})
    assert result.failed
    assert vm(node) in result.message
    assert node.running() == []
    gone = {"devices": [], "purge": ["devices"], "state": "started", **WAITED}
    node.run("instance", name=vm(node), **gone)
    assert node.live(vm(node)).findall("devices/hostdev") == []


# Boot order


def test_boot_order_names_devices_of_every_type(node: Node) -> None:
    devices = [
        {"name": "drive", "type": "cdrom"},
        {"name": "stick", "type": "usb", "usb_id": "ffff:fffd"},
        {"name": "rng0", "type": "rng"},
    ]
    order = ["stick", "drive", "net0", "disk-vda"]
    given = node.instance(vm(node), devices=devices, boot_order=order)
    node.run("instance", **given)
    found = [
        item for item in node.domain(vm(node)).findall("devices/*") if item.find("boot") is not None
    ]
    found.sort(key=lambda item: int(item.find("boot").get("order")))
    assert [item.tag for item in found] == ["hostdev", "disk", "interface", "disk"]
    assert not node.run("instance", **given).changed
    result = node.refused("instance", name=vm(node), boot_order=["rng0"])
    assert "boot_order names rng0" in result.message


# Volumes


def test_read_only_volume_is_one_and_stays_so_while_attached(node: Node) -> None:
    data = node.volume("data", read_only=True)
    root = node.guest(vm(node))["volumes"]
    given = node.guest(vm(node), volumes=[*root, data], state="started", **WAITED)
    node.run("instance", **given)
    more = node.volume("more", bus="scsi", read_only=True, instance=vm(node), state="attached")
    assert "instance plug" in node.run("volume", **more).actions
    for domain in (node.live(vm(node)), node.domain(vm(node))):
        kinds = {
            disk.find("target").get("dev"): disk.find("readonly") is not None
            for disk in domain.findall("devices/disk")
        }
        assert kinds == {"vda": False, "vdb": True, "sda": True}
    assert not node.run("instance", **given).changed
    other = node.volume("data", read_only=False)
    assert "cannot change" in node.refused("instance", name=vm(node), volumes=[other]).message
    sata = node.volume("third", bus="sata", read_only=True)
    result = node.refused("instance", name=vm(node), volumes=[sata])
    assert "sata cannot be read-only" in result.message
    node.run("volume", **node.volume("data", None, state="detached"))
    assert not node.row("volumes", "data")["read_only"]


def test_volume_that_is_detached_later_is_not_destroyed_under_a_running_guest(node: Node) -> None:
    node.run("instance", **node.guest(vm(node), state="started", **WAITED))
    data = node.volume("data", bus="sata", instance=vm(node), state="attached")
    assert node.refused("volume", **data).code == "restart_required"
    done = node.run("volume", **data, hot_plug=False)
    assert "instance redefine" in done.actions
    assert "instance plug" not in done.actions
    node.run("instance", name=vm(node), state="restarted", **WAITED)
    assert len(node.live(vm(node)).findall("devices/disk")) == 2
    away = node.volume("data", None)
    node.run("volume", **away, state="detached", hot_plug=False)
    assert len(node.live(vm(node)).findall("devices/disk")) == 2
    result = node.refused("volume", **away, state="absent")
    assert "still has it open" in result.message
    node.run("instance", name=vm(node), state="killed")
    node.run("volume", **away, state="absent")
    assert node.sql("SELECT id FROM volumes WHERE name = 'data'") == []
