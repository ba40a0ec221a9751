# SPDX-License-Identifier: Apache-2.0
"""Instances whose memory another tool has saved (``virsh managedsave``), to go on from it later.

They are off, and what they go on with must be the disks and the machine that the memory is of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.engine.world import World
from pextra.host.hypervisor import power
from pextra.model import kinds
from pextra.model.errors import ConflictError

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow


def refuse(resource: str) -> None:
    """Refuse a change of what a saved instance goes on with.

    Raises:
        ConflictError: Always.
    """
    raise ConflictError(
        "another tool has saved its memory (virsh managedsave), which goes with its disks and"
        " devices as they are now",
        resource=resource,
        hint="Start it, and it goes on from there. Or give its memory up: pextra.ce.instance with"
        " discard_saved=true",
    )


def refuse_any(instance: InstanceRow, world: World, resource: str) -> None:
    """Look whether an instance is saved, and refuse to change its disks' contents if it is.

    Raises:
        ConflictError: It is.
    """
    if instance["type"] == "qemu" and power.is_saved(world.host.qemu, instance["id"]):
        refuse(resource)


def has_grown(instance: InstanceRow, world: World) -> bool:
    """Whether the plan makes a volume of it larger."""
    pairs = (
        (volume, world.before(kinds.VOLUME, volume["id"]))
        for volume in world.by(kinds.VOLUME, "instance_id", instance["id"])
    )
    return any(old is not None and old["size"] != volume["size"] for volume, old in pairs)
