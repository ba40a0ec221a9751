# SPDX-License-Identifier: Apache-2.0
"""What a step of a snapshot of an instance works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pextra.host.pools.backend import Pool, PoolBackend, Volume
from pextra.model.plan import Work

if TYPE_CHECKING:
    from pextra.model.rows import InstanceSnapshotRow

HELD = ".held"
"""The end of the name of a save image that is needed for a moment only."""


@dataclass(frozen=True, slots=True)
class Part:
    """A volume of a snapshot, with what works on it."""

    type: PoolBackend
    pool: Pool
    volume: Volume
    size: int


@dataclass(frozen=True, slots=True)
class SnapshotWork(Work):
    """What executing a step needs."""

    row: InstanceSnapshotRow
    parts: tuple[Part, ...]
    file: str
