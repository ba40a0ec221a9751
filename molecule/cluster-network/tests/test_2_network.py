"""Instances on two nodes talk in their VLAN, over bonds, also while a cable is out."""

from __future__ import annotations

import re
import threading
from typing import Any

from storage.tests.machine import Machine

C2, C3 = "10.98.10.2", "10.98.10.3"
MOMENT = 3.0
"""Seconds of eight. Links are looked at every 100 ms; pulling a cable takes the lab a moment."""
EVERY = 0.05


def active(machine: Machine) -> str:
    """The uplink that carries the traffic of the node's vSwitch."""
    (found,) = machine.ok("vswitch_info", name=f"svswitch{machine.name[-1]}")["vswitches"]
    assert found["bond"]["mode"] == "active-backup"
    (name,) = found["active_uplinks"]
    return str(name)


def test_instances_of_a_vlan_reach_each_other_across_nodes_with_a_tag_on_the_wire(
    lab: Any, machines: dict[str, Machine], ends: Any, capture: Any
) -> None:
    sender = ends["c1"]
    assert ends["c3"].run("true").rc == 0  # has its address
    assert ends["c2"].run("true").rc == 0
    with capture(lab.host("node2"), active(machines["node2"]), "icmp or arp or vlan") as frames:
        assert sender.reaches(C2)
        assert sender.is_cut_off(C3), "it reaches an instance that is in no VLAN"
    sent = [line for line in frames.text.splitlines() if f"{sender.mac} >" in line]
    assert len(sent) >= 4, frames.text
    assert all(re.search(r"vlan 10\b", line) for line in sent), frames.text


def test_traffic_goes_on_when_the_cable_in_use_is_pulled(
    lab: Any, machines: dict[str, Machine], ends: Any, until: Any
) -> None:
    end, used = ends["c1"], active(machines["node1"])
    assert end.reaches(C2)
    text: list[str] = []
    command = f"nsenter --net --target {end.process} ping -n -i {EVERY} -c 160 {C2}"
    script = f"rm -f /run/pings; {command} > /run/pings; cat /run/pings"
    thread = threading.Thread(
        target=lambda: text.append(machines["node1"].script(script, check=False))
    )
    thread.start()
    try:
        until(lambda: lab.host("node1").run("grep -c icmp_seq= /run/pings").stdout > "0")
        lab.unplug("node1", used)
        thread.join()
        assert active(machines["node1"]) != used
    finally:
        thread.join()
        lab.plug("node1", used)
    found = re.search(r"(\d+) packets transmitted, (\d+) received", text[0])
    assert found, text[0][-300:]
    sent, lost = int(found[1]), int(found[1]) - int(found[2])
    print(f"{lost} of {sent} echo requests, one each {EVERY} s, were lost")
    assert "icmp_seq=160 " in text[0], "the last was lost, too"
    assert lost * EVERY <= MOMENT, f"{lost} of {sent} were lost"
