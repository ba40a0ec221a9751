"""The node's own address on a vSwitch: moved under guard, and put back when nobody confirms."""

from __future__ import annotations

import time
from typing import Any


def test_card_of_the_node_is_refused_as_uplink(lab: Any, task: Any) -> None:
    host = lab.host("node1")
    before = host.check_output("ip -brief link show; ip -brief address show")
    result = task.raw("vswitch", name="svswitch2", uplinks=["vec0"])
    assert result["failed"]
    assert "vec0 carries the management address" in result["msg"]
    there = "ip address add 10.99.0.1/24 dev vec3; ip link set vec3 up"
    host.check_output(f"{there}; ip route add default via 10.99.0.2 metric 4000")
    try:
        result = task.raw("vswitch", name="svswitch3", uplinks=["vec3"])
        assert result["failed"]
        assert "vec3 carries the default route, and the addresses 10.99.0.1/24" in result["msg"]
    finally:
        host.check_output("ip address flush dev vec3; ip link set vec3 down")
    assert host.check_output("ip -brief link show; ip -brief address show") == before


def test_address_moves_to_the_vswitch_and_back(task: Any, card: Any) -> None:
    predicted = task("vswitch", check=True, **card.SWITCH, management="migrate")
    assert card.addresses("vec0") == [card.ADDRESS]
    done = task("vswitch", **card.SWITCH, management="migrate")
    assert done["changed"]
    assert done["plan"] == predicted["plan"]
    assert card.addresses("svswitch2") == [card.ADDRESS]
    assert card.addresses("vec0") == []
    assert not task("vswitch", **card.SWITCH, management="migrate")["changed"]
    left = card.host.run("ls /var/lib/pextra-ce/network-guard/*/state.json")
    assert left.rc != 0, "a guard is still armed"
    (nic,) = task("nic_info", name="vec0")["nics"]
    assert (nic["vswitch"], nic["used_for"]) == ("svswitch2", ["uplink"])
    refused = task.raw("vswitch", name="svswitch2", state="absent")
    assert "carries this node's addresses" in refused["msg"]


def test_node_goes_back_by_itself_when_it_cannot_be_reached(lab: Any, task: Any, card: Any) -> None:
    cut = (
        "until [ -e /sys/class/net/svswitch2 ]; do sleep 0.05; done;"
        " tc qdisc add dev svswitch2 clsact;"
        " tc filter add dev svswitch2 ingress matchall action drop"
    )
    card.host.check_output(f"systemd-run --collect --unit=cut sh -c '{cut}'")
    lab.hang_up()
    result = task.raw("vswitch", **card.SWITCH, management="migrate", guard_timeout=10)
    assert result["failed"] or result["unreachable"], result
    assert "put" in result["msg"], result
    assert "back" in result["msg"], result
    lab.hang_up()
    await_answer(lab)
    assert card.addresses("vec0") == [card.ADDRESS]
    assert card.host.run("ls /etc/systemd/network/00-pextra-svswitch2*").rc != 0


def test_vswitch_that_came_back_is_still_known_and_removed_by_the_next_run(
    lab: Any, task: Any, card: Any
) -> None:
    task("vswitch", **card.SWITCH, management="migrate")
    cut = (
        "while [ -e /sys/class/net/svswitch2 ]; do sleep 0.05; done;"
        " tc qdisc add dev vec0 clsact; tc filter add dev vec0 ingress matchall action drop;"
        " until [ -e /sys/class/net/svswitch2 ]; do sleep 0.05; done; tc qdisc del dev vec0 clsact"
    )
    card.host.check_output(f"systemd-run --collect --unit=cut sh -c '{cut}'")
    lab.hang_up()
    gone = {"name": "svswitch2", "state": "absent", "management": "migrate"}
    result = task.raw("vswitch", **gone, guard_timeout=10)
    assert result["failed"] or result["unreachable"], result
    lab.hang_up()
    await_answer(lab)
    assert card.addresses("svswitch2") == [card.ADDRESS]
    (known,) = task("vswitch_info", name="svswitch2")["vswitches"]
    assert known["name"] == "svswitch2"
    assert task("vswitch", **gone)["changed"]
    assert card.addresses("vec0") == [card.ADDRESS]
    assert task("vswitch_info", name="svswitch2")["vswitches"] == []
    assert not task("vswitch", **gone)["changed"]


def await_answer(lab: Any) -> None:
    """Wait until the node has put itself back where it can be reached."""
    deadline = time.monotonic() + 120
    while not lab.answers("node1"):
        assert time.monotonic() < deadline, "the node did not come back"
