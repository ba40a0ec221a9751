# SPDX-License-Identifier: Apache-2.0
"""What is returned of a snapshot of an instance."""

from __future__ import annotations

from pextra.kinds.info import Computed, Info
from pextra.kinds.registry import KINDS
from pextra.kinds.view import View
from pextra.model.fields import Row
from pextra.model.returned import Returned


def _exists(row: Row, view: View) -> bool | None:
    if not view.is_here(row):
        return None
    seen = KINDS["instance_snapshot"].observe([row], view.host, view)[row["id"]]
    return len(seen.taken) == len(row["volumes"]) and (seen.saved or not row["memory"])


INSTANCE_SNAPSHOT = Info(
    kind="instance_snapshot",
    plural="instance_snapshots",
    parents=("node", "instance"),
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
