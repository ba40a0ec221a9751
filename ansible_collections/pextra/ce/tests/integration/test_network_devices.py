# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network devices of instances: their order, and addresses that somebody else has."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Args, Node


def vm(node: Node) -> str:
    """The name of the instance."""
    return node.name("vm")


def mac(node: Node) -> str:
    """An address that nobody has."""
    return ":".join(("52", "54", "00", *re.findall("..", node.prefix[1:])))


def cards(*names: str) -> list[Args]:
    """Network devices of these names."""
    return [{"name": name, "port_group": "lan"} for name in names]


def order(node: Node, domain: ET.Element) -> list[str]:
    """The names of the network devices as the guest finds them: in the order of their buses."""
    shown = node.run("instance", name=vm(node))["instance"]["networks"]
    names = {item["mac"]: item["name"] for item in shown}
    there = domain.findall("devices/interface")
    there.sort(key=lambda item: int(item.find("address").get("bus"), 16))
    return [names[item.find("mac").get("address")] for item in there]


def test_they_are_in_the_order_in_which_they_were_given(node: Node) -> None:
    given = ["wan", "lan", "net10", "net2"]
    done = node.run("instance", **node.instance(vm(node), networks=cards(*given)))
    assert [item["name"] for item in done["instance"]["networks"]] == given
    assert order(node, node.domain(vm(node))) == given
    shown = node.run("instance_info", name=vm(node), fields=["networks"])["instances"][0]
    assert [item["name"] for item in shown["networks"]] == given
    node.virsh("undefine", vm(node))
    node.run("instance", name=vm(node))
    assert order(node, node.domain(vm(node))) == given


def test_one_that_is_added_comes_last_and_others_keep_their_places(node: Node) -> None:
    node.run("instance", **node.instance(vm(node), networks=cards("wan", "lan"), state="started"))
    node.run("instance", name=vm(node), networks=cards("aaa", "lan", "wan"))
    assert order(node, node.live(vm(node))) == ["wan", "lan", "aaa"]
    assert order(node, node.domain(vm(node))) == ["wan", "lan", "aaa"]
    assert not node.run("instance", name=vm(node), networks=cards("lan", "aaa")).changed
    one = {"networks": cards("wan", "aaa"), "purge": ["networks"]}
    assert node.task("instance", {"name": vm(node), "state": "killed"}).changed
    shown = node.run("instance", name=vm(node), **one)["instance"]["networks"]
    assert [item["name"] for item in shown] == ["wan", "aaa"]


@pytest.mark.parametrize("where", ["--config", "--live"])
def test_address_of_a_device_that_somebody_else_added_is_refused(node: Node, where: str) -> None:
    state = "started" if where == "--live" else "present"
    node.run("instance", **node.instance(vm(node), state=state))
    added = ("bridge", node.vswitch, "--model", "virtio", "--mac", mac(node), where)
    node.virsh("attach-interface", vm(node), *added)
    wanted = {"networks": [{"name": "net1", "port_group": "lan", "mac": mac(node)}]}
    for check in (True, False):
        result = node.refused("instance", check=check, name=vm(node), **wanted)
        assert result.code == "foreign"
        assert f"somebody else attached a device at {mac(node)}" in result.message
    assert not node.run("instance", name=vm(node)).changed
    if where == "--live":
        node.virsh("destroy", vm(node))
    else:
        node.virsh("detach-interface", vm(node), "bridge", "--mac", mac(node), where)
    node.run("instance", name=vm(node), **wanted)
    assert not node.run("instance", name=vm(node), **wanted).changed


def test_address_of_a_foreign_container_is_refused(node: Node) -> None:
    theirs, mac, name = node.name("theirs"), "52:54:00:12:34:56", node.name("vm")
    text = (
        f"<domain type='lxc'><name>{theirs}</name><memory unit='MiB'>16</memory>"
        "<os><type>exe</type><init>/sbin/init</init></os><devices><interface type='bridge'>"
        f"<source bridge='{node.vswitch}'/><mac address='{mac}'/></interface></devices></domain>"
    )
    uri = "lxc:///system"
    node.virsh("define", str(node.file("theirs.xml", text.encode())), uri=uri)
    try:
        cards = [{"name": "net0", "port_group": "lan", "mac": mac}]
        for check in (True, False):
            result = node.refused("instance", **node.instance(name, networks=cards), check=check)
            assert (result.code, theirs in result.message) == ("foreign", True)
    finally:
        node.virsh("undefine", theirs, uri=uri)
    node.run("instance", **node.instance(name, networks=cards))


def test_address_of_a_foreign_domain_is_refused(node: Node) -> None:
    other = node.name("foreign")
    text = (
        f"<domain type='qemu'><name>{other}</name><memory unit='MiB'>32</memory>"
        "<os><type>hvm</type></os><devices><interface type='bridge'>"
        f"<mac address='{mac(node)}'/><source bridge='{node.vswitch}'/></interface>"
        "</devices></domain>"
    )
    node.virsh("define", str(node.file("foreign.xml", text.encode())))
    wanted = {"networks": [{"name": "net1", "port_group": "lan", "mac": mac(node)}]}
    for check in (True, False):
        result = node.refused("instance", check=check, **node.instance(vm(node), **wanted))
        assert result.code == "foreign"
        assert mac(node) in result.message
        assert other in result.message
    node.run("instance", **node.instance(vm(node)))
    result = node.refused("instance", name=vm(node), **wanted)
    assert other in result.message
    node.virsh("undefine", other)
    node.run("instance", name=vm(node), **wanted)
