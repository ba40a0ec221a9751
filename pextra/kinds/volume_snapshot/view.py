# SPDX-License-Identifier: Apache-2.0
"""What is returned of a snapshot of a volume."""

from __future__ import annotations

from pextra.kinds.info import Computed, Info
from pextra.kinds.view import View
from pextra.model.fields import Row
from pextra.model.returned import Returned


def _exists(row: Row, view: View) -> bool | None:
    if not view.is_here(row):
        return None
    seen = view.snapshots.get(row["id"])
    return seen is not None and seen.state is not None


VOLUME_SNAPSHOT = Info(
    kind="volume_snapshot",
    plural="volume_snapshots",
    parents=("node", "volume"),
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
