# SPDX-License-Identifier: Apache-2.0
"""The fields of clusters: what a request may say, and what is returned."""

from __future__ import annotations

from pextra.kinds.common import DESCRIPTION, NAME
from pextra.model import kinds
from pextra.model.fields import Change, Field, documented
from pextra.model.returned import Returned

FIELDS = (
    documented(
        NAME,
        "Name of the cluster, unique in its datacenter.",
        returned=Returned("Name of the cluster.", sample="main"),
    ),
    Field(
        "datacenter",
        ref=kinds.DATACENTER,
        required=True,
        change=Change.IMMUTABLE,
        doc=("Id or name of the datacenter that it is in.",),
        implied="the only datacenter there is. With several, it must be given",
        returned=Returned("Identifier of the datacenter that the cluster belongs to."),
    ),
    DESCRIPTION,
)

COMPUTED = {
    "organization_id": Returned("Identifier of the organization that the cluster belongs to."),
}
