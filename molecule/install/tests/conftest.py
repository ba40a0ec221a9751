"""The machine, and what its disks had before anything was tried."""

from __future__ import annotations

from typing import Any

import pytest

from install.tests.machine import DISK, OTHER, SMALL, Machine


@pytest.fixture(scope="session")
def machine(lab: Any) -> Machine:
    """The node that the installer runs on."""
    return Machine(lab)


@pytest.fixture(scope="session", autouse=True)
def before(machine: Machine) -> dict[str, str]:
    """Checksums of the disks as the tests find them."""
    return {disk: machine.digest(disk) for disk in (DISK, OTHER, SMALL)}
