# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is returned of a user; passwords and their hashes never are."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.info.spec import Info
from ansible_collections.pextra.ce.plugins.module_utils.info.view import View


def _expired(row: Row, view: View) -> bool:
    return row["expiry"] is not None and bool(row["expiry"] <= view.now)


USER = Info(
    kind="user",
    plural="users",
    columns=(
        "id", "organization_id", "username", "description", "enabled", "locked", "mfa_enabled",
        "is_root", "linux_user", "expiry", "creation",
    ),
    parents=("organization",),
    computed={"expired": _expired},
)  # fmt: skip
