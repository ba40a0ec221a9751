# SPDX-License-Identifier: Apache-2.0
"""What is returned of a user; passwords and their hashes never are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.kinds import links
from pextra.kinds.info import Computed, Info
from pextra.kinds.user.fields import ROLES
from pextra.kinds.view import View
from pextra.model import kinds
from pextra.model.returned import Returned

if TYPE_CHECKING:
    from pextra.model.rows import UserRow


def _expired(row: UserRow, view: View) -> bool:
    return row["expiry"] is not None and bool(row["expiry"] <= view.now)


def _roles(row: UserRow, view: View) -> list[str]:
    has = links.linked(kinds.USER_ROLE, kinds.USER, row["id"], view)
    return [str(view.name(kinds.ROLE, item["role_id"])) for item in has]


USER = Info(
    kind=kinds.USER,
    plural="users",
    parents=(kinds.ORGANIZATION,),
    computed={
        "expired": Computed(
            _expired, Returned("Whether the account has ended.", "bool", sample=False)
        ),
        "roles": Computed(_roles, ROLES),
    },
)
