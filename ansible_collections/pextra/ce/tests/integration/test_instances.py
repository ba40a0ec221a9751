# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances: power, changes with and without a restart, devices, seeds and firmware."""

from __future__ import annotations

import os
import platform
import stat
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.guest import READY
from ansible_collections.pextra.ce.tests.integration.lab import Node, elements

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the guest's boot sector is one of a PC"
)
WAITED = {"wait_console": READY, "timeout": 30}


@pytest.fixture(scope="module")
def shared(make_module_lab: Callable[..., Node]) -> Node:
    """A node with a running instance, which each test leaves running with what it has."""
    made = make_module_lab(Node)
    made.prepare()
    made.run("instance", **made.guest(made.name("vm"), state="started", **WAITED))
    return made


def addresses(domain: ET.Element) -> dict[str, dict[str, str]]:
    """Where on its bus each device is: by its kind and what identifies it."""
    found = {}
    for device in domain.findall("devices/*"):
        address, mac, target = (device.find(name) for name in ("address", "mac", "target"))
        if address is None:
            continue
        key = mac.get("address") if mac is not None else None
        key = key or (target.get("dev") if target is not None else None)
        key = key or f"{device.get('type')} {device.get('index')} {device.get('model')}"
        found[f"{device.tag} {key}"] = dict(address.attrib)
    return found


def process(node: Node, name: str) -> str:
    """The process that the running domain is."""
    return Path(f"/run/libvirt/qemu/{name}.pid").read_text()


# Power


def test_each_state_is_reached_from_each_other(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.guest(name))
    assert node.running() == []
    assert node.run("instance", name=name, state="started", **WAITED).actions == ["instance start"]
    assert not node.run("instance", name=name, state="started", **WAITED).changed
    assert not node.run("instance", name=name).changed
    assert node.running() == [name]
    first = process(node, name)
    done = node.run("instance", name=name, state="restarted", **WAITED)
    assert done.actions == ["instance restart"]
    assert process(node, name) != first
    assert node.run("instance", name=name, state="stopped").actions == ["instance shutdown"]
    assert node.running() == []
    assert not node.run("instance", name=name, state="stopped").changed
    assert not node.run("instance", name=name, state="killed").changed
    assert node.run("instance", name=name, state="restarted").actions == ["instance start"]
    assert node.run("instance", name=name, state="killed").actions == ["instance kill"]
    assert node.running() == []


def test_state_is_returned_as_it_is_and_predicted_as_it_will_be(node: Node) -> None:
    name = node.name("vm")
    for options, state in (
        (node.guest(name), "stopped"),
        ({"name": name, "state": "started", **WAITED}, "running"),
        ({"name": name}, "running"),
        ({"name": name, "memory": "48MiB", "allow_restart": True}, "running"),
        ({"name": name, "state": "restarted", **WAITED}, "running"),
        ({"name": name, "state": "stopped"}, "stopped"),
        ({"name": name, "state": "restarted", **WAITED}, "running"),
        ({"name": name, "state": "killed"}, "stopped"),
    ):
        said = node.run("instance", check=True, **options)
        done = node.run("instance", **options)
        assert said["instance"]["state"] == done["instance"]["state"] == state, options
        seen = node.run("instance_info", name=name, fields=["state"])["instances"]
        assert seen == [{"state": state}], options


def test_paused_instance_is_called_so(shared: Node) -> None:
    name = shared.name("vm")
    shared.virsh("suspend", name)
    try:
        assert shared.run("instance", name=name)["instance"]["state"] == "paused"
    finally:
        shared.virsh("resume", name)
    assert shared.run("instance", name=name)["instance"]["state"] == "running"


def test_guest_that_does_not_stop_in_time_is_an_error_and_stays(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name, state="started"))
    began = time.monotonic()
    result = node.task("instance", {"name": name, "state": "stopped", "timeout": 1})
    assert time.monotonic() - began < 20
    assert result.code == "host"
    assert "did not shut down within 1 seconds" in result.message
    assert "state=killed" in result.message
    assert node.running() == [name]


def test_console_that_does_not_say_it_is_an_error_with_its_tail(shared: Node) -> None:
    never = {"state": "started", "wait_console": "never said", "timeout": 1}
    result = shared.task("instance", {"name": shared.name("vm"), **never})
    assert result.failed
    assert "never said" in result.message
    assert READY in result.message
    assert f"{shared.directory}/log/console/" in result.message
    wrong = {"name": shared.name("vm"), "state": "started", "wait_console": "("}
    assert "wait_console" in shared.refused("instance", **wrong).message


