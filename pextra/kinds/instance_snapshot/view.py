# SPDX-License-Identifier: Apache-2.0
"""What is returned of a snapshot of an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.kinds.info import Computed, Info
from pextra.kinds.registry import KINDS
from pextra.kinds.view import View
from pextra.model import kinds
from pextra.model.returned import Returned

if TYPE_CHECKING:
    from pextra.model.rows import InstanceSnapshotRow


def _exists(row: InstanceSnapshotRow, view: View) -> bool | None:
    if not view.is_here(row):
        return None
    seen = KINDS["instance_snapshot"].observe([row], view.host, view)[row["id"]]
    return len(seen.taken) == len(row["volumes"]) and (seen.saved or not row["memory"])


INSTANCE_SNAPSHOT = Info(
    kind=kinds.INSTANCE_SNAPSHOT,
    plural="instance_snapshots",
    parents=(kinds.NODE, kinds.INSTANCE),
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
