# SPDX-License-Identifier: Apache-2.0
"""What is returned of a user; passwords and their hashes never are."""

from __future__ import annotations

from pextra.kinds.info import Computed, Info
from pextra.kinds.view import View
from pextra.model.fields import Row
from pextra.model.returned import Returned


def _expired(row: Row, view: View) -> bool:
    return row["expiry"] is not None and bool(row["expiry"] <= view.now)


USER = Info(
    kind="user",
    plural="users",
    parents=("organization",),
    computed={
        "expired": Computed(
            _expired, Returned("Whether the account has ended.", "bool", sample=False)
        ),
    },
)