def test_console_and_screen_are_where_only_this_machine_reaches_them(shared: Node) -> None:
    domain = shared.live(shared.name("vm"))
    screen = domain.find("devices/graphics")
    assert screen is not None
    assert screen.get("type") == "vnc"
    assert screen.get("port") in (None, "-1")
    assert screen.find("listen").get("type") == "socket"
    log = Path(domain.find("devices/serial/log").get("file"))
    assert READY in log.read_text(errors="replace")
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_running_instance_is_not_removed(shared: Node) -> None:
    name = shared.name("vm")
    result = shared.refused("instance", name=name, state="absent", destroy_volumes=True)
    assert "it is running" in result.message
    assert "state=killed" in result.message
    assert shared.running() == [name]


def test_instance_starts_with_the_host_only_if_that_is_asked(shared: Node) -> None:
    name = shared.name("vm")
    for wanted in (True, False):
        shared.run("instance", name=name, autostart=wanted)
        assert shared.libvirt()["domains"][name]["autostart"] == wanted
        assert not shared.run("instance", name=name, autostart=wanted).changed


# Changes


@pytest.mark.parametrize(
    ("change", "field", "now", "then"),
    [({"memory": "64MiB"}, "memory", "32", "64"), ({"cpu": {"cores": 2}}, "cpu", "1", "2")],
)
def test_change_that_needs_a_restart_is_refused_before_anything_is_changed(
    shared: Node, change: dict[str, Any], field: str, now: str, then: str
) -> None:
    name, before = shared.name("vm"), shared.host()
    for check in (True, False):
        result = shared.refused("instance", check=check, name=name, description="x", **change)
        assert result.code == "restart_required"
        for part in (name, field, now, then, "allow_restart"):
            assert part in result.message
        assert result["errors"][0]["resource"] == f'instance "{name}"'
    assert shared.host() == before


def test_change_that_needs_a_restart_is_made_with_one_if_that_is_allowed(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.guest(name, state="started", **WAITED))
    first, places = process(node, name), addresses(node.domain(name))
    more = {"memory": "48MiB", "cpu": {"sockets": 2}, "allow_restart": True, "timeout": 30}
    said = node.run("instance", check=True, name=name, **more)
    done = node.run("instance", name=name, **more)
    assert said["plan"] == done["plan"]
    assert "instance restart" in done.actions
    assert process(node, name) != first
    live = node.live(name)
    assert live.findtext("memory") == str(48 * 1024)
    assert live.findtext("vcpu") == "2"
    assert addresses(node.domain(name)) == places
    assert not node.run("instance", name=name, **more).changed


def test_change_of_a_stopped_instance_needs_no_restart(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name))
    done = node.run("instance", name=name, memory="64MiB", cpu={"sockets": 2, "threads": 2})
    assert done["instance"]["vcpus"] == 4
    assert not any(step["needs_restart"] for step in done["plan"])
    assert node.domain(name).findtext("vcpu") == "4"


def test_part_of_the_processors_that_is_left_out_stays(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name, cpu={"sockets": 2, "cores": 3}))
    done = node.run("instance", name=name, cpu={"cores": 1})
    assert done["instance"]["cpu"] == {"sockets": 2, "cores": 1, "threads": 1}


def test_what_cannot_change_is_refused(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name))
    for change in ({"firmware": "uefi"}, {"type": "lxc"}):
        result = node.refused("instance", name=name, **change)
        assert result.code == "conflict"
        assert "cannot change" in result.message


# Network devices


def test_mac_address_is_stable_and_never_another_instances(node: Node) -> None:
    name = node.name("vm")
    made = node.run("instance", **node.instance(name))["instance"]["networks"]
    mac = made[0]["mac"]
    assert mac.startswith("52:54:00:")
    node.run("port_group", name="dmz", vswitch=node.vswitch)
    more = [{"name": "net1", "port_group": "dmz"}]
    two = node.run("instance", name=name, networks=more, memory="48MiB")["instance"]["networks"]
    assert [item["name"] for item in two] == ["net0", "net1"]
    assert two[0] == made[0]
    moved = node.run("instance", name=name, networks=[{"name": "net0", "port_group": "dmz"}])
    assert moved["instance"]["networks"][0]["mac"] == mac
    shown = [item.get("address") for item in node.domain(name).iter("mac")]
    assert sorted(shown) == sorted(item["mac"] for item in moved["instance"]["networks"])
    taken = {"networks": [{"name": "net0", "port_group": "lan", "mac": mac}]}
    result = node.refused("instance", name=node.name("other"), memory=32, **taken)
    assert mac in result.message
    assert name in result.message


