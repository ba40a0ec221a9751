"""Nodes on the machine's own kernel reach each other, reboot, and lose power, as machines do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from lab import paths

NAME = "molecule-machine"
LAB = [str(paths.REPOSITORY / "scripts/lab"), "--name", NAME]


def lab(*arguments: str) -> str:
    """The output of a command of the lab that succeeds."""
    done = subprocess.run([*LAB, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def two() -> Iterator[None]:
    """A lab of two nodes."""
    lab("down")
    try:
        lab("up", "--kernel", "machine", "--nodes", "2", "--nics", "1")
        yield
    finally:
        lab("down")


def links() -> set[str]:
    """The network interfaces of the first node."""
    return set(lab("ssh", "node1", "ls /sys/class/net").split())


def test_they_reach_each_other_and_keep_files_but_no_interfaces(two: None) -> None:
    lab("ssh", "node1", "systemctl is-system-running && ping -c 1 -W 5 10.97.0.12")
    lab("ssh", "node1", "ip link add bridge1 type bridge && touch /root/kept")
    assert links() == {"lo", "vec0", "vec1", "bridge1"}
    lab("reboot", "node1")
    assert links() == {"lo", "vec0", "vec1"}
    lab("kill", "node1")
    assert "node1 is off" in lab("status")
    lab("start", "node1")
    lab("ssh", "node1", "test -e /root/kept && ping -c 1 -W 5 10.97.0.12")
