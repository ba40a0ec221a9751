# SPDX-License-Identifier: Apache-2.0
"""The host's lock, and whether anybody has had it since."""

from __future__ import annotations

from pathlib import Path

import pytest

from pextra.host.lock import host_lock, last_holder
from pextra.model.errors import HostError


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the lock is."""
    return str(tmp_path / "run" / "lock")


def test_nobody_has_had_it_since(path: str) -> None:
    before = last_holder(path)
    assert before == last_holder(path)
    with host_lock(path) as last:
        assert last == before


def test_another_run_has_had_it_since(path: str) -> None:
    before = last_holder(path)
    with host_lock(path):
        pass
    with host_lock(path) as last:
        assert last != before
    between = last_holder(path)
    with host_lock(path), pytest.raises(HostError, match="another run"), host_lock(path, 0.0):
        pass
    assert between != last_holder(path)


def test_while_somebody_has_it_nothing_is_known(path: str) -> None:
    with host_lock(path):
        assert last_holder(path) is None
    assert last_holder(path) is not None
