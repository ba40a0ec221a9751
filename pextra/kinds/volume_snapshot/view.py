# SPDX-License-Identifier: Apache-2.0
"""What is returned of a snapshot of a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.kinds.info import Computed, Info
from pextra.kinds.view import View
from pextra.model import kinds
from pextra.model.returned import Returned

if TYPE_CHECKING:
    from pextra.model.rows import VolumeSnapshotRow


def _exists(row: VolumeSnapshotRow, view: View) -> bool | None:
    if not view.is_here(row):
        return None
    seen = view.snapshots.get(row["id"])
    return seen is not None and seen.state is not None


VOLUME_SNAPSHOT = Info(
    kind=kinds.VOLUME_SNAPSHOT,
    plural="volume_snapshots",
    parents=(kinds.NODE, kinds.VOLUME),
    computed={
        "exists": Computed(
            _exists,
            Returned(
                "Whether it is on the node. V(null) where the node is not this machine.",
                "bool",
                sample=True,
            ),
        ),
    },
)
