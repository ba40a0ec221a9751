"""A lab whose making was killed half way is removed without a trace."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import machine, network, paths

NAME = "molecule-crash"
LAB = [str(paths.REPOSITORY / "scripts/lab"), "--name", NAME]


@pytest.fixture(params=["user-mode", "machine"])
def half_made(request: pytest.FixtureRequest) -> Iterator[None]:
    """A lab of which one node boots, and whose `up` was killed."""
    subprocess.run([*LAB, "down"], check=True)
    up = subprocess.Popen(
        [*LAB, "up", "--nodes", "2", "--memory", "512MiB", "--kernel", request.param],
        start_new_session=True,
    )
    try:
        while not machine.processes(NAME, "node1"):
            assert up.poll() is None, "it ended before it was killed"
            time.sleep(0.05)
        os.killpg(up.pid, signal.SIGKILL)
        up.wait()
        yield
    finally:
        subprocess.run([*LAB, "down"], check=True)


def test_down_removes_a_lab_that_was_killed_while_it_was_made(half_made: None) -> None:
    assert network.exists(NAME)
    pids = network.processes(NAME)
    assert pids
    refused = subprocess.run([*LAB, "up"], capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "exists already" in refused.stderr

    subprocess.run([*LAB, "down"], check=True)

    assert not network.exists(NAME)
    assert not paths.lab(NAME).exists()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{paths.control_group(NAME, '*')}"))
    assert not [pid for pid in pids if machine.alive(pid)]
    assert subprocess.run([*LAB, "down"], check=False).returncode == 0
