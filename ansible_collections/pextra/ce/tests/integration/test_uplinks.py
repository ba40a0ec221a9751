# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uplinks of vSwitches, as far as any kernel goes: one port. Bonds are tested on nodes."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.pextra.ce.tests.integration.lab import Node, run
from pextra.host.network.links import Links


def link(name: str) -> dict[str, Any]:
    """An interface as the kernel has it."""
    (found,) = json.loads(run("ip", "-json", "-details", "link", "show", "dev", name))
    return dict(found)


def test_life_of_an_uplink(node: Node) -> None:
    nic, options = node.nic(), {"name": node.vswitch}
    node.run("vswitch", **options)
    predicted = node.run("vswitch", check=True, **options, uplinks=[nic])
    assert "master" not in link(nic)
    done = node.run("vswitch", **options, uplinks=[nic])
    assert predicted["plan"] == done["plan"]
    assert done["vswitch"]["uplinks"] == [nic]
    assert link(nic)["master"] == node.vswitch
    assert "UP" in link(nic)["flags"]
    assert not node.run("vswitch", **options, uplinks=[nic]).changed
    assert not node.run("vswitch", **options).changed
    assert node.run("vswitch", **options, mtu=9000).changed
    assert {link(nic)["mtu"], link(node.vswitch)["mtu"]} == {9000}
    (info,) = node.run("vswitch_info", name=node.vswitch)["vswitches"]
    assert (info["uplinks"], info["active_uplinks"], info["ports"]) == ([nic], [nic], [])
    assert node.run("vswitch", **options, uplinks=[]).changed
    assert "master" not in link(nic)
    assert not link(nic).get("ifalias")
    assert not node.run("vswitch", **options, uplinks=[]).changed


def test_uplink_is_replaced_by_another_and_let_go_with_the_vswitch(node: Node) -> None:
    old, new = node.nic(), node.nic()
    node.run("vswitch", name=node.vswitch, uplinks=[old])
    node.run("vswitch", name=node.vswitch, uplinks=[new])
    assert "master" not in link(old)
    assert link(new)["master"] == node.vswitch
    node.run("port_group", name="lan", state="absent")
    node.run("vswitch", name=node.vswitch, state="absent")
    assert "master" not in link(new)
    assert node.bridges() == {}


def test_uplink_that_somebody_took_away_or_shut_is_repaired(node: Node) -> None:
    nic = node.nic()
    options = {"name": node.vswitch, "uplinks": [nic]}
    node.run("vswitch", **options)
    for change in (("nomaster",), ("down",), ("mtu", "1400")):
        run("ip", "link", "set", nic, *change)
        assert node.run("vswitch", check=True, **options).changed, change
        assert node.run("vswitch", **options).actions == ["vswitch bridge"]
        assert not node.run("vswitch", **options).changed
        assert link(nic)["master"] == node.vswitch
        assert link(nic)["mtu"] == 1500


def test_what_cannot_be_an_uplink_is_refused_before_any_change(node: Node) -> None:
    nic, other = node.nic(), node.vswitch_name()
    options = {"name": node.vswitch}
    missing = node.refused("vswitch", **options, uplinks=["nosuchnic0"])
    assert "does not exist on this node" in missing.message
    assert nic in missing.message
    assert "no network card" in node.refused("vswitch", **options, uplinks=["lo"]).message
    node.run("vswitch", name=other, uplinks=[nic])
    taken = node.refused("vswitch", **options, uplinks=[nic])
    assert f"uplink of vSwitch {other} already" in taken.message
    large = node.refused("vswitch", name=other, uplinks=["x" * 16])
    assert large.code == "invalid_input"


def test_interface_of_a_bridge_of_others_is_never_touched(node: Node) -> None:
    nic, bridge = node.nic(), f"{node.prefix}br"
    run("ip", "link", "add", bridge, "type", "bridge")
    try:
        run("ip", "link", "set", nic, "master", bridge)
        refused = node.refused("vswitch", name=node.vswitch, uplinks=[nic])
        assert refused.code == "foreign"
        assert link(nic)["master"] == bridge
    finally:
        run("ip", "link", "del", bridge)


def test_several_uplinks_need_bonds(node: Node) -> None:
    options = {"name": node.vswitch, "uplinks": [node.nic(), node.nic()]}
    if not Links().bonding:
        assert node.refused("vswitch", **options).code == "unsupported"
        return
    node.run("vswitch", **options)
    assert not node.run("vswitch", **options).changed
    bond = node.vswitch.replace("svswitch", "svbond")
    assert {link(name)["master"] for name in options["uplinks"]} == {bond}
    node.run("port_group", name="lan", state="absent")
    assert node.run("vswitch", name=node.vswitch, state="absent").changed
    assert {link(name).get("master") for name in options["uplinks"]} == {None}
