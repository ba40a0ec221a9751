# SPDX-License-Identifier: Apache-2.0
"""The fields of snapshots of volumes: what a request may say, and what is returned."""

from __future__ import annotations

from pextra.kinds.common import DESCRIPTION, FIXED_NAME
from pextra.model import kinds
from pextra.model.fields import Change, Field, documented
from pextra.model.returned import Returned

FIELDS = (
    documented(
        FIXED_NAME,
        "Name of the snapshot, unique among those of the volume.",
        returned=Returned("Name of the snapshot.", sample="before-upgrade"),
    ),
    Field(
        "volume",
        ref=kinds.VOLUME,
        required=True,
        change=Change.IMMUTABLE,
        doc=("Id or name of the volume, on the node that the task runs on.",),
        returned=Returned("Identifier of the volume that it is of."),
    ),
    Field(
        "storage_pool",
        stored=False,
        doc=(
            "Id or name of the storage pool that a volume which is named by its name is looked for"
            " in.",
            "Left out, it is the pool named V(local).",
        ),
    ),
    DESCRIPTION,
)

COMPUTED = {
    "node_id": Returned("Identifier of the node that it is on."),
    "size": Returned("Size of the volume when it was taken, in bytes.", "int", sample=10737418240),
}
