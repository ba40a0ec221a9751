# SPDX-License-Identifier: Apache-2.0
"""What the statements of a policy were, change by change. Part of the policy."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from pextra.access.statements import STATEMENT
from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.model import ids, kinds
from pextra.model.fields import Field
from pextra.model.returned import Returned
from pextra.model.spec import KindSpec

if TYPE_CHECKING:
    from pextra.model.rows import PolicyVersionRow


class PolicyVersion(Kind["PolicyVersionRow", None]):
    """The statements of a policy from one change to the next."""

    spec = KindSpec(
        name=kinds.POLICY_VERSION,
        table="policy_versions",
        prefix="polver",
        key="number",
        fields=(Field("policy", ref=kinds.POLICY, required=True),),
        computed={"number": Returned("Its number, from 1.", "int", sample=1)},
        hidden=(Field("statements", "list", elements="dict", options=STATEMENT),),
        scope=("policy_id",),
        owned_by=kinds.POLICY,
        rank=43,
    )

    def called(self, row: PolicyVersionRow, world: World) -> str:
        """Its policy and its number."""
        policy = world.get(kinds.POLICY, row["policy_id"])
        policy = policy or world.before(kinds.POLICY, row["policy_id"])
        return f"{policy['name'] if policy else row['policy_id']} version {row['number']}"


def version_id(policy_id: str, number: int) -> str:
    """The identifier of a version, made of what it is of, so that it is found by that."""
    digest = hashlib.sha256(f"{policy_id} {number}".encode()).digest()
    return f"polver-{base64.urlsafe_b64encode(digest).decode()[: ids.LENGTH]}"
