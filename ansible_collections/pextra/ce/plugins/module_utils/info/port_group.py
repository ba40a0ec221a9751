# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is returned of a port group."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.info.spec import Info
from ansible_collections.pextra.ce.plugins.module_utils.info.view import View


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
