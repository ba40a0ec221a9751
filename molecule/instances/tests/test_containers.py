"""Containers from archives run, answer, stop, start, and come back with their node."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

LXC = "virsh --quiet --connect lxc:///system"
SECONDS = 120


@pytest.fixture(scope="module")
def host(node: Callable[[str], Any]) -> Any:
    return node("node1")


@pytest.fixture
def address(host: Any) -> Iterator[None]:
    """The node has an address on the containers' network for a while."""
    host.check_output("ip address add 192.0.2.1/24 dev svswitch1")
    yield
    host.check_output("ip address del 192.0.2.1/24 dev svswitch1")


def until(what: Callable[[], bool], said: Callable[[], str]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline, said()
        time.sleep(0.5)


def state(host: Any, name: str) -> str:
    """How a container runs, as libvirt says."""
    return str(host.run(f"{LXC} domstate {name}").stdout.strip())


def runs(host: Any, name: str) -> bool:
    """Whether a container runs."""
    return state(host, name) == "running"


def root_of(host: Any, name: str) -> str:
    """A container's root file system on the node."""
    text = host.check_output(f"{LXC} dumpxml {name}")
    return str(text.partition("<source dir='")[2].partition("'")[0])


def history(host: Any) -> list[str]:
    """What the container's init has written down."""
    return list(host.check_output(f"cat {root_of(host, 'box')}/etc/history").split())


def init_of(host: Any, name: str) -> str:
    """The process id of a container's init on the node."""
    controller = host.check_output(f"cat /run/libvirt/lxc/{name}.pid").strip()
    return str(host.check_output(f"pgrep --parent {controller}").split()[0])


def inside(host: Any, name: str, command: str) -> str:
    """The output of a command in a container."""
    return str(host.check_output(f"nsenter --all --target {init_of(host, name)} {command}"))


def test_containers_run_from_roots_of_their_own(host: Any) -> None:
    for name in ("box", "debian"):
        assert state(host, name) == "running"
    roots = {root_of(host, name) for name in ("box", "debian")}
    assert len(roots) == 2
    assert all(root.startswith("/var/lib/pextra-ce/containers/inst-") for root in roots)
    until(lambda: "started" in history(host), lambda: str(history(host)))


def test_container_is_on_the_network_of_its_port_group(host: Any, address: None) -> None:
    until(
        lambda: host.run("ping -c 1 -W 1 192.0.2.2").rc == 0,
        lambda: inside(host, "box", "/bin/busybox ip address"),
    )


def test_debian_in_a_container_has_booted(host: Any) -> None:
    def booted() -> bool:
        done = host.run(
            f"nsenter --all --target {init_of(host, 'debian')} systemctl is-system-running"
        )
        return done.stdout.strip() in ("running", "degraded")

    until(booted, lambda: inside(host, "debian", "systemctl list-jobs"))
    assert inside(host, "debian", "cat /proc/1/comm").strip() == "systemd"
    owner = host.check_output(f"stat -c %a {root_of(host, 'debian')}/usr/bin/su")
    assert owner.strip() == "4755"


@pytest.mark.parametrize("name", ["box", "debian"])
def test_container_stops_when_asked_and_starts_again(host: Any, task: Any, name: str) -> None:
    stopped = task("instance", name=name, state="stopped", timeout=SECONDS)
    assert stopped["changed"]
    assert stopped["instance"]["state"] == "stopped"
    assert state(host, name) == "shut off"
    assert not task("instance", name=name, state="stopped")["changed"]
    if name == "box":
        assert history(host).count("stopped") == 1
    started = task("instance", name=name, state="started")
    assert started["instance"]["state"] == "running"
    assert state(host, name) == "running"
    killed = task("instance", name=name, state="killed")
    assert killed["instance"]["state"] == "stopped"
    task("instance", name=name, state="started")
    assert state(host, name) == "running"
    if name == "box":
        until(lambda: history(host).count("started") >= 3, lambda: str(history(host)))


def test_containers_come_back_with_their_node(host: Any, lab: Any) -> None:
    before = len(history(host))
    lab.reboot("node1")
    for name in ("box", "debian"):
        until(functools.partial(runs, host, name), lambda: host.check_output(f"{LXC} list --all"))
    until(lambda: len(history(host)) > before, lambda: str(history(host)))
    assert root_of(host, "box").startswith("/var/lib/pextra-ce/containers/")
