# SPDX-License-Identifier: Apache-2.0
"""What is returned of a role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.access import predefined
from pextra.kinds import links
from pextra.kinds.info import Computed, Info
from pextra.kinds.policy.view import PREDEFINED
from pextra.kinds.role.fields import POLICIES
from pextra.kinds.view import View
from pextra.model import kinds
from pextra.model.returned import Returned

if TYPE_CHECKING:
    from pextra.model.rows import RoleRow


def _policies(row: RoleRow, view: View) -> list[str]:
    has = links.linked(kinds.ROLE_POLICY, kinds.ROLE, row["id"], view)
    return [str(view.name(kinds.POLICY, item["policy_id"])) for item in has]


def _user_count(row: RoleRow, view: View) -> int | None:
    """In its organization; how many of others have a predefined role is nobody's business."""
    if row["organization_id"] is None:
        return None
    return view.count(kinds.USER_ROLE, "role_id", row["id"])


ROLE = Info(
    kind=kinds.ROLE,
    plural="roles",
    parents=(kinds.ORGANIZATION,),
    everywhere=tuple(predefined.ROLE_IDS.values()),
    computed={
        "policies": Computed(_policies, POLICIES),
        "predefined": Computed(lambda row, _view: row["organization_id"] is None, PREDEFINED),
        "user_count": Computed(
            _user_count,
            Returned("How many users have it, V(null) of a predefined role.", "int", sample=2),
        ),
    },
)
