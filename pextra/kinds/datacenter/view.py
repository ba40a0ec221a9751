# SPDX-License-Identifier: Apache-2.0
"""What is returned of a datacenter."""

from __future__ import annotations

from pextra.kinds.info import Info, count_of

DATACENTER = Info(
    kind="datacenter",
    plural="datacenters",
    columns=("id", "organization_id", "name", "description", "location", "creation"),
    parents=("organization",),
    computed={"cluster_count": count_of("cluster", "datacenter_id")},
)
