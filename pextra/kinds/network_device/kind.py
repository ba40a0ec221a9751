# SPDX-License-Identifier: Apache-2.0
"""Network devices of instances. Part of the instance; kept apart so that MACs are unique."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds.volume.place import parse_device_name
from pextra.model import ids, units
from pextra.model.errors import ConflictError
from pextra.model.fields import Change, Field, Row
from pextra.model.request import Request
from pextra.model.spec import KindSpec

MODELS = ("virtio", "e1000e")
OPTIONS = (
    Field("name", required=True, parse=parse_device_name),
    Field("port_group"),
    Field("mac", parse=units.parse_mac),
    Field("model", choices=MODELS),
)


class NetworkDevice(Kind):
    """A network device of an instance."""

    spec = KindSpec(
        name="network_device",
        table="network_devices",
        prefix="nic",
        fields=(
            Field("name", required=True, parse=parse_device_name),
            Field("instance", ref="instance", required=True),
            Field("port_group", ref="port_group", required=True),
            Field("mac", parse=units.parse_mac, change=Change.IMMUTABLE),
            Field("model", choices=MODELS, default="virtio", change=Change.IMMUTABLE),
        ),
        scope=("instance_id",),
        owned_by="instance",
        rank=85,
    )

    def resolve(self, request: Request, world: World) -> dict[str, Any]:
        """The instance, and the port group of that name on its node."""
        instance = world.row("instance", request.values["instance"])
        found = {"instance_id": instance["id"]}
        if request.values.get("port_group"):
            scope = {"node_id": instance["node_id"]}
            group = world.require("port_group", request.values["port_group"], scope)
            found["port_group_id"] = group["id"]
        return found

    def draft(self, request: Request, current: Row | None, row: Row, world: World) -> None:
        """Give it a MAC address that nothing else has."""
        row["mac"] = row["mac"] or _free_mac(row, world)
        for other in world.by("network_device", "mac", row["mac"]):
            if other["id"] != row["id"]:
                owner = world.get("instance", other["instance_id"])
                raise ConflictError(
                    f"MAC address {row['mac']} is taken by instance"
                    f' "{owner["name"] if owner else other["instance_id"]}"',
                    resource=request.label,
                )

    def touched(
        self, before: Row | None, after: Row | None, world: World
    ) -> Iterable[tuple[str, str]]:
        """Its instance."""
        for row in (before, after):
            if row is not None:
                yield "instance", row["instance_id"]


def _free_mac(row: Row, world: World) -> str:
    """An address made from names, so that check mode and the run after it find the same one."""
    instance = world.row("instance", row["instance_id"])
    for attempt in itertools.count():
        mac = ids.mac_of(world.host.key, instance["name"], row["name"], str(attempt))
        if not world.by("network_device", "mac", mac):
            break
    return mac
