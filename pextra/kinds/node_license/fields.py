# SPDX-License-Identifier: Apache-2.0
"""The fields of nodes' licences: what a request may say, and what is returned."""

from __future__ import annotations

import dataclasses
from typing import Any

from pextra.kinds.common import NODE
from pextra.model.fields import Field
from pextra.model.returned import Returned


def _key(value: Any) -> str:
    return str(value).strip()


FIELDS = (
    dataclasses.replace(
        NODE,
        doc=(
            "Id or name of the node.",
            "A key is checked by the node itself, so the task must run on it; a licence can be"
            " removed from elsewhere.",
        ),
        returned=Returned("Identifier of the node."),
    ),
    Field(
        "key",
        secret=True,
        encrypted=False,  # it opens nothing, and the store sees to it that two nodes have not one
        parse=_key,
        doc=(
            "The licence key, from C(PCE1) to its last character. White space around it does not"
            " matter.",
            "It is refused by name if it is malformed, of a later format, from an unknown signer,"
            " has a signature that does not fit, is not valid yet, or has expired. The licence"
            " that is there stays then.",
            "A key that is set already is not checked again, so that the same task can run after"
            " it has expired.",
            "Required to create one, unless O(evaluation=true).",
        ),
    ),
)

STEERING = (
    Field(
        "evaluation",
        "bool",
        default=False,
        doc=(
            "Make an evaluation licence of 30 days for this node, if it has no licence. A licence"
            " that is there stays, whatever it is.",
            "Each node can do that once. When the evaluation has expired, a second one is refused.",
            "Not together with O(key).",
        ),
    ),
)

COMPUTED = {
    "edition": Returned(
        "V(community), V(evaluation), V(standard) or V(enterprise).", sample="evaluation"
    ),
    "customer": Returned("Whom the licence was issued to.", sample="Evaluation"),
    "not_before": Returned("First moment of validity, in UTC.", sample="2026-01-31T12:00:00Z"),
    "expiry": Returned(
        "First moment at which it is no longer valid, in UTC.", sample="2026-03-02T12:00:00Z"
    ),
    "creation": Returned("When it was set first, in UTC.", sample="2026-01-31T12:00:00Z"),
}
