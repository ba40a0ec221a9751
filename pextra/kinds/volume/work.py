# SPDX-License-Identifier: Apache-2.0
"""What a step of a volume, or of a snapshot of one, works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pextra.host.pools.backend import Pool, PoolBackend
from pextra.model.plan import Work

if TYPE_CHECKING:
    from pextra.model.rows import VolumeRow


@dataclass(frozen=True, slots=True)
class VolumeWork(Work):
    """What executing a step needs: the pool, what works on pools of its type, and the volume."""

    type: PoolBackend
    pool: Pool
    row: VolumeRow
