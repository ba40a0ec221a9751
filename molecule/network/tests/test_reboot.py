"""All that was made of the network is there after a reboot, by itself."""

from __future__ import annotations

import json
from typing import Any


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


def test_everything_is_there_after_a_reboot(lab: Any, task: Any, both: Any, card: Any) -> None:
    changed = {"name": "svswitch1", "mtu": 1400, "bond": {"primary": "vec2"}}
    resources = [{"kind": "vswitch", **changed}, {"kind": "vswitch", **card.SWITCH}]
    made = task("vswitch", **changed)
    task("vswitch", **card.SWITCH, management="migrate")
    before = kernel(card.host)
    assert before["svbond1"]["primary"] == "vec2"
    bridge = before["svswitch1"]
    assert (bridge["mtu"], bridge["stp_state"], bridge["vlan_filtering"]) == (1400, 0, 1)
    assert before["IPv6 of svswitch1"] == "1"
    assert {10, 20} <= {port["vlan"] for port in before["VLANs of svbond1"]}
    lab.reboot("node1")
    assert kernel(card.host) == before
    assert card.addresses("svswitch2") == [card.ADDRESS]
    done = task("apply", resources=resources)
    assert not done["changed"], done["plan"]
    assert task("vswitch_info", name="svswitch1")["vswitches"][0]["id"] == made["vswitch"]["id"]
    containers = ({"kind": "instance", "name": f"c{n}", "state": "started"} for n in (1, 2, 3))
    task("apply", resources=list(containers))
