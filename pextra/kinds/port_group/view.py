# SPDX-License-Identifier: Apache-2.0
"""What is returned of a port group."""

from __future__ import annotations

from pextra.kinds.info import Computed, Info
from pextra.kinds.view import View
from pextra.model.fields import Row
from pextra.model.returned import Returned


def _instance_count(row: Row, view: View) -> int:
    devices = view.by("network_device", "port_group_id", row["id"])
    return len({device["instance_id"] for device in devices})


PORT_GROUP = Info(
    kind="port_group",
    plural="port_groups",
    parents=("node", "vswitch"),
    computed={
        "instance_count": Computed(
            _instance_count,
            Returned("How many instances have a network device on it.", "int", sample=3),
        ),
    },
)
