# SPDX-License-Identifier: Apache-2.0
"""What is returned of a port group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.kinds.info import Computed, Info
from pextra.kinds.view import View
from pextra.model import kinds
from pextra.model.returned import Returned

if TYPE_CHECKING:
    from pextra.model.rows import PortGroupRow


def _instance_count(row: PortGroupRow, view: View) -> int:
    devices = view.by(kinds.NETWORK_DEVICE, "port_group_id", row["id"])
    return len({device["instance_id"] for device in devices})


PORT_GROUP = Info(
    kind=kinds.PORT_GROUP,
    plural="port_groups",
    parents=(kinds.NODE, kinds.VSWITCH),
    computed={
        "instance_count": Computed(
            _instance_count,
            Returned("How many instances have a network device on it.", "int", sample=3),
        ),
    },
)
