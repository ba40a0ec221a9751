# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports of running instances, as far as any kernel goes. What passes them is tested on nodes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Node, quietly, run
from pextra.host.network import ports
from pextra.host.network.links import Links
from pextra.model.errors import HostError

OPEN = {"isolated": False, "learning": True, "flood": True, "locked": False}


def tap_of(node: Node, name: str) -> str:
    """The host's end of an instance's only network device."""
    target = node.live(name).find("devices/interface/target")
    assert target is not None
    return str(target.get("dev"))


def flags(tap: str) -> dict[str, Any]:
    """A bridge port as the kernel has it."""
    (found,) = json.loads(run("bridge", "-json", "-details", "link", "show", "dev", tap))
    return {name: found[name] for name in OPEN}


def known(tap: str, mac: str) -> bool:
    """Whether the port knows a MAC address without having learned it."""
    entries = json.loads(run("bridge", "-json", "fdb", "show", "dev", tap))
    return any(item["mac"] == mac and item.get("state") == "static" for item in entries)


@pytest.fixture
def guest(node: Node) -> str:
    """The name of a running instance on a port group without settings."""
    name = node.name("vm")
    node.run("instance", **node.guest(name, state="started", wait_console="ready"))
    return name


def test_change_of_a_port_group_reaches_running_instances(node: Node, guest: str) -> None:
    tap, (row,) = tap_of(node, guest), node.sql("SELECT mac FROM network_devices")
    assert flags(tap) == OPEN
    asked = {"isolated": True, "forged_transmits": False, "mac_changes": False}
    predicted = node.run("port_group", check=True, name="lan", **asked)
    assert flags(tap) == OPEN
    done = node.run("port_group", name="lan", **asked)
    assert predicted["plan"] == done["plan"]
    assert done.actions == ["port_group update", "instance redefine", "instance set-port"]
    assert flags(tap) == {"isolated": True, "learning": False, "flood": False, "locked": True}
    assert known(tap, row["mac"])
    assert tap_of(node, guest) == tap, "the device was unplugged"
    assert node.sql("SELECT mac FROM network_devices") == [row]
    assert not node.run("port_group", name="lan", **asked).changed
    assert not node.run("instance", name=guest).changed
    node.run("port_group", name="lan", **{key: not value for key, value in asked.items()})
    assert flags(tap) == OPEN
    assert not known(tap, row["mac"])
    assert not node.run("instance", name=guest).changed


def test_instance_starts_with_its_port_closed(node: Node) -> None:
    node.run("port_group", name="lan", forged_transmits=False)
    name = node.name("vm")
    node.run("instance", **node.guest(name, state="started", wait_console="ready"))
    assert flags(tap_of(node, name))["locked"]
    assert not node.run("instance", name=name, state="started").changed
    text = node.virsh("dumpxml", name)
    assert "forged-transmits" in text


STARTING = """<domain type='lxc'><name>c1</name><metadata>
<pextra:instance xmlns:pextra='https://pextra.cloud/xmlns/ce/instance/1' id='inst-1'>
<pextra:port mac='52:54:00:00:00:01' isolated='yes'/></pextra:instance></metadata><devices>
<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='{bridge}'/>
<guest dev='eth0' actual='{inside}'/></interface></devices></domain>"""
"""What libvirt gives its hook of a container that is about to start."""


def test_container_that_is_about_to_start_has_its_port_closed(node: Node) -> None:
    outside, inside = f"{node.prefix}o", f"{node.prefix}i"
    run("ip", "link", "add", outside, "type", "veth", "peer", "name", inside)
    try:
        run("ip", "link", "set", outside, "master", node.vswitch)
        text = STARTING.format(bridge=node.vswitch, inside=inside)
        ports.secure(text)
        assert flags(outside)["isolated"]
        with pytest.raises(HostError, match="has no network interface"):
            ports.secure(text.replace(f" actual='{inside}'", ""))
    finally:
        run("ip", "link", "del", outside)


def test_device_that_is_plugged_in_has_its_port_closed(node: Node, guest: str) -> None:
    closed = {"name": "closed", "vswitch": node.vswitch, "isolated": True}
    node.run("port_group", **closed)
    networks = [{"name": "net1", "port_group": "closed"}]
    done = node.run("instance", name=guest, networks=networks)
    assert done.actions[-1] == "instance plug"
    taps = [item.get("dev", "") for item in node.live(guest).findall("devices/interface/target")]
    assert sorted(flags(tap)["isolated"] for tap in taps) == [False, True]
    links = [item.get("state") for item in node.live(guest).findall("devices/interface/link")]
    assert set(links) <= {"up", None}
    assert not node.run("instance", name=guest).changed


@pytest.mark.parametrize(
    "change",
    [
        lambda tap: run("bridge", "link", "set", "dev", tap, "isolated", "off"),
        lambda tap: run("bridge", "link", "set", "dev", tap, "locked", "off"),
        lambda tap: run("ip", "link", "set", tap, "nomaster"),
    ],
    ids=["opened", "unlocked", "taken off the bridge"],
)
def test_port_that_somebody_changed_is_repaired(
    node: Node, guest: str, change: Callable[[str], str]
) -> None:
    node.run("port_group", name="lan", isolated=True, forged_transmits=False)
    tap = tap_of(node, guest)
    closed = flags(tap)
    change(tap)
    assert node.run("instance", name=guest, check=True).actions == ["instance set-port"]
    assert node.run("instance", name=guest).actions == ["instance set-port"]
    assert flags(tap) == closed
    assert not node.run("instance", name=guest).changed


def test_rate_to_an_instance_is_limited(node: Node, guest: str) -> None:
    tap = tap_of(node, guest)
    node.run("port_group", name="lan", rate_limit={"inbound": "10Mbit"})
    assert "rate 10Mbit" in quietly("tc", "qdisc", "show", "dev", tap)
    assert not node.run("instance", name=guest).changed
    run("tc", "qdisc", "del", "dev", tap, "root")
    assert node.run("instance", name=guest).actions == ["instance set-port"]
    node.run("port_group", name="lan", rate_limit={"inbound": None})
    assert "tbf" not in quietly("tc", "qdisc", "show", "dev", tap)


def test_what_the_kernel_cannot_do_is_refused_before_any_change(node: Node) -> None:
    links = Links()
    for options, possible in (
        ({"trunk": ["10", "20-30"]}, links.vlan_filtering),
        ({"promiscuous": True}, links.filters),
        ({"rate_limit": {"outbound": "10Mbit"}}, links.filters),
    ):
        if possible:
            assert node.run("port_group", name="lan", **options).changed
        else:
            assert node.refused("port_group", name="lan", **options).code == "unsupported"


def test_vlan_and_trunk_exclude_each_other(node: Node) -> None:
    refused = node.refused("port_group", name="lan", vlan_id=7, trunk=["8"])
    assert "either" in refused.message


def test_change_of_the_mtu_reaches_running_instances(node: Node, guest: str) -> None:
    def mtu() -> int:
        return int(Path("/sys/class/net", tap_of(node, guest), "mtu").read_text())

    for size in (9000, 1500):
        done = node.run("vswitch", name=node.vswitch, mtu=size)
        assert done.actions == ["vswitch update", "vswitch bridge"]
        assert mtu() == size
        assert not node.run("vswitch", name=node.vswitch, mtu=size).changed
    run("ip", "link", "set", "dev", tap_of(node, guest), "mtu", "1400")
    assert node.run("vswitch", name=node.vswitch).actions == ["vswitch bridge"]
    assert mtu() == 1500