def test_mac_address_of_a_device_that_exists_does_not_change(node: Node) -> None:
    name = node.name("vm")
    given = [{"name": "net0", "port_group": "lan", "mac": "52-54-00-12-34-56"}]
    made = node.run("instance", **node.instance(name, networks=given))
    assert made["instance"]["networks"][0]["mac"] == "52:54:00:12:34:56"
    assert not node.run("instance", name=name, networks=given).changed
    other = [{"name": "net0", "mac": "52:54:00:12:34:57"}]
    assert node.refused("instance", name=name, networks=other).code == "conflict"


def test_network_devices_come_and_go_while_it_runs_and_others_keep_their_places(
    shared: Node,
) -> None:
    name = shared.name("vm")
    first, places = process(shared, name), addresses(shared.live(name))
    more = [{"name": "net5", "port_group": "lan", "model": "e1000e"}]
    assert "instance plug" in shared.run("instance", name=name, networks=more).actions
    live = shared.live(name)
    assert len(live.findall("devices/interface")) == 2
    assert places.items() <= addresses(live).items()
    only = {"networks": [{"name": "net0"}], "purge": ["networks"]}
    assert "instance unplug" in shared.run("instance", name=name, **only).actions
    for domain in (shared.live(name), shared.domain(name)):
        assert len(domain.findall("devices/interface")) == 1
    assert addresses(shared.live(name)) == places
    assert process(shared, name) == first


def test_lists_merge_by_name_and_purge_is_asked_for_per_list(node: Node) -> None:
    name = node.name("vm")
    volumes = [node.volume("root"), node.volume("data")]
    networks = [{"name": f"net{number}", "port_group": "lan"} for number in range(2)]
    node.run("instance", **node.instance(name, volumes=volumes, networks=networks))
    one = {"name": name, "volumes": volumes[:1], "networks": networks[:1]}
    assert not node.run("instance", **one).changed
    shown = node.run("instance", **one, purge=["networks"])["instance"]
    assert [len(shown[key]) for key in ("volumes", "networks")] == [2, 1]
    shown = node.run("instance", **one, purge=["volumes"])["instance"]
    assert [item["name"] for item in shown["volumes"]] == ["root"]
    assert node.image_of("data").exists()
    shown = node.run("instance", name=name, volumes=[], purge=["volumes"])["instance"]
    assert [item["name"] for item in shown["volumes"]] == ["root"]


def test_volumes_stay_unless_their_destruction_is_asked_for(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name))
    node.run("instance", name=name, state="absent")
    row = node.row("volumes", f"{name}-root")
    assert (row["instance_id"], row["is_root"], row["status"]) == (None, False, "ready")
    assert node.image_of(f"{name}-root").exists()
    node.run("instance", **node.instance(name))
    assert node.row("volumes", f"{name}-root")["is_root"]
    node.run("instance", name=name, state="absent", destroy_volumes=True)
    assert node.sql("SELECT id FROM volumes") == []
    assert list((node.directory / "pool").iterdir()) == []


# CD-ROM, boot order, firmware


def test_medium_is_changed_while_it_runs(node: Node) -> None:
    name = node.name("vm")
    one, two = (str(node.image(f"{number}.iso", "raw", "1M")) for number in (1, 2))
    node.run("instance", **node.instance(name, cdrom=one, state="started"))
    for path in (two, one):
        done = node.run("instance", name=name, cdrom=path)
        assert "instance change-medium" in done.actions
        for domain in (node.live(name), node.domain(name)):
            (drive,) = elements(domain, "devices/disk", device="cdrom")
            assert drive.find("source").get("file") == path
        assert not node.run("instance", name=name, cdrom=path).changed
    assert node.run("instance", name=name, cdrom=None).changed
    (drive,) = elements(node.live(name), "devices/disk", device="cdrom")
    assert drive.find("source[@file]") is None
    assert not node.run("instance", name=name, cdrom=None).changed
    assert not node.run("instance", name=name).changed


def test_missing_medium_is_refused(node: Node) -> None:
    result = node.refused("instance", name=node.name("vm"), memory=32, cdrom="/nonexistent.iso")
    assert "/nonexistent.iso does not exist" in result.message


