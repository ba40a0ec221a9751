# SPDX-License-Identifier: Apache-2.0
"""The fields of snapshots of instances: what a request may say, and what is returned."""

from __future__ import annotations

from pextra.kinds.common import DESCRIPTION, FIXED_NAME
from pextra.model import kinds
from pextra.model.fields import Change, Field, documented
from pextra.model.returned import Returned

FIELDS = (
    documented(
        FIXED_NAME,
        "Name of the snapshot, unique among those of the instance.",
        returned=Returned("Name of the snapshot.", sample="before-upgrade"),
    ),
    Field(
        "instance",
        ref=kinds.INSTANCE,
        required=True,
        change=Change.IMMUTABLE,
        doc=("Id or name of the instance, on the node that the task runs on.",),
        returned=Returned("Identifier of the instance that it is of."),
    ),
    DESCRIPTION,
    Field(
        "memory",
        "bool",
        default=False,
        change=Change.IMMUTABLE,
        doc=(
            "Keep what is in the memory of an instance that runs, so that it can go on from there."
            " The file is as large as the memory in use, and only root can read it.",
        ),
        returned=Returned("Whether it has the instance's memory.", "bool", sample=False),
    ),
)

COMPUTED = {
    "node_id": Returned("Identifier of the node that it is on."),
    "state": Returned(
        "How the instance ran when it was taken, V(running), V(paused) or V(stopped).",
        sample="running",
    ),
    "volumes": Returned(
        "The volumes that were attached, by device path.",
        "list",
        elements="dict",
        contains={
            "id": Returned("Identifier.", sample="vol-ufbaJ57FmvldEh0eHlAuz"),
            "name": Returned("Name.", sample="web-root"),
            "size": Returned("Size then, in bytes.", "int", sample=10737418240),
        },
    ),
    "reverting": Returned(
        "Whether going back to it was begun and not finished. The instance is not started then.",
        "bool",
        sample=False,
    ),
    "reverted": Returned(
        "When the instance last went back to it, in UTC, V(null) if it never did."
    ),
}
