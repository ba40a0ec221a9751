"""The node's own address on a vSwitch: moved under guard, and put back when nobody confirms."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

ADDRESS = "10.97.0.11/24"
SWITCH = {"name": "svswitch2", "uplinks": ["vec0"]}


def addresses(host: Any, name: str) -> list[str]:
    """The addresses of an interface."""
    found = json.loads(host.run(f"ip -json -4 address show dev {name}").stdout or "[]")
    return [f"{x['local']}/{x['prefixlen']}" for link in found for x in link["addr_info"]]


@pytest.fixture
def plain(lab: Any, task: Any) -> Any:
    """The address is on the card, before and after."""
    host = lab.host("node1")
    yield host
    host.run("systemctl stop cut")
    task("vswitch", name="svswitch2", state="absent", management="migrate")
    assert addresses(host, "vec0") == [ADDRESS]


def test_management_nic_is_refused_as_uplink(task: Any, plain: Any) -> None:
    result = task.raw("vswitch", **SWITCH)
    assert result["failed"]
    assert "vec0 carries the management address" in result["msg"]
    assert addresses(plain, "vec0") == [ADDRESS]
    assert plain.run("ip link show svswitch2").rc != 0


def test_address_moves_to_the_vswitch_and_stays_there(lab: Any, task: Any, plain: Any) -> None:
    predicted = task("vswitch", **SWITCH, management="migrate")
    assert predicted["changed"]
    assert addresses(plain, "svswitch2") == [ADDRESS]
    assert addresses(plain, "vec0") == []
    assert not task("vswitch", **SWITCH, management="migrate")["changed"]
    assert not task("vswitch", **SWITCH)["changed"]
    left = plain.run("ls /var/lib/pextra-ce/network-guard/*/state.json")
    assert left.rc != 0, "a guard is still armed"
    (card,) = task("nic_info", name="vec0")["nics"]
    assert (card["vswitch"], card["used_for"]) == ("svswitch2", ["uplink"])
    lab.reboot("node1")
    assert addresses(plain, "svswitch2") == [ADDRESS]
    assert not task("vswitch", **SWITCH)["changed"]
    refused = task.raw("vswitch", name="svswitch2", state="absent")
    assert "carries this node's addresses" in refused["msg"]


def test_node_goes_back_by_itself_when_it_cannot_be_reached(task: Any, plain: Any) -> None:
    cut = (
        "until [ -e /sys/class/net/svswitch2 ]; do sleep 0.05; done;"
        " tc qdisc add dev svswitch2 clsact;"
        " tc filter add dev svswitch2 ingress matchall action drop"
    )
    assert plain.run(f"systemd-run --collect --unit=cut sh -c '{cut}'").rc == 0
    began = time.monotonic()
    result = task.raw("vswitch", **SWITCH, management="migrate", guard_timeout=20)
    assert result.get("failed") or result.get("unreachable"), result
    assert "put" in result["msg"], result
    assert "back" in result["msg"], result
    deadline = began + 120
    while plain.run("true").rc != 0:
        assert time.monotonic() < deadline, "the node did not come back"
        time.sleep(1)
    assert addresses(plain, "vec0") == [ADDRESS]
    assert plain.run("ls /etc/systemd/network/00-pextra-svswitch2*").rc != 0
