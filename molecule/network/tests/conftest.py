"""What the tests of this scenario share: tasks on node1, and the ends of the traffic."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab import paths

ROOT = Path(__file__).resolve().parents[3]
FAR = "10.98.0.2"


class Tasks:
    """Runs modules on a node as a playbook does, with the connection that a user has."""

    def __init__(self, lab: str, directory: Path) -> None:
        self._inventory = paths.lab(lab) / "inventory.yml"
        self._directory = directory

    def raw(self, module: str, node: str = "node1", **args: Any) -> dict[str, Any]:
        """What a task returned, whatever came of it."""
        task = {"name": "Run it", f"pextra.ce.{module}": args, "register": "done"}
        tell = {
            "name": "Tell", "delegate_to": "localhost", "vars": {"ansible_connection": "local"},
            "ansible.builtin.copy": {
                "dest": str(self._directory / "result.json"), "content": "{{ done | to_json }}",
                "mode": "0600",
            },
        }  # fmt: skip
        play = {
            "name": "Do one thing", "hosts": node, "gather_facts": False,
            "tasks": [{**task, "ignore_errors": True, "ignore_unreachable": True}, tell],
        }  # fmt: skip
        path = self._directory / "play.yml"
        path.write_text(json.dumps([play]))
        done = subprocess.run(
            ["ansible-playbook", "-i", str(self._inventory), str(path)],
            cwd=ROOT, capture_output=True, text=True, check=False,
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        )  # fmt: skip
        assert (self._directory / "result.json").exists(), done.stdout + done.stderr
        result: dict[str, Any] = json.loads((self._directory / "result.json").read_text())
        (self._directory / "result.json").unlink()
        return result

    def __call__(self, module: str, **args: Any) -> dict[str, Any]:
        """What a task returned that succeeded."""
        result = self.raw(module, **args)
        assert not result.get("failed"), result.get("msg")
        return result


@pytest.fixture
def task(lab: Any, tmp_path: Path) -> Tasks:
    """Runs a module on node1."""
    return Tasks(lab.name, tmp_path)


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
        self.run("ip link set lo up")
        self.run("ip address flush dev eth0")
        assert self.run(f"ip address add {address} dev eth0").rc == 0
        assert self.run("ip link set eth0 up").rc == 0

    @property
    def mac(self) -> str:
        """The interface's MAC address."""
        (found,) = json.loads(self.run("ip -json link show dev eth0").stdout)
        return str(found["address"])

    def reaches(self, address: str) -> bool:
        """Whether one of a few echo requests is answered."""
        return bool(self.run(f"ping -n -c 3 -i 0.3 -W 1 {address}").rc == 0)


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
def ends(lab: Any, task: Tasks) -> Iterator[dict[str, End]]:
    """Containers c1, c2 and c3 with addresses, on port groups that are open before and after."""
    host = lab.host("node1")
    groups = ("one", "two", "three")
    found = {}
    for number in (1, 2, 3):
        end = End(host, f"c{number}", first_process(host, f"c{number}"))
        end.address(f"10.98.0.1{number}/24")
        found[end.name] = end
    yield found
    task("apply", resources=[{"kind": "port_group", "name": name, **OPEN} for name in groups])


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
        _await(lambda: host.run("grep -c icmp_seq /run/pings").stdout.strip() not in ("", "0"))
        yield losses
        seen = host.run("tail -n 1 /run/pings").stdout
        _await(lambda: host.run("tail -n 1 /run/pings").stdout != seen)
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
