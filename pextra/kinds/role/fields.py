# SPDX-License-Identifier: Apache-2.0
"""The fields of roles: what a request may say, and what is returned."""

from __future__ import annotations

import dataclasses

from pextra.kinds.common import DESCRIPTION, NAME, few
from pextra.kinds.policy.fields import FORCE
from pextra.kinds.shared import OF_SOME
from pextra.model.fields import Field
from pextra.model.returned import Returned

FIELDS = (
    dataclasses.replace(
        NAME,
        doc=(
            "Name of the role, unique in the organization, and not that of a predefined one.",
            *NAME.doc,
        ),
        returned=Returned("Name of the role.", sample="backup"),
    ),
    OF_SOME,
    DESCRIPTION,
    Field(
        "policies",
        "list",
        elements="str",
        stored=False,
        parse=few,
        doc=(
            "Ids or names of its policies, of the organization or predefined, in the order in which"
            " they are asked. The order decides nothing but which statement is told to have"
            " decided.",
            "Policies that it has and that are not in the list stay behind these, unless O(purge)"
            " says otherwise.",
        ),
    ),
    Field(
        "copy_of",
        stored=False,
        doc=(
            "Id or name of a role of the organization, or of a predefined one, whose policies a new"
            " role begins with. A role that is there keeps its own, so the same task can run"
            " again.",
            "Predefined are V(administrator), V(operator), V(viewer), V(network), V(storage) and"
            " V(auditor), each with the policy of the same name.",
        ),
    ),
)

STEERING = (
    Field(
        "purge",
        "bool",
        default=False,
        doc=("Also take from it the policies that O(policies) does not name.",),
    ),
    FORCE,
)

POLICIES = Returned(
    "The names of its policies, in the order in which they are asked.",
    "list",
    ["viewer", "backup operators"],
    elements="str",
)
