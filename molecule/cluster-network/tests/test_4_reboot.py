"""The node with the store comes back with it, its network and the shared pool."""

from __future__ import annotations

from typing import Any

from storage.tests.machine import Machine, status


def test_reboot_of_the_node_with_the_store_keeps_store_network_and_pool(
    lab: Any, machines: dict[str, Machine], ends: Any, until: Any
) -> None:
    first, other = machines["node1"], machines["node2"]
    first.disconnect()
    lab.reboot("node1")
    until(lambda: not other.task("node_info").failed)
    until(lambda: status(first, "shared") == ("available", None))
    (found,) = first.ok("vswitch_info", name="svswitch1")["vswitches"]
    assert len(found["active_uplinks"]) == 1
    resources = [
        {"kind": "vswitch", "name": "svswitch1", "uplinks": ["vec1", "vec2"]},
        {"kind": "port_group", "name": "blue", "vswitch": "svswitch1", "vlan_id": 10},
        {"kind": "storage_pool", "name": "shared", "nodes": ["node1"]},
    ]
    assert not first.ok("apply", resources=resources)["changed"]
    first.ok("instance", name="c1", state="started")
    assert ends["c2"].run("true").rc == 0
    assert ends["c1"].reaches("10.98.10.2")
