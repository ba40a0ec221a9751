# SPDX-License-Identifier: Apache-2.0
"""Port groups: how instances connect to a vSwitch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.host.network import vlans
from pextra.kinds.common import check_here, resolve_node
from pextra.kinds.port_group.fields import FIELDS
from pextra.model import kinds
from pextra.model.errors import ConflictError, InputError, UnsupportedError
from pextra.model.names import Key
from pextra.model.request import Request
from pextra.model.spec import KindSpec

if TYPE_CHECKING:
    from pextra.model.rows import PortGroupRow


class PortGroup(Kind["PortGroupRow", None]):
    """A segment of a vSwitch."""

    spec = KindSpec(
        name=kinds.PORT_GROUP,
        table="port_groups",
        prefix="pgrp",
        on_node=True,
        fields=FIELDS,
        scope=("node_id",),
        rank=78,
    )

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The node, this one unless named, and the vSwitch on it."""
        values, found = request.values, dict[str, str | None]()
        if "id" not in values or "node" in values:
            found["node_id"] = resolve_node(values.get("node"), world, request.label)["id"]
        if values.get("vswitch"):
            node = found.get("node_id") or world.row(kinds.PORT_GROUP, values["id"])["node_id"]
            vswitch = world.require(kinds.VSWITCH, values["vswitch"], {"node_id": node})
            found["vswitch_id"] = vswitch["id"]
        return found

    def draft(
        self, request: Request, current: PortGroupRow | None, row: PortGroupRow, world: World
    ) -> None:
        """A VLAN needs a kernel whose bridges filter VLANs."""
        vswitch = world.get(kinds.VSWITCH, row["vswitch_id"])
        if vswitch is not None and vswitch["node_id"] != row["node_id"]:
            raise ConflictError(
                f"vSwitch {vswitch['name']} is on another node", resource=request.label
            )
        if vswitch is not None and vswitch["status"] == "deleting":
            raise ConflictError(
                f"vSwitch {vswitch['name']} is marked for destruction", resource=request.label
            )
        if row["vlan_id"] is not None and row["trunk"]:
            raise InputError(
                f"it has VLAN {row['vlan_id']}, and trunk lists VLANs too",
                resource=request.label,
                hint="A port group has either: clear one with vlan_id: null or trunk: []",
            )
        if (current is None or self._used(row) != self._used(current)) and self._used(row):
            check_here(row, world, request.label)
            if not world.host.links.vlan_filtering:
                raise UnsupportedError(
                    f"VLAN {', '.join(row['trunk']) or row['vlan_id']} needs a kernel with bridge"
                    " VLAN filtering",
                    resource=request.label,
                    hint="Use a kernel with CONFIG_BRIDGE_VLAN_FILTERING, such as Debian's own, or"
                    " leave vlan_id and trunk out",
                )

        self._check_filters(row, current, request, world)

    def _check_filters(
        self, row: PortGroupRow, current: PortGroupRow | None, request: Request, world: World
    ) -> None:
        needs = [name for name in ("promiscuous",) if row[name]]
        needs += ["rate_limit.outbound"] if row["rate_limit"].get("outbound") else []
        new = current is None or _realised(row) != _realised(current)
        if needs and new and row["node_id"] == world.here and not world.host.links.filters:
            raise UnsupportedError(
                f"{' and '.join(needs)} needs a kernel with packet classifiers",
                resource=request.label,
                hint="Use a kernel with CONFIG_NET_CLS_FLOWER, CONFIG_NET_CLS_MATCHALL,"
                " CONFIG_NET_ACT_POLICE and CONFIG_NET_ACT_MIRRED, such as Debian's own",
            )

    def _used(self, row: PortGroupRow) -> tuple[Any, ...]:
        return tuple(item for item in (row["vlan_id"], *row["trunk"]) if item is not None)

    def touched(
        self, before: PortGroupRow | None, after: PortGroupRow | None, world: World
    ) -> Iterable[Key]:
        """The vSwitch, whose uplinks carry its VLANs, and the instances that are on it."""
        if before is not None and after is not None and _realised(before) == _realised(after):
            return
        for row in (before, after):
            if row is not None and row["node_id"] == world.here and vlans.of_group(row):
                yield kinds.VSWITCH, row["vswitch_id"]
        if before is not None and after is not None:
            for device in world.by(kinds.NETWORK_DEVICE, "port_group_id", after["id"]):
                yield kinds.INSTANCE, device["instance_id"]

    def shown_by(self, row: PortGroupRow, world: World) -> Iterable[Key]:
        """The vSwitch that it is a segment of, and the instances that are on it."""
        yield kinds.VSWITCH, row["vswitch_id"]
        for device in world.by(kinds.NETWORK_DEVICE, "port_group_id", row["id"]):
            yield kinds.INSTANCE, device["instance_id"]


def _realised(row: PortGroupRow) -> tuple[Any, ...]:
    """What of a port group shows on the host."""
    return tuple(row[name] for name in (
        "vswitch_id", "vlan_id", "trunk", "promiscuous", "mac_changes", "forged_transmits",
        "isolated", "rate_limit",
    ))  # fmt: skip
