# SPDX-License-Identifier: Apache-2.0
"""A cloud, on a machine without libvirt."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from pextra.tests.info.cloud import Node


class _Error(Exception):
    """libvirt's error."""


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    """A cloud with one of everything."""
    libvirt = types.ModuleType("libvirt")
    libvirt.libvirtError = _Error  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "libvirt", libvirt)
    return Node(str(tmp_path))