def test_boot_order_is_kept_and_unknown_devices_are_refused(node: Node) -> None:
    name, medium = node.name("vm"), str(node.image("cd.iso", "raw", "1M"))
    entry = node.instance(name, cdrom=medium)
    node.run("instance", **entry)
    assert boot_order(node.domain(name)) == ["vda", "sdy"]
    order = ["net0", "cdrom", "disk-vda"]
    node.run("instance", name=name, boot_order=order)
    assert boot_order(node.domain(name)) == ["net", "sdy", "vda"]
    assert not node.run("instance", name=name, boot_order=order).changed
    result = node.refused("instance", name=name, boot_order=["net0", "floppy"])
    assert "floppy" in result.message
    assert "disk-vda" in result.message
    assert "twice" in node.refused("instance", name=name, boot_order=["net0", "net0"]).message


def boot_order(domain: ET.Element) -> list[str]:
    """Targets of the devices in their boot order."""
    devices = [item for item in domain.findall("devices/*") if item.find("boot") is not None]
    devices.sort(key=lambda item: int(item.find("boot").get("order")))
    targets = [item.find("target") for item in devices]
    return [item.get("dev", "?") if item is not None else "net" for item in targets]


def test_first_volume_can_be_added_later(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", name=name, memory=32)
    node.run("instance", name=name, volumes=[node.volume("root")])
    assert boot_order(node.domain(name)) == ["vda"]


def test_uefi_machine_is_defined_and_leaves_nothing(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name, firmware="uefi"))
    domain = node.domain(name)
    assert domain.find("os").get("firmware") == "efi" or domain.find("os/loader") is not None
    assert not node.run("instance", **node.instance(name, firmware="uefi")).changed
    assert node.run("instance", name=name, memory="48MiB").changed
    node.run("instance", name=name, state="absent", destroy_volumes=True)
    assert node.domains() == []
    assert not Path(f"/var/lib/libvirt/qemu/nvram/{name}_VARS.fd").exists()


def test_kvm_and_the_hosts_processor_only_where_kvm_works(shared: Node) -> None:
    flags = Path("/proc/cpuinfo").read_text().split()
    kvm = os.access("/dev/kvm", os.R_OK | os.W_OK) and bool({"vmx", "svm"} & set(flags))
    domain = shared.domain(shared.name("vm"))
    assert domain.get("type") == ("kvm" if kvm else "qemu")
    assert domain.find("cpu").get("mode") == ("host-passthrough" if kvm else "maximum")


# Containers


def test_container_is_defined_with_its_root_and_devices(node: Node) -> None:
    name = node.name("ct")
    root = node.directory / "rootfs"
    (root / "sbin").mkdir(parents=True)
    entry = {
        "name": name, "type": "lxc", "memory": "64MiB", "rootfs": str(root),
        "networks": [{"name": "net0", "port_group": "lan"}],
    }  # fmt: skip
    try:
        done = node.run("instance", **entry)
        text = node.virsh("dumpxml", name, uri="lxc:///system")
        domain = ET.fromstring(text)  # noqa: S314
        assert domain.find("devices/filesystem/source").get("dir") == str(root)
        assert domain.findtext("memory") == str(64 * 1024)
        mac = done["instance"]["networks"][0]["mac"]
        assert domain.find("devices/interface/mac").get("address") == mac
        assert not node.run("instance", **entry).changed
        assert node.run("instance", name=name, memory="96MiB").changed
        assert not node.run("instance", name=name, memory="96MiB").changed
        started = node.task("instance", {"name": name, "state": "started"})
        if started.failed:
            assert name in started.message
            assert "starting it failed" in started.message
        else:
            node.run("instance", name=name, state="killed")
        node.run("instance", name=name, state="absent")
        assert name not in node.virsh("list", "--all", "--name", uri="lxc:///system").split()
    finally:
        for action in ("destroy", "undefine"):
            node.virsh_quietly(action, name, uri="lxc:///system")


def test_container_refuses_what_only_machines_have(node: Node) -> None:
    name, root = node.name("ct"), str(node.directory)
    base = {"name": name, "type": "lxc", "memory": "64MiB"}
    assert "rootfs" in node.refused("instance", **base).message
    for more in ({"cloud_init": {}}, {"boot_order": ["net0"]}):
        result = node.refused("instance", **base, rootfs=root, **more)
        assert next(iter(more)) in result.message
    result = node.refused("instance", **base, rootfs=root, volumes=[node.volume("root")])
    assert "container" in result.message
    result = node.refused("instance", name=name, memory=32, rootfs=root)
    assert "rootfs is for containers" in result.message
