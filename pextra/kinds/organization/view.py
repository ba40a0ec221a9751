# SPDX-License-Identifier: Apache-2.0
"""What is returned of an organization."""

from __future__ import annotations

from pextra.kinds.info import Info, count_of

ORGANIZATION = Info(
    kind="organization",
    plural="organizations",
    columns=("id", "name", "description", "creation"),
    computed={
        "datacenter_count": count_of("datacenter", "organization_id"),
        "cluster_count": count_of("cluster", "organization_id"),
        "user_count": count_of("user", "organization_id"),
    },
)
