"""Uplinks: traffic goes on while they fail, come and go, and they are there after a reboot."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

MOMENT = 1.0
"""Seconds. Links are looked at every 100 ms; the node is slow, and emulated."""


@pytest.fixture
def both(task: Callable[..., dict[str, Any]]) -> Any:
    """The vSwitch has both uplinks, before and after."""
    whole = {"name": "svswitch1", "uplinks": ["vec1", "vec2"], "bond": {"primary": None}}
    task("vswitch", **whole)
    yield whole
    task("vswitch", **whole)


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
        assert losses.seconds <= MOMENT, (uplinks, losses)
        assert not task("vswitch", name="svswitch1", uplinks=uplinks)["changed"]


def kernel(host: Any) -> dict[str, Any]:
    """What of the network should survive a reboot."""
    found = {}
    for link in json.loads(host.check_output("ip -json -details link show")):
        info = link.get("linkinfo", {})
        if link["ifname"].startswith(("svswitch", "svbond", "vec")):
            keys = ("mode", "miimon", "primary", "stp_state", "vlan_filtering")
            options = {key: info.get("info_data", {}).get(key) for key in keys}
            facts = {key: link.get(key) for key in ("mtu", "master")}
            if not link["ifname"].startswith("vec"):
                facts["mac"] = link["address"]
            found[link["ifname"]] = {**options, **facts, "up": "UP" in link["flags"]}
    for port in json.loads(host.check_output("bridge -json vlan show")):
        if port["ifname"].startswith(("svswitch", "svbond", "vec")):
            found[f"VLANs of {port['ifname']}"] = port["vlans"]
    for name in ("svswitch1", "svbond1"):
        path = f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6"
        found[f"IPv6 of {name}"] = host.check_output(f"cat {path}").strip()
    return found


def test_everything_is_there_after_a_reboot(lab: Any, task: Any, both: Any) -> None:
    task("vswitch", name="svswitch1", bond={"primary": "vec2"})
    host = lab.host("node1")
    before = kernel(host)
    assert before["svbond1"]["primary"] == "vec2"
    lab.reboot("node1")
    assert kernel(host) == before
    names = ("c1", "c2", "c3")
    resources: list[dict[str, Any]] = [{"kind": "vswitch", "name": "svswitch1", **both}]
    assert not task("vswitch", name="svswitch1", uplinks=both["uplinks"])["changed"]
    resources += [{"kind": "instance", "name": name, "state": "started"} for name in names]
    task("apply", resources=resources)
