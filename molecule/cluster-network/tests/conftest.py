"""The three nodes as the tests use them, and the ends of the traffic between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from network.tests.conftest import End, capture, first_process
from storage.tests.machine import Machine

from lab import paths

__all__ = ["capture"]
NODES = ("node1", "node2", "node3")


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits until something is so."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.2)

    return wait


@pytest.fixture(scope="session")
def machines(lab: Any) -> Iterator[dict[str, Machine]]:
    """The nodes. Tasks on them name no database: they find the one that the roles made."""
    config = paths.lab(lab.name) / "ssh_config"
    found = {name: Machine(name, config, lab.topology.node(name).address) for name in NODES}
    for machine in found.values():
        machine.install()
    yield found
    for machine in found.values():
        machine.disconnect()


class Ends:
    """The containers c1 (node1, VLAN 10), c2 (node2, VLAN 10) and c3 (node2, no VLAN)."""

    def __init__(self, lab: Any) -> None:
        self._lab = lab

    def __getitem__(self, name: str) -> End:
        host = self._lab.host("node1" if name == "c1" else "node2")
        end = End(host, name, first_process(host, name))
        end.address(f"10.98.10.{name[1:]}/24")
        return end


@pytest.fixture
def ends(lab: Any) -> Ends:
    """The containers, which all have addresses of one subnet."""
    return Ends(lab)
