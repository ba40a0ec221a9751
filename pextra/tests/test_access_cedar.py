# SPDX-License-Identifier: Apache-2.0
"""Statements without rules decide as Cedar does, where the benchmark's environment has it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-bench/bin/python"


def has_cedar() -> bool:
    """Whether ``make bench-access`` has been run here."""
    if not PYTHON.exists():
        return False
    return subprocess.run([PYTHON, "-c", "import cedarpy"], capture_output=True).returncode == 0


@pytest.mark.skipif(not has_cedar(), reason="cedarpy is not there; make bench-access installs it")
def test_in_2000_random_cases_nothing_is_decided_otherwise_than_by_cedar() -> None:
    done = subprocess.run(
        [PYTHON, "-m", "benchmarks.access", "--compare", "2000"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "0 differences in 2000 cases\n"
