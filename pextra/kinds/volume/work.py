# SPDX-License-Identifier: Apache-2.0
"""What a step of a volume, or of a snapshot of one, works on."""

from __future__ import annotations

from dataclasses import dataclass

from pextra.host.pools.backend import Pool, PoolBackend
from pextra.model.fields import Row
from pextra.model.plan import Work


@dataclass(frozen=True, slots=True)
class VolumeWork(Work):
    """What executing a step needs: the pool, what works on pools of its type, and the volume."""

    type: PoolBackend
    pool: Pool
    row: Row
