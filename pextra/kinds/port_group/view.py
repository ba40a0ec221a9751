# SPDX-License-Identifier: Apache-2.0
"""What is returned of a port group."""

from __future__ import annotations

from pextra.kinds.info import Info
from pextra.kinds.view import View
from pextra.model.fields import Row


def _instance_count(row: Row, view: View) -> int:
    devices = view.by("network_device", "port_group_id", row["id"])
    return len({device["instance_id"] for device in devices})


PORT_GROUP = Info(
    kind="port_group",
    plural="port_groups",
    columns=(
        "id", "node_id", "vswitch_id", "name", "description", "vlan_id", "trunk", "promiscuous",
        "mac_changes", "forged_transmits", "isolated", "rate_limit", "creation",
    ),
    parents=("node", "vswitch"),
    computed={"instance_count": _instance_count},
)  # fmt: skip
