"""Uplinks: traffic goes on while they fail, and while they come and go."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

MOMENT = 1.0
"""Seconds. Links are looked at every 100 ms; the node is slow, and emulated."""


def active(task: Callable[..., dict[str, Any]]) -> list[str]:
    """The uplink that carries the traffic."""
    (found,) = task("vswitch_info", name="svswitch1")["vswitches"]
    names: list[str] = found["active_uplinks"]
    return names


def test_traffic_goes_on_when_the_uplink_in_use_is_unplugged(
    lab: Any, task: Any, both: Any, pinging: Any
) -> None:
    (used,) = active(task)
    try:
        with pinging() as losses:
            lab.unplug("node1", used)
        assert active(task) != [used]
    finally:
        lab.plug("node1", used)
    assert losses.sent > 10
    assert losses.seconds <= MOMENT, losses


def test_uplinks_come_and_go_while_traffic_flows(task: Any, both: Any, pinging: Any) -> None:
    for uplinks in (["vec1"], ["vec1", "vec2"], ["vec2"], ["vec1"]):
        with pinging() as losses:
            done = task("vswitch", name="svswitch1", uplinks=uplinks)
        assert done["changed"]
        assert losses.sent > 10
        assert losses.seconds <= MOMENT, (uplinks, losses)
    assert not task("vswitch", name="svswitch1", uplinks=uplinks)["changed"]


def bond_of(host: Any) -> tuple[str, int, str | None, list[str]]:
    """The bond's mode, how often it looks, the uplink that it prefers, and those that it has."""
    (link,) = json.loads(host.check_output("ip -json -details link show dev svbond1"))
    members = json.loads(host.check_output("ip -json link show master svbond1"))
    info = link["linkinfo"]["info_data"]
    names = sorted(item["ifname"] for item in members if "UP" in item["flags"])
    return info["mode"], info["miimon"], info.get("primary"), names


def test_bond_shares_the_traffic_as_it_is_asked_to(lab: Any, task: Any, both: Any) -> None:
    host = lab.host("node1")
    for bond in (
        {"mode": "balance-xor", "miimon": 50},
        {"mode": "802.3ad", "miimon": 200},
        {"mode": "active-backup", "miimon": 100, "primary": "vec2"},
    ):
        done = task("vswitch", name="svswitch1", bond=bond)
        assert done["changed"]
        wanted = (bond["mode"], bond["miimon"], bond.get("primary"), ["vec1", "vec2"])
        assert bond_of(host) == wanted
        assert not task("vswitch", name="svswitch1", bond=bond)["changed"]
    assert active(task) == ["vec2"]
