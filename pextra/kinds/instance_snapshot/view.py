# SPDX-License-Identifier: Apache-2.0
"""What is returned of a snapshot of an instance."""

from __future__ import annotations

from pextra.kinds.info import Info
from pextra.kinds.registry import KINDS
from pextra.kinds.view import View
from pextra.model.fields import Row


def _exists(row: Row, view: View) -> bool | None:
    if not view.is_here(row):
        return None
    seen = KINDS["instance_snapshot"].observe([row], view.host, view)[row["id"]]
    return len(seen.taken) == len(row["volumes"]) and (seen.memory or not row["memory"])


INSTANCE_SNAPSHOT = Info(
    kind="instance_snapshot",
    plural="instance_snapshots",
    columns=(
        "id", "instance_id", "node_id", "name", "description", "memory", "state", "volumes",
        "reverting", "reverted", "status", "creation",
    ),
    parents=("node", "instance"),
    computed={"exists": _exists},
)  # fmt: skip
