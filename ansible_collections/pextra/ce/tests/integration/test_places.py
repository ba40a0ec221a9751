# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places of disks and network devices on their buses: as many as promised, where guests look."""

from __future__ import annotations

import platform
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.guest import READY
from ansible_collections.pextra.ce.tests.integration.lab import Args, Node

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the guest's boot sector is one of a PC"
)
WAITED = {"wait_console": READY, "timeout": 60}


def vm(node: Node) -> str:
    """The name of the instance."""
    return node.name("vm")


def volumes(node: Node, numbers: Iterable[int], **more: Any) -> list[Args]:
    """Small volumes of these numbers."""
    return [node.volume(f"data{number}", "1MiB", **more) for number in numbers]


def cards(numbers: Iterable[int]) -> list[Args]:
    """Network devices of these numbers."""
    return [{"name": f"net{number}", "port_group": "lan"} for number in numbers]


def places(domain: ET.Element, bus: str) -> dict[str, tuple[str, ...]]:
    """Controller, target and unit of each disk and drive on a bus, by its target."""
    found = {}
    for disk in domain.findall("devices/disk"):
        if disk.find("target").get("bus") == bus:
            address = disk.find("address")
            where = tuple(address.get(name) for name in ("controller", "target", "unit"))
            found[disk.find("target").get("dev")] = where
    return found


def redefined(node: Node, change: str, to: str) -> None:
    """Change the text of the instance's definition with another tool."""
    text = node.libvirt()["domains"][vm(node)]["xml"]
    again, count = re.subn(change, to, text, flags=re.DOTALL)
    assert count, f"{change} is not in {text}"
    node.virsh("define", str(node.file("vm.xml", again.encode())))


def as_of_an_earlier_release(node: Node) -> None:
    """Have the instance's definition as it was with the seed on SATA, and one volume far away."""
    redefined(
        node,
        r"<target dev='sdz' bus='scsi'/>(\s*<readonly/>)\s*<alias [^>]*>\s*<address [^>]*>",
        r"<target dev='sdz' bus='sata'/>\1<alias name='ua-pextra-seed'/>"
        "<address type='drive' controller='0' bus='0' target='0' unit='5'/>",
    )
    redefined(node, "controller='0' bus='0' target='7' unit='0'",
              "controller='1' bus='0' target='0' unit='0'")  # fmt: skip
    redefined(node, r"\s*<serial>[^<]*</serial>", "")
    redefined(node, r" discard='unmap' detect_zeroes='unmap'", "")


# SCSI and SATA


def test_24_scsi_volumes_are_on_the_controller_that_guests_have_a_driver_for(node: Node) -> None:
    root = node.guest(vm(node))["volumes"]
    scsi = volumes(node, range(24), bus="scsi")
    seed = {"user_data": "#cloud-config\n"}
    given = node.guest(vm(node), volumes=[*root, *scsi], cloud_init=seed, state="started", **WAITED)
    node.run("instance", **given)
    for domain in (node.domain(vm(node)), node.live(vm(node))):
        controllers = domain.findall("devices/controller[@type='scsi']")
        assert [item.get("model") for item in controllers] == ["virtio-scsi"]
        there = places(domain, "scsi")
        assert len(there) == 25
        assert {where[0] for where in there.values()} == {"0"}
        assert len(set(there.values())) == 25
    assert not node.run("instance", **given).changed


def test_sata_volumes_have_places_behind_twenty_scsi_volumes(node: Node) -> None:
    root = node.guest(vm(node))["volumes"]
    medium = str(node.image("cd.iso", "raw", "1M"))
    drives = [{"name": f"drive{number}", "type": "cdrom"} for number in range(2)]
    both = [*volumes(node, range(20), bus="scsi"), *volumes(node, (20, 21), bus="sata")]
    given = node.guest(
        vm(node), volumes=[*root, *both], devices=drives, cdrom=medium, state="started", **WAITED
    )
    shown = node.run("instance", **given)["instance"]
    paths = [item["device_path"] for item in shown["volumes"] if item["bus"] == "sata"]
    assert paths == ["/dev/sdu", "/dev/sdv"]
    there = places(node.live(vm(node)), "sata")
    assert len(there) == len(set(there.values())) == 5
    assert not node.run("instance", **given).changed


