# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is returned of a snapshot of a volume."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.info.spec import Info
from ansible_collections.pextra.ce.plugins.module_utils.info.view import View


def _exists(row: Row, view: View) -> bool | None:
    if not view.is_here(row):
        return None
    seen = view.snapshots.get(row["id"])
    return seen is not None and seen.state is not None


VOLUME_SNAPSHOT = Info(
    kind="volume_snapshot",
    plural="volume_snapshots",
    columns=(
        "id", "volume_id", "node_id", "name", "description", "size", "status", "creation",
    ),
    parents=("node", "volume"),
    computed={"exists": _exists},
)  # fmt: skip
