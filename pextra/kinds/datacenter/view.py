# SPDX-License-Identifier: Apache-2.0
"""What is returned of a datacenter."""

from __future__ import annotations

from pextra.kinds.info import Computed, Info, count_of
from pextra.model import kinds
from pextra.model.returned import Returned

DATACENTER = Info(
    kind=kinds.DATACENTER,
    plural="datacenters",
    parents=(kinds.ORGANIZATION,),
    computed={
        "cluster_count": Computed(
            count_of(kinds.CLUSTER, "datacenter_id"),
            Returned("How many clusters it has.", "int", sample=1),
        ),
    },
)
