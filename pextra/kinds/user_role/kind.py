# SPDX-License-Identifier: Apache-2.0
"""That a user has a role, and in which place. Part of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds import links
from pextra.model import kinds
from pextra.model.fields import Field
from pextra.model.returned import Returned
from pextra.model.spec import KindSpec

if TYPE_CHECKING:
    from pextra.model.rows import UserRoleRow


class UserRole(Kind["UserRoleRow", None]):
    """A role of a user."""

    spec = KindSpec(
        name=kinds.USER_ROLE,
        table="user_roles",
        prefix="usrrol",
        key="role_id",
        fields=(
            Field("user", ref=kinds.USER, required=True),
            Field("role", ref=kinds.ROLE, required=True),
        ),
        computed={"place": Returned("Its place among the others of the user, from 1.", "int")},
        scope=("user_id",),
        owned_by=kinds.USER,
        rank=51,
    )

    def called(self, row: UserRoleRow, world: World) -> str:
        """Both names."""
        return links.called(kinds.USER, kinds.ROLE, row, world)
