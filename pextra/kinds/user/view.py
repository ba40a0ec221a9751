# SPDX-License-Identifier: Apache-2.0
"""What is returned of a user; passwords and their hashes never are."""

from __future__ import annotations

from pextra.kinds.info import Info
from pextra.kinds.view import View
from pextra.model.fields import Row


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
