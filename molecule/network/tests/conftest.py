"""What the tests of this scenario share: the node's own address, and the ends of the traffic."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from lab.tasks import Tasks

FAR = "10.98.0.2"


class Card:
    """node1, whose address is on its card vec0 before and after."""

    ADDRESS = "10.97.0.11/24"
    SWITCH: Mapping[str, Any] = {"name": "svswitch2", "uplinks": ["vec0"]}
    """The vSwitch that it moves to."""

    def __init__(self, host: Any) -> None:
        self.host = host

    def addresses(self, name: str) -> list[str]:
        """The addresses of an interface."""
        found = json.loads(self.host.run(f"ip -json -4 address show dev {name}").stdout or "[]")
        return [f"{x['local']}/{x['prefixlen']}" for link in found for x in link["addr_info"]]


@pytest.fixture
def card(lab: Any, task: Tasks) -> Iterator[Card]:
    """The node's address is on its card, before and after."""
    found = Card(lab.host("node1"))
    assert found.addresses("vec0") == [Card.ADDRESS]
    yield found
    task("vswitch", name="svswitch2", state="absent", management="migrate")
    assert found.addresses("vec0") == [Card.ADDRESS]


@pytest.fixture
def both(task: Tasks) -> Iterator[Mapping[str, Any]]:
    """The vSwitch svswitch1 has both uplinks, before and after."""
    bond = {"mode": "active-backup", "miimon": 100, "primary": None}
    whole: dict[str, Any] = {
        "name": "svswitch1",
        "mtu": 1500,
        "uplinks": ["vec1", "vec2"],
        "bond": bond,
    }
    task("vswitch", **whole)
    yield whole
    task("vswitch", **whole)


@dataclass(frozen=True)
class End:
    """A container of node1, as a place to send from."""

    host: Any
    name: str
    process: int

    def run(self, command: str) -> Any:
        """Run a command in the container's network."""
        return self.host.run(f"nsenter --net --target {self.process} {command}")

    def address(self, address: str) -> None:
        """Give the container's interface an address, and no other."""
        commands = (
            "ip link set lo up", "ip address flush dev eth0", f"ip address add {address} dev eth0",
            "ip link set eth0 up",
        )  # fmt: skip
        assert self.run(f"sh -c '{' && '.join(commands)}'").rc == 0

    @property
    def mac(self) -> str:
        """The interface's MAC address."""
        (found,) = json.loads(self.run("ip -json link show dev eth0").stdout)
        return str(found["address"])

    def reaches(self, address: str) -> bool:
        """Whether echo requests are answered; a busy machine may take its time."""
        answered = bool(self.run(f"ping -n -c 3 -i 0.3 -w 15 {address}").rc == 0)
        if not answered:  # pytest shows it if the test fails
            print(self.run("sh -c 'ip address; ip neighbour'").stdout)
            print(self.host.run("bridge -d link; bridge vlan; bridge fdb; ip -s link").stdout)
        return answered

    def is_cut_off(self, address: str) -> bool:
        """Whether none of a few echo requests is answered."""
        return bool(self.run(f"ping -n -c 3 -i 0.3 -W 1 {address}").rc == 1)


def first_process(host: Any, name: str) -> int:
    """The first process of a container."""
    controller = host.check_output(f"cat /run/libvirt/lxc/{name}.pid").strip()
    return int(host.check_output(f"pgrep --parent {controller}").split()[0])


@pytest.fixture(scope="session", autouse=True)
def far(lab: Any) -> Any:
    """The other end of the cables: an address without a tag, and one each in VLANs 10 and 20."""
    host = lab.host("node2")
    commands = ["ip link set vec1 up", f"ip address replace {FAR}/24 dev vec1"]
    for id in (10, 20):
        commands += [
            f"ip link show vec1.{id} || ip link add link vec1 name vec1.{id} type vlan id {id}",
            f"ip address replace 10.98.{id}.2/24 dev vec1.{id}",
            f"ip link set vec1.{id} up",
        ]
    assert host.run(" && ".join(f"({command})" for command in commands)).rc == 0
    return host


@pytest.fixture
def ends(lab: Any, task: Tasks) -> dict[str, End]:
    """Containers c1, c2 and c3 with addresses, on port groups that are open at the beginning."""
    host = lab.host("node1")
    groups = ("one", "two", "three")
    task("apply", resources=[{"kind": "port_group", "name": name, **OPEN} for name in groups])
    found = {}
    for number in (1, 2, 3):
        end = End(host, f"c{number}", first_process(host, f"c{number}"))
        end.address(f"10.98.0.1{number}/24")
        found[end.name] = end
    return found


OPEN: Mapping[str, Any] = {
    "vlan_id": None, "trunk": [], "promiscuous": False, "mac_changes": True,
    "forged_transmits": True, "isolated": False, "rate_limit": {"inbound": None, "outbound": None},
}  # fmt: skip


@dataclass
class Losses:
    """What became of echo requests that were sent every 50 ms."""

    sent: int = 0
    lost: int = 0

    @property
    def seconds(self) -> float:
        """How long nothing came through, if that was at one time."""
        return self.lost * 0.05


@pytest.fixture
def pinging(ends: dict[str, End]) -> Callable[[], contextlib.AbstractContextManager[Losses]]:
    """Sends echo requests from c1 to node2 while something happens, and counts."""

    @contextlib.contextmanager
    def during() -> Iterator[Losses]:
        losses = Losses()
        assert ends["c1"].reaches(FAR)
        text: list[str] = []
        host = ends["c1"].host
        command = f"nsenter --net --target {ends['c1'].process} ping -n -i 0.05 {FAR}"
        # It ends when its file is there: nothing else stops it over ssh.
        script = (
            f"rm -f /run/enough; {command} > /run/pings & p=$!;"
            " while [ ! -e /run/enough ]; do sleep 0.1; done; kill -INT $p; wait $p; cat /run/pings"
        )
        thread = threading.Thread(target=lambda: text.append(host.run(f"sh -c '{script}'").stdout))
        thread.start()
        try:
            _await(lambda: host.run("grep -c icmp_seq /run/pings").stdout.strip() not in ("", "0"))
            yield losses
            seen = host.run("tail -n 1 /run/pings").stdout
            _await(lambda: host.run("tail -n 1 /run/pings").stdout != seen)
        finally:
            host.run("touch /run/enough")
            thread.join()
        match = re.search(r"(\d+) packets transmitted, (\d+) received", text[0])
        assert match, text[0][-300:]
        losses.sent, losses.lost = int(match[1]), int(match[1]) - int(match[2])

    return during


def _await(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


@dataclass
class Capture:
    """Lines that tcpdump printed."""

    text: str = ""


@pytest.fixture
def capture() -> Callable[..., contextlib.AbstractContextManager[Capture]]:
    """Shows what frames really pass an interface while something is sent."""

    @contextlib.contextmanager
    def during(host: Any, interface: str, wanted: str, prefix: str = "") -> Iterator[Capture]:
        found = Capture()
        command = f"{prefix} tcpdump -e -n -l -U -i {interface} {wanted}"
        host.run(
            "sh -c 'rm -f /run/frames /run/dump; "
            f"setsid {command} > /run/frames 2> /run/dump < /dev/null & echo $! > /run/dump.pid'"
        )
        _await(lambda: "listening on" in host.run("cat /run/dump").stdout)
        yield found
        host.run("sh -c 'sleep 0.5; kill $(cat /run/dump.pid)'")
        found.text = host.run("cat /run/frames").stdout

    return during
