# SPDX-License-Identifier: Apache-2.0
"""What is returned of a vSwitch; how its bridge is only where its node is this machine."""

from __future__ import annotations

from typing import Any

from pextra.host.network.switch import BridgeState
from pextra.kinds.info import Computed, Info, count_of
from pextra.kinds.view import View
from pextra.kinds.vswitch.kind import wanted
from pextra.model.fields import Row


def _bridge(row: Row, view: View) -> BridgeState | None:
    """The bridge that is ours; one of somebody else's that has the name is none."""
    want = wanted(row, view)
    found = view.host.links.bridge(want)
    return found if found is not None and found.mac == want.mac else None


def _exists(row: Row, view: View) -> bool | None:
    return _bridge(row, view) is not None if view.is_here(row) else None


def _of_bridge(name: str) -> Computed:
    """A value of the bridge itself; null where it is missing or on another node."""
    return lambda row, view: getattr(_bridge(row, view), name, None) if view.is_here(row) else None


def _ports(row: Row, view: View) -> Any:
    """Ports of instances, that is, without those that lead out."""
    bridge = _bridge(row, view) if view.is_here(row) else None
    if bridge is None:
        return None
    names = {link.name for link in view.host.links.now.members(row["name"])}
    return sorted(names - {bridge.uplink_port} - set(bridge.uplinks))


def _active_uplinks(row: Row, view: View) -> Any:
    """The uplinks that are connected; of an active-backup bond, the one that carries traffic."""
    bridge = _bridge(row, view) if view.is_here(row) else None
    if bridge is None:
        return None
    links = view.host.links.now.links
    bond = links[bridge.bond_name] if bridge.bond is not None else None
    if bond is not None and bond.active:
        return [bond.active]
    return [name for name in bridge.uplinks if links[name].carrier]


VSWITCH = Info(
    kind="vswitch",
    plural="vswitches",
    columns=(
        "id", "cluster_id", "node_id", "name", "description", "mtu", "uplinks", "bond",
        "addressing", "status", "creation",
    ),
    parents=("cluster", "node"),
    computed={
        "exists": _exists,
        "up": _of_bridge("up"),
        "actual_mtu": _of_bridge("mtu"),
        "ports": _ports,
        "active_uplinks": _active_uplinks,
        "port_group_count": count_of("port_group", "vswitch_id"),
    },
)  # fmt: skip
