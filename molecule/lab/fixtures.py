"""Fixtures for the tests of scenarios: the lab that molecule brought up.

Molecule loads this as a plugin of pytest (.config/molecule/config.yml).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
import testinfra

from lab import access, lifecycle, paths
from lab.tasks import Tasks


class Lab:
    """The running lab of a scenario."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.topology, _ = lifecycle.read(name)

    def host(self, node: str) -> Any:
        """The node, as testinfra sees it: `host("node1").run("ip link")`."""
        self.topology.node(node)
        folder = paths.lab(self.name)
        (folder / "control").mkdir(mode=0o700, exist_ok=True)
        # One connection for all commands: a node takes its time to accept one.
        return testinfra.get_host(
            f"ssh://{node}",
            ssh_config=str(folder / "ssh_config"),
            controlpath=str(folder / "control" / f"tests-{node}"),
        )

    def hang_up(self) -> None:
        """End the connections that are kept open: the next command makes a new one."""
        access.close(self.name)

    def answers(self, node: str) -> bool:
        """Whether a node can be reached at the moment."""
        return access.answer(self.name, node, "true", 5) is not None

    def reboot(self, node: str) -> None:
        """Reboot a node and wait for it."""
        self.hang_up()
        lifecycle.reboot(self.name, node)

    def kill(self, node: str) -> None:
        """Take a node's power away."""
        self.hang_up()
        lifecycle.kill(self.name, node)

    def start(self, node: str) -> None:
        """Switch a killed node on and wait for it."""
        lifecycle.start(self.name, node)

    def unplug(self, node: str, nic: str) -> None:
        """Take a NIC's cable out."""
        lifecycle.link(self.name, node, nic, up=False)

    def plug(self, node: str, nic: str) -> None:
        """Plug a NIC's cable in."""
        lifecycle.link(self.name, node, nic, up=True)


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The scenario's lab."""
    return Lab(f"molecule-{os.environ['MOLECULE_SCENARIO_NAME']}")


@pytest.fixture(scope="session")
def node(lab: Lab) -> Callable[[str], Any]:
    """A function that returns a node by name, as testinfra sees it."""
    return lab.host


@pytest.fixture
def task(lab: Lab) -> Tasks:
    """Runs a module on a node, node1 unless named: `task("vswitch", name="svswitch1")`."""
    return Tasks(lab.name)
