# SPDX-License-Identifier: Apache-2.0
"""The fields of policies: what a request may say, and what is returned."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from pextra.access.statements import MOST_STATEMENTS, STATEMENT, parse_policies
from pextra.kinds.common import DESCRIPTION, NAME
from pextra.kinds.shared import OF_SOME
from pextra.model.errors import InputError
from pextra.model.fields import Field
from pextra.model.returned import Returned
from pextra.model.values import quoted

_MOST_TEXT = 16 * 1024 * 1024
"""Characters of a document that is given as text."""


def _few(value: list[Any]) -> list[Any]:
    """At most as many statements as a policy may have."""
    if len(value) > MOST_STATEMENTS:
        raise InputError(
            f"it has {len(value)} statements, at most {MOST_STATEMENTS} are possible",
            hint="Divide it into several policies; a role can have them all",
        )
    return value


def _document(value: Any) -> list[dict[str, Any]]:
    """The policies of a document, with our names and what is given of each."""
    if isinstance(value, str):
        if len(value) > _MOST_TEXT:
            raise InputError(f"it has {len(value)} characters, at most {_MOST_TEXT} are possible")
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise InputError(f"it is no JSON: {error}") from None
    if not isinstance(value, (Mapping, list)):
        raise InputError(f"{quoted(value)} is no policy, nor a list of some")
    policies = parse_policies(value)
    inner = value["policies"] if isinstance(value, Mapping) and "policies" in value else value
    given = inner if isinstance(inner, list) else [inner]
    return [
        {
            key: part
            for key, part in policy.as_dict().items()
            if key == "statements" or item.get(key) is not None
        }
        for policy, item in zip(policies, given, strict=True)
    ]


STATEMENTS = Returned(
    "Its statements, in the order in which they are asked.",
    "list",
    elements="dict",
    contains={
        "id": Returned("A name for the statement, where it has one.", sample="no-nights"),
        "description": Returned("Text for people, where it has some.", sample="Not at night"),
        "effect": Returned("V(allow) or V(deny).", sample="allow"),
        "actions": Returned(
            "Actions, or patterns of them.", "list", ["instance.*"], elements="str"
        ),
        "resources": Returned(
            "Identifiers of resources, or patterns of them.", "list", ["*"], elements="str"
        ),
        "rule": Returned("Its condition, where it has one.", sample='env.time_of_day < "18:00:00"'),
    },
)

FIELDS = (
    dataclasses.replace(
        NAME,
        doc=(
            "Name of the policy, unique in the organization, and not that of a predefined one.",
            *NAME.doc,
        ),
        returned=Returned("Name of the policy.", sample="backup operators"),
    ),
    OF_SOME,
    DESCRIPTION,
    Field(
        "enabled",
        "bool",
        default=True,
        doc=("Whether the policy counts. One that does not allows and denies nothing.",),
        returned=Returned("Whether it counts.", "bool", sample=True),
    ),
    Field(
        "statements",
        "list",
        elements="dict",
        default=[],
        options=STATEMENT,
        parse=_few,
        doc=(
            "What the policy allows and denies, at most 1024 statements. The list is taken as a"
            " whole: statements that are not in it go.",
            "What any statement denies is denied. What none denies and one allows is allowed; what"
            " no statement allows is denied.",
            "All statements are checked before anything is changed, and all that is wrong is told"
            " at once.",
        ),
        returned=STATEMENTS,
    ),
    Field(
        "document",
        "raw",
        stored=False,
        parse=_document,
        doc=(
            "The policy as the platform's export has it, instead of O(statements): a dictionary"
            " C({name, enabled, description, policy: [statement]}), a list of some, or C({policies:"
            " [...]}), also as text in JSON.",
            "Without O(name), the document must have one policy, whose name is taken. With it, the"
            " document's policy of that name is; a single one is taken whatever its name is.",
            "O(description) and O(enabled) are the document's, unless they are given besides.",
        ),
    ),
    Field(
        "copy_of",
        stored=False,
        doc=(
            "Id or name of a policy of the organization, or of a predefined one, whose statements"
            " a new policy begins with. A policy that is there keeps its own, so the same task can"
            " run again.",
            "Predefined are V(administrator), V(operator), V(viewer), V(network), V(storage) and"
            " V(auditor).",
        ),
    ),
)

FORCE = Field(
    "force",
    "bool",
    default=False,
    doc=(
        "Change it even if the platform user who asks could no longer take the change back. Without"
        " it, a run is refused by which its own author is locked out.",
    ),
)
STEERING = (
    Field(
        "restore",
        "int",
        doc=(
            "The number of an earlier version, whose statements the policy has from now on. They"
            " are a new version, so that nothing of what was is lost.",
        ),
    ),
    FORCE,
)

COMPUTED = {
    "version": Returned(
        "The number of its version, which is one more with each change of its statements. Earlier"
        " ones can be restored.",
        "int",
        sample=3,
    ),
}
