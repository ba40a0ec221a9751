# SPDX-License-Identifier: Apache-2.0
"""The results of `make packages` and `make iso`, which these tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from pextra_image.settings import ROOT


@pytest.fixture(scope="session")
def output() -> Path:
    """The folder of results."""
    return ROOT / "dist"


@pytest.fixture(scope="session")
def iso(output: Path) -> Path:
    """The newest ISO."""
    return (output / "pextra-ce.iso").resolve(strict=True)
