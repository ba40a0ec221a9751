# SPDX-License-Identifier: Apache-2.0
"""What is returned of a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pextra.access import predefined
from pextra.kinds.info import Computed, Info
from pextra.kinds.policy.fields import STATEMENTS
from pextra.kinds.policy.kind import shown
from pextra.kinds.view import View
from pextra.model import kinds
from pextra.model.returned import Returned
from pextra.model.values import Value

if TYPE_CHECKING:
    from pextra.model.rows import PolicyRow

PREDEFINED = Returned(
    "Whether it is predefined: every organization has it, and nobody changes it.",
    "bool",
    sample=False,
)
DOCUMENT = Returned(
    "The policy as the platform's export has it, which O(pextra.ce.policy#module:document) takes.",
    "dict",
    sample={
        "name": "backup operators",
        "enabled": True,
        "description": "",
        "policy": [{"effect": "allow", "actions": ["instance.backup"], "resources": ["*"]}],
    },
)


def _roles(row: PolicyRow, view: View) -> list[str] | None:
    """Those of its organization; who else has a predefined policy is nobody's business."""
    if row["organization_id"] is None:
        return None
    links = view.by(kinds.ROLE_POLICY, "policy_id", row["id"])
    return sorted(str(view.name(kinds.ROLE, link["role_id"])) for link in links)


def _versions(row: PolicyRow, view: View) -> list[Value]:
    versions = view.by(kinds.POLICY_VERSION, "policy_id", row["id"])
    return [
        {
            "number": version["number"],
            "creation": version["creation"],
            "statements": cast(list[Value], version["statements"]),
        }
        for version in sorted(versions, key=lambda item: item["number"])
    ]


POLICY = Info(
    kind=kinds.POLICY,
    plural="policies",
    parents=(kinds.ORGANIZATION,),
    everywhere=tuple(predefined.POLICY_IDS.values()),
    computed={
        "statements": Computed(lambda row, _view: shown(row)["statements"], STATEMENTS),
        "predefined": Computed(lambda row, _view: row["organization_id"] is None, PREDEFINED),
        "roles": Computed(
            _roles,
            Returned(
                "The names of the roles that have it, V(null) of a predefined policy.",
                "list",
                ["backup"],
                elements="str",
            ),
        ),
        "document": Computed(lambda row, _view: shown(row)["document"], DOCUMENT, asked=True),
        "versions": Computed(
            _versions,
            Returned(
                "What its statements were, the oldest first. A predefined policy has none.",
                "list",
                elements="dict",
                contains={
                    "number": Returned("The number of the version.", "int", sample=1),
                    "creation": Returned(
                        "Since when it was so, in UTC.", sample="2026-01-31T12:00:00Z"
                    ),
                    "statements": STATEMENTS,
                },
            ),
            asked=True,
        ),
    },
)
