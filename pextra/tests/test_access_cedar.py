# SPDX-License-Identifier: Apache-2.0
"""Statements without rules decide as Cedar does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_in_2000_random_cases_nothing_is_decided_otherwise_than_by_cedar() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.access", "--compare", "2000"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "0 differences in 2000 cases\n"
