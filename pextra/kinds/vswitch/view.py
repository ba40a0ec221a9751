# SPDX-License-Identifier: Apache-2.0
"""What is returned of a vSwitch; how its bridge is only where its node is this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.host.network.switch import BridgeState
from pextra.kinds.info import Compute, Computed, Info, count_of
from pextra.kinds.view import View
from pextra.kinds.vswitch.kind import wanted
from pextra.model import kinds
from pextra.model.returned import Returned

if TYPE_CHECKING:
    from pextra.model.rows import VSwitchRow


def _bridge(row: VSwitchRow, view: View) -> BridgeState | None:
    """The bridge that is ours; one of somebody else's that has the name is none."""
    want = wanted(row, view)
    found = view.host.links.bridge(want)
    return found if found is not None and found.mac == want.mac else None


def _exists(row: VSwitchRow, view: View) -> bool | None:
    return _bridge(row, view) is not None if view.is_here(row) else None


def _of_bridge(name: str) -> Compute[VSwitchRow]:
    """A value of the bridge itself; null where it is missing or on another node."""
    return lambda row, view: getattr(_bridge(row, view), name, None) if view.is_here(row) else None


def _ports(row: VSwitchRow, view: View) -> list[str] | None:
    """Ports of instances, that is, without those that lead out."""
    bridge = _bridge(row, view) if view.is_here(row) else None
    if bridge is None:
        return None
    names = {link.name for link in view.host.links.now.members(row["name"])}
    return sorted(names - {bridge.uplink_port} - set(bridge.uplinks))


def _active_uplinks(row: VSwitchRow, view: View) -> list[str] | None:
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
    kind=kinds.VSWITCH,
    plural="vswitches",
    parents=(kinds.CLUSTER, kinds.NODE),
    computed={
        "exists": Computed(
            _exists,
            Returned(
                "Whether its bridge is there. An interface of somebody else's with the name does"
                " not count. V(null) on other nodes than this machine.",
                "bool",
                sample=True,
            ),
        ),
        "up": Computed(
            _of_bridge("up"),
            Returned(
                "Whether the bridge is up, V(null) where there is none or it is on another node.",
                "bool",
                sample=True,
            ),
        ),
        "actual_mtu": Computed(
            _of_bridge("mtu"),
            Returned(
                "Largest packet of the bridge in bytes, V(null) where there is none or it is on"
                " another node.",
                "int",
                sample=1500,
            ),
        ),
        "ports": Computed(
            _ports,
            Returned(
                "The network interfaces on the bridge besides uplinks, V(null) where there is none"
                " or it is on another node.",
                "list",
                elements="str",
                sample=["vnet0"],
            ),
        ),
        "active_uplinks": Computed(
            _active_uplinks,
            Returned(
                "The uplinks that are connected; in mode V(active-backup), the one that carries"
                " traffic. V(null) where there is no bridge or it is on another node.",
                "list",
                elements="str",
                sample=["eth1"],
            ),
        ),
        "port_group_count": Computed(
            count_of(kinds.PORT_GROUP, "vswitch_id"),
            Returned("How many port groups it has.", "int", sample=1),
        ),
    },
)
