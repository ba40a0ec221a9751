# SPDX-License-Identifier: Apache-2.0
"""Network devices of instances. Part of the instance; kept apart so that MACs are unique."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds.volume.place import parse_device_name
from pextra.model import ids, kinds, units
from pextra.model.fields import Change, Field
from pextra.model.names import Key
from pextra.model.request import Request
from pextra.model.spec import KindSpec

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow, NetworkDeviceRow

MODELS = ("virtio", "e1000e")
OPTIONS = (
    Field(
        "name",
        required=True,
        parse=parse_device_name,
        doc=(
            "Name of the device, unique in the instance, from 3 to 32 ASCII letters, digits, dots,"
            " underscores and hyphens. What the guest calls it is the guest's choice.",
        ),
    ),
    Field(
        "port_group",
        doc=(
            "Id or name of the port group on the instance's node.",
            "Required to create a device. A device of a running instance that changes to another"
            " one is plugged in anew, with the same MAC address.",
        ),
    ),
    Field(
        "mac",
        parse=units.parse_mac,
        doc=(
            "MAC address, unique in the deployment. Write it in quotes, because YAML takes some of"
            " them for numbers. Unless given it is made from the cluster, the instance's name and"
            " the device's name, so that it is the same when the instance is made again.",
        ),
        change=Change.IMMUTABLE,
    ),
    Field(
        "model",
        choices=MODELS,
        doc=("Model of the device in a QEMU instance.",),
        default="virtio",
        change=Change.IMMUTABLE,
    ),
)


class NetworkDevice(Kind["NetworkDeviceRow", None]):
    """A network device of an instance."""

    spec = KindSpec(
        name=kinds.NETWORK_DEVICE,
        table="network_devices",
        prefix="nic",
        fields=(
            Field("name", required=True, parse=parse_device_name),
            Field("instance", ref=kinds.INSTANCE, required=True, backed_up=False),
            Field("port_group", ref=kinds.PORT_GROUP, required=True),
            Field("mac", parse=units.parse_mac, change=Change.IMMUTABLE),
            Field("model", choices=MODELS, default="virtio", change=Change.IMMUTABLE),
        ),
        scope=("instance_id",),
        hidden=(Field("position", "int"),),
        unique=("mac",),
        owned_by=kinds.INSTANCE,
        rank=85,
    )

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The instance, and the port group of that name on its node."""
        instance = world.row(kinds.INSTANCE, request.values["instance"])
        found: dict[str, str | None] = {"instance_id": instance["id"]}
        if request.values.get("port_group"):
            scope = {"node_id": instance["node_id"]}
            group = world.require(kinds.PORT_GROUP, request.values["port_group"], scope)
            found["port_group_id"] = group["id"]
        return found

    def draft(
        self,
        request: Request,
        current: NetworkDeviceRow | None,
        row: NetworkDeviceRow,
        world: World,
    ) -> None:
        """Give it its place behind the others, and a MAC address.

        Where that is asked for, nothing else may have it in the end.
        """
        if current is None:
            there = world.by(kinds.NETWORK_DEVICE, "instance_id", row["instance_id"])
            others = [item["position"] for item in there if item["id"] != row["id"]]
            row["position"] = max(others, default=0) + 1
        if not row["mac"]:
            instance = world.row(kinds.INSTANCE, row["instance_id"])
            row["mac"] = free_mac(instance["name"], row["name"], world)

    def taken(
        self,
        columns: tuple[str, ...],
        row: NetworkDeviceRow,
        other: NetworkDeviceRow,
        world: World,
    ) -> str:
        """Which instance has its MAC address."""
        if columns != ("mac",):
            return super().taken(columns, row, other, world)
        owner = world.get(kinds.INSTANCE, other["instance_id"])
        name = owner["name"] if owner else other["instance_id"]
        return f'MAC address {row["mac"]} is taken by instance "{name}"'

    def touched(
        self, before: NetworkDeviceRow | None, after: NetworkDeviceRow | None, world: World
    ) -> Iterable[Key]:
        """Its instance."""
        for row in (before, after):
            if row is not None:
                yield kinds.INSTANCE, row["instance_id"]


def cards(instance: InstanceRow, world: World) -> list[NetworkDeviceRow]:
    """An instance's network devices in the order in which they were given."""
    found = world.by(kinds.NETWORK_DEVICE, "instance_id", instance["id"])
    return sorted(found, key=lambda item: (item["position"], item["name"]))


def free_mac(instance: str, device: str, world: World) -> str:
    """An address made from names, so that check mode and the run after it find the same one.

    Args:
        instance: The name of the instance.
        device: The name of the device, which may have the address already.
        world: The rows.
    """
    for attempt in itertools.count():
        mac = ids.mac_of(world.host.key, instance, device, str(attempt))
        owners = (
            (item["name"], world.get(kinds.INSTANCE, item["instance_id"]))
            for item in world.by(kinds.NETWORK_DEVICE, "mac", mac)
        )
        if all(
            name == device and owner is not None and owner["name"] == instance
            for name, owner in owners
        ):
            break
    return mac
