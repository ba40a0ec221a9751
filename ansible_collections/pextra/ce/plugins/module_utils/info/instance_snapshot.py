# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is returned of a snapshot of an instance."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.info.spec import Info
from ansible_collections.pextra.ce.plugins.module_utils.info.view import View
from ansible_collections.pextra.ce.plugins.module_utils.kinds.registry import KINDS


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
