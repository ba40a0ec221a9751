# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be an uplink of a vSwitch. Pure: it looks at rows and at how the interfaces are."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import Request
from ansible_collections.pextra.ce.plugins.module_utils.engine.world import World
from ansible_collections.pextra.ce.plugins.module_utils.errors import (
    ConflictError,
    ForeignError,
    InputError,
    NotFoundError,
    UnsupportedError,
)
from ansible_collections.pextra.ce.plugins.module_utils.network.snapshot import Link
from ansible_collections.pextra.ce.plugins.module_utils.network.switch import (
    bond_name_of,
    is_uplink_kind,
)


def check(request: Request, current: Row | None, row: Row, world: World) -> None:
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


def _check_free(link: Link, row: Row, resource: str, world: World) -> None:
    for other in world.by("vswitch", "node_id", row["node_id"]):
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