def started_by_an_earlier_release(node: Node) -> None:
    """An instance with a SCSI volume and a seed, which runs as an earlier release had it run."""
    root = node.guest(vm(node))["volumes"]
    late = node.volume("late", "1MiB", bus="scsi", device_path="/dev/sdh")
    seed = {"user_data": "#!one"}
    node.run("instance", **node.guest(vm(node), volumes=[*root, late], cloud_init=seed))
    as_of_an_earlier_release(node)
    node.virsh("start", vm(node))


def test_what_an_earlier_release_put_elsewhere_moves_when_the_instance_starts_next(
    node: Node,
) -> None:
    started_by_an_earlier_release(node)
    as_it_runs = node.live(vm(node))
    done = node.run("instance", name=vm(node))
    assert done.actions == ["instance redefine"]
    assert ET.tostring(node.live(vm(node))) == ET.tostring(as_it_runs)
    assert not node.run("instance", name=vm(node)).changed
    node.run("instance", name=vm(node), cloud_init={"user_data": "#!two"})
    live = node.live(vm(node))
    assert places(live, "sata") == {"sdz": ("0", "0", "5")}
    new = node.domain(vm(node)).find("devices/disk[@device='cdrom']/source").get("file")
    assert live.find("devices/disk[@device='cdrom']/source").get("file") == new
    node.run("instance", name=vm(node), state="killed")
    node.run("instance", name=vm(node), state="started", **WAITED)
    live = node.live(vm(node))
    assert places(live, "scsi") == {"sdz": ("0", "25", "0"), "sdh": ("0", "7", "0")}
    assert live.find("devices/disk/target[@dev='vda']/../serial") is not None
    assert not node.run("instance", name=vm(node)).changed


def test_saved_machine_of_an_earlier_release_goes_on_as_it_was(node: Node) -> None:
    started_by_an_earlier_release(node)
    node.virsh("managedsave", vm(node))
    assert not node.run("instance", name=vm(node)).changed
    node.run("instance", name=vm(node), autostart=True)
    assert node.run("instance", name=vm(node), state="started").actions == ["instance start"]
    assert places(node.live(vm(node)), "sata") == {"sdz": ("0", "0", "5")}
    assert node.run("instance", name=vm(node)).actions == ["instance redefine"]
    node.run("instance", name=vm(node), autostart=False)


def test_seed_is_on_the_bus_that_is_asked_for(node: Node) -> None:
    seed = {"user_data": "#!one"}
    node.run("instance", **node.guest(vm(node), cloud_init=seed))
    assert places(node.domain(vm(node)), "scsi") == {"sdz": ("0", "25", "0")}
    node.run("instance", name=vm(node), cloud_init={"bus": "sata"})
    assert places(node.domain(vm(node)), "sata") == {"sdz": ("0", "0", "5")}
    node.run("instance", name=vm(node), state="started", **WAITED)
    assert not node.run("instance", name=vm(node)).changed
    assert "bus" in node.refused("instance", name=vm(node), cloud_init={"bus": "ide"}).message


# PCI


def test_all_virtio_volumes_are_plugged_in_and_what_has_no_place_is_refused_in_the_plan(
    node: Node,
) -> None:
    node.run("instance", **node.guest(vm(node), state="started", **WAITED))
    node.run("instance", name=vm(node), volumes=volumes(node, range(25)))
    assert len(places(node.live(vm(node)), "virtio")) == 26
    free = 0
    while True:
        more = {"name": vm(node), "networks": cards([free + 1])}
        said = node.task("instance", more, check=True)
        before = node.host()
        done = node.task("instance", more)
        assert said.failed == done.failed
        if done.failed:
            break
        assert "instance plug" in done.actions
        free += 1
    assert done.code == said.code == "restart_required"
    assert "no free place on the PCI bus" in done.message
    assert node.host() == before
    assert node.run("instance", name=vm(node), description="full").changed
    assert not node.run("instance", name=vm(node)).changed
    many = cards(range(free + 1, free + 6))
    node.run("instance", name=vm(node), networks=many, allow_restart=True, **WAITED)
    node.run("instance", name=vm(node), networks=cards([free + 6]))
    assert len(node.live(vm(node)).findall("devices/interface")) == free + 7
    assert not node.run("instance", name=vm(node)).changed


