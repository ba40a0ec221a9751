# SPDX-License-Identifier: Apache-2.0
"""What may be an uplink of a vSwitch. Pure: it looks at rows and at how the interfaces are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.engine.world import World
from pextra.host.network.snapshot import Link
from pextra.host.network.switch import Addressing, bond_name_of, is_uplink_kind
from pextra.model import kinds
from pextra.model.errors import (
    ConflictError,
    ForeignError,
    InputError,
    NotFoundError,
    UnsupportedError,
)
from pextra.model.request import Request

if TYPE_CHECKING:
    from pextra.host.network.nics import NetworkCard
    from pextra.model.rows import VSwitchRow


def check(request: Request, current: VSwitchRow | None, row: VSwitchRow, world: World) -> None:
    """Refuse uplinks that are not there, serve something else, or cannot do what is asked.

    Raises:
        NotFoundError: An interface does not exist.
        ConflictError: Another vSwitch has it, or it has addresses.
        ForeignError: It belongs to a bridge or bond that is not ours.
        InputError: It cannot be an uplink, or the MTU is too large for it.
        UnsupportedError: The kernel has no bonds.
    """
    bond, names, resource = row["bond"], row["uplinks"], request.label
    primary = bond.get("primary")
    if primary and primary not in names and len(names) > 1:
        raise InputError(
            f"bond.primary {primary} is not one of the uplinks: {', '.join(names)}",
            resource=resource,
        )
    if not names:
        if row["addressing"]:
            addresses = ", ".join(row["addressing"]["addresses"])
            raise ConflictError(
                f"its bridge carries this node's addresses: {addresses}, and needs an uplink",
                resource=resource,
                hint="Keep an uplink, or remove the vSwitch with management: migrate",
            )
        return
    if len(names) > 1 and not world.host.links.bonding:
        raise UnsupportedError(
            f"{len(names)} uplinks need a kernel with bonding",
            resource=resource,
            hint="Use a kernel with CONFIG_BONDING, such as Debian's own, or name one uplink",
        )
    before = current["uplinks"] if current is not None else []
    for name in names:
        link = _existing(name, resource, world)
        if name not in before:
            _check_free(link, row, resource, world)
            _check_addresses(name, row, request, world)
        if row["mtu"] > link.max_mtu:
            raise InputError(
                f"uplink {name} takes an MTU of at most {link.max_mtu}, and mtu is {row['mtu']}",
                resource=resource,
            )


def _existing(name: str, resource: str, world: World) -> Link:
    links = world.host.links.now.links
    link = links.get(name)
    if link is None:
        there = sorted(item.name for item in links.values() if is_uplink_kind(item))
        raise NotFoundError(
            f"uplink {name} does not exist on this node",
            resource=resource,
            hint=f"There are: {', '.join(there) or 'none'}",
        )
    if not is_uplink_kind(link):
        raise InputError(
            f"{name} is no network card (it is {link.kind or 'the loopback interface'})",
            resource=resource,
            hint="pextra.ce.nic_info lists what can be an uplink",
        )
    return link


def _check_free(link: Link, row: VSwitchRow, resource: str, world: World) -> None:
    for other in world.by(kinds.VSWITCH, "node_id", row["node_id"]):
        if other["id"] != row["id"] and link.name in other["uplinks"]:
            raise ConflictError(
                f"{link.name} is an uplink of vSwitch {other['name']} already",
                resource=resource,
                hint="An interface serves one vSwitch; take it away from the other one first",
            )
        if link.name == bond_name_of(other["name"]):
            raise InputError(
                f"{link.name} is the bond of vSwitch {other['name']}", resource=resource
            )
    if link.master not in (None, row["name"], bond_name_of(row["name"])):
        raise ForeignError(
            f"{link.name} belongs to {link.master}, which is not ours",
            resource=resource,
            hint="Take it out of there first, or name another interface",
        )


def _check_addresses(name: str, row: VSwitchRow, request: Request, world: World) -> None:
    """An uplink answers to nothing itself: its addresses move to the bridge, if that was asked."""
    card = world.host.links.cards.get(name)
    if card is None or not (card.addresses or card.routes):
        return
    uses = {
        "management": f"the management address, by which this run is connected ({_list(card)})",
        "default_route": f"the default route, and the addresses {_list(card)}",
    }
    what = next((uses[use] for use in uses if use in card.used_for), f"addresses: {_list(card)}")
    if request.options.get("management") != "migrate":
        raise ConflictError(
            f"{name} carries {what}",
            resource=request.label,
            hint="management: migrate moves addresses, routes and name servers to the vSwitch",
        )
    if card.dynamic:
        raise ConflictError(
            f"{name} has its address by DHCP or router advertisement, for its own MAC address",
            resource=request.label,
            hint="Give the node a fixed address first",
        )
    from pextra.host.network import networkd

    if not networkd.runs():
        raise UnsupportedError(
            f"{name} carries {what}, and nothing would keep them over a reboot",
            resource=request.label,
            hint="Have systemd-networkd run: systemctl enable --now systemd-networkd",
        )
    servers, domains = networkd.name_servers(name)
    have = addressing(row) or Addressing()
    row["addressing"] = {
        "addresses": [*have.addresses, *card.addresses],
        "routes": [list(route) for route in (*have.routes, *card.routes)],
        "dns": [*have.dns, *servers],
        "domains": [*have.domains, *domains],
    }


def _list(card: NetworkCard) -> str:
    return ", ".join(card.addresses) or "none"


def addressing(row: VSwitchRow) -> Addressing | None:
    """What a vSwitch's bridge itself answers to."""
    found = row.get("addressing")
    if not found:
        return None
    routes = tuple((str(route[0]), str(route[1])) for route in found["routes"])
    return Addressing(
        tuple(found["addresses"]), routes, tuple(found["dns"]), tuple(found["domains"])
    )
