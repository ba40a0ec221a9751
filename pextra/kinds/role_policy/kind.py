# SPDX-License-Identifier: Apache-2.0
"""That a role has a policy, and in which place. Part of the role."""

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
    from pextra.model.rows import RolePolicyRow


class RolePolicy(Kind["RolePolicyRow", None]):
    """A policy of a role."""

    spec = KindSpec(
        name=kinds.ROLE_POLICY,
        table="role_policies",
        prefix="rolpol",
        key="policy_id",
        fields=(
            Field("role", ref=kinds.ROLE, required=True),
            Field("policy", ref=kinds.POLICY, required=True),
        ),
        computed={"place": Returned("Its place among the others of the role, from 1.", "int")},
        scope=("role_id",),
        owned_by=kinds.ROLE,
        rank=46,
    )

    def called(self, row: RolePolicyRow, world: World) -> str:
        """Both names."""
        return links.called(kinds.ROLE, kinds.POLICY, row, world)