def test_a_place_that_becomes_free_is_used_again_in_the_same_run(node: Node) -> None:
    more = {"volumes": [*node.guest(vm(node))["volumes"], *volumes(node, range(24))]}
    full = node.guest(vm(node), networks=cards(range(12)), **more, state="started", **WAITED)
    node.run("instance", **full)
    names = iter(range(100, 200))
    while True:
        done = node.task("instance", {"name": vm(node), "networks": cards([next(names)])})
        if done.failed:
            break
    assert done.code == "restart_required"
    there = node.run("instance", name=vm(node))["instance"]["networks"]
    kept = [{"name": item["name"]} for item in there[:-1]]
    swapped = {"networks": [*kept, *cards([300])], "purge": ["networks"]}
    actions = node.run("instance", name=vm(node), **swapped).actions
    assert {"instance unplug", "instance plug"} <= set(actions)
    assert not node.run("instance", name=vm(node)).changed


def test_old_pcs_take_them_too(node: Node) -> None:
    given = node.guest(vm(node), chipset="i440fx", state="started", **WAITED)
    node.run("instance", **given)
    node.run("instance", name=vm(node), volumes=volumes(node, range(16)))
    assert len(places(node.live(vm(node)), "virtio")) == 17
    assert not node.run("instance", name=vm(node)).changed
    node.run("instance", name=vm(node), state="killed")
    node.run("instance", name=vm(node), networks=cards(range(1, 12)), state="started", **WAITED)
    node.run("instance", name=vm(node), networks=cards(range(12, 16)))
    assert len(node.live(vm(node)).findall("devices/interface")) == 16


def test_as_many_devices_as_a_machine_takes_start_and_more_are_refused(node: Node) -> None:
    result = node.refused("instance", **node.guest(vm(node), networks=cards(range(96))))
    assert "97 devices on PCI buses, which take 96" in result.message
    assert node.domains() == []
    most = node.guest(vm(node), networks=cards(range(95)), state="started", **WAITED)
    node.run("instance", **most)
    assert len(node.live(vm(node)).findall("devices/interface")) == 95
    node.run("instance", name=vm(node), volumes=volumes(node, range(4), bus="scsi"))
    assert not node.run("instance", name=vm(node)).changed


# What disks are for the guest


@pytest.mark.parametrize("bus", ["virtio", "scsi", "sata"])
def test_what_guests_discard_is_given_back_and_virtio_disks_are_known_by_their_id(
    node: Node, bus: str
) -> None:
    read_only = [] if bus == "sata" else [node.volume("other", "1MiB", bus=bus, read_only=True)]
    given = node.guest(vm(node), volumes=[
        *node.guest(vm(node))["volumes"], node.volume("data", "1MiB", bus=bus), *read_only,
    ], state="started", **WAITED)  # fmt: skip
    shown = node.run("instance", **given)["instance"]["volumes"]
    for domain in (node.domain(vm(node)), node.live(vm(node))):
        for volume in shown:
            name = volume["device_path"].removeprefix("/dev/")
            disk = domain.find(f"devices/disk/target[@dev='{name}']/..")
            driver, wanted = disk.find("driver"), None if volume["read_only"] else "unmap"
            assert driver.get("discard") == driver.get("detect_zeroes") == wanted
            serial = volume["id"][:20] if volume["bus"] == "virtio" else None
            assert disk.findtext("serial") == serial
    assert not node.run("instance", **given).changed
    for zeroes in ("discard 0 512k", "write -P 0 0 512k"):
        taken = [has_taken(node, command) for command in ("write -P 0x5a 0 512k", zeroes)]
        assert taken[0] - taken[1] >= 512 << 10


def has_taken(node: Node, command: str) -> int:
    """Have the running machine do something with the volume data; bytes that its file takes then.

    It is done behind the device, where what its guest asks for arrives.
    """
    alias = f"ua-pextra-{node.row('volumes', 'data')['id']}"
    virtio = node.row("volumes", "data")["bus"] == "virtio"
    device = f"/machine/peripheral/{alias}/virtio-backend" if virtio else alias
    for step in (command, "flush"):
        text = f'qemu-io -d {device} "{step}"'
        told = node.virsh("qemu-monitor-command", vm(node), "--hmp", text)
        assert "rror" not in told, told
    return node.image_of("data").stat().st_blocks * 512
