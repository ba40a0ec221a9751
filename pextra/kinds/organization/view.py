# SPDX-License-Identifier: Apache-2.0
"""What is returned of an organization."""

from __future__ import annotations

from pextra.kinds.info import Computed, Info, count_of
from pextra.model import kinds
from pextra.model.returned import Returned

ORGANIZATION = Info(
    kind=kinds.ORGANIZATION,
    plural="organizations",
    computed={
        "datacenter_count": Computed(
            count_of(kinds.DATACENTER, "organization_id"),
            Returned("How many datacenters it has.", "int", sample=1),
        ),
        "cluster_count": Computed(
            count_of(kinds.CLUSTER, "organization_id"),
            Returned("How many clusters it has.", "int", sample=1),
        ),
        "user_count": Computed(
            count_of(kinds.USER, "organization_id"),
            Returned("How many users it has.", "int", sample=2),
        ),
    },
)
