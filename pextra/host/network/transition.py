# SPDX-License-Identifier: Apache-2.0
"""From a vSwitch as it is to what it should be, without losing more than a moment of traffic. Pure.

Two uplinks lead to the same network, so at no time are two of them ports of the bridge: that would
be a loop. A new uplink is brought up and waited for before it takes over from the old one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pextra.host.network.snapshot import Bond, members_of, ranges, span_text
from pextra.host.network.switch import ALIAS, Addressing, BridgeState, Held, bond_mac


@dataclass(frozen=True, slots=True)
class Op:
    """One change of the kernel's state.

    Attributes:
        tool: ``ip`` or ``bridge``: a command of theirs. ``carrier``: wait for one of these
            interfaces to be connected. ``ipv6``: 0 or 1 and the interface, for disable_ipv6.
            ``primary``: a bond, and the link that it prefers, or nothing. ``announce``: an
            interface and an address that neighbours are to look for there.
    """

    tool: str
    text: str


def operations(seen: BridgeState | None, want: BridgeState) -> list[Op]:
    """What brings the bridge from ``seen`` to ``want``, in order."""
    found: list[Op] = []
    if seen is None:
        # A kernel whose bridges do not filter VLANs knows no such option.
        filtering = " vlan_filtering 1" if want.vlan_filtering else ""
        made = f"link add name {want.name} address {want.mac} type bridge stp_state 0{filtering}"
        found.append(_ip(made))
        seen = BridgeState(want.name, want.mac, 1500, False, False, want.vlan_filtering, True)
    if seen.stp != want.stp:
        found.append(_ip(f"link set dev {want.name} type bridge stp_state {int(want.stp)}"))
    if seen.vlan_filtering != want.vlan_filtering:
        options = f"vlan_filtering {int(want.vlan_filtering)}"
        found.append(_ip(f"link set dev {want.name} type bridge {options}"))
    if seen.ipv6 != want.ipv6:
        found.append(Op("ipv6", f"{int(not want.ipv6)} {want.name}"))
    if seen.mtu != want.mtu:
        found.append(_ip(f"link set dev {want.name} mtu {want.mtu}"))
    # libvirt gives a tap the bridge's MTU once, when its machine starts.
    found += [_ip(f"link set dev {name} mtu {want.mtu}") for name in seen.uneven]
    if not seen.up:
        found.append(_ip(f"link set dev {want.name} up"))
    found += _addresses_leaving(seen, want)
    found += _uplinks(seen, want)
    found += _addresses_coming(seen, want)
    found += _vlans(seen, want)
    return found


def _ip(text: str) -> Op:
    return Op("ip", text)


def _uplinks(seen: BridgeState, want: BridgeState) -> Iterator[Op]:
    for name in seen.leftover:
        if name == seen.bond_name:
            yield _ip(f"link del dev {name}")
        else:
            yield from _released(name)
    if seen.bond is not None and want.bond is not None:
        yield from _rebond(seen, want, seen.bond, want.bond)
    elif want.bond is not None:
        yield from _to_bond(seen, want, want.bond)
    elif seen.bond is not None:
        yield from _from_bond(seen, want, seen.bond)
    elif seen.uplinks != want.uplinks:
        new = [name for name in want.uplinks if name not in seen.uplinks]
        for name in new:
            yield from _prepared(name, want)
        yield from _awaited(new)
        old = [name for name in seen.uplinks if name not in want.uplinks]
        yield from _swapped(old, new[0] if new else None, want)
    if not seen.uniform or seen.mtu != want.mtu:
        yield from _evened(seen, want)


def _evened(seen: BridgeState, want: BridgeState) -> Iterator[Op]:
    """Uplinks that were there before get the bridge's MTU, and are brought up."""
    for name in want.uplinks:
        if name in seen.uplinks:
            yield _ip(f"link set dev {name} mtu {want.mtu}")
            yield _ip(f"link set dev {name} up")
    if want.bond is not None:
        yield _ip(f"link set dev {want.bond_name} mtu {want.mtu}")
        yield _ip(f"link set dev {want.bond_name} master {want.name}")
        yield _ip(f"link set dev {want.bond_name} up")


def _prepared(name: str, want: BridgeState) -> Iterator[Op]:
    """Bring an interface up that is to become a bridge port; it takes no address itself."""
    yield Op("ipv6", f"1 {name}")
    yield _ip(f'link set dev {name} alias "{ALIAS}"')
    yield _ip(f"link set dev {name} mtu {want.mtu}")
    yield _ip(f"link set dev {name} up")


def _awaited(names: list[str]) -> Iterator[Op]:
    if names:
        yield Op("carrier", " ".join(names))


def _swapped(old: list[str], new: str | None, want: BridgeState) -> Iterator[Op]:
    """One port leads out instead of others, from one command to the next."""
    for name in old:
        yield _ip(f"link set dev {name} nomaster")
    if new is not None:
        yield _ip(f"link set dev {new} master {want.name}")
        for span in want.vlans:
            yield Op("bridge", f"vlan add dev {new} vid {span_text(span)}")
    for name in old:
        yield from _cleared(name)


def _released(name: str) -> Iterator[Op]:
    yield _ip(f"link set dev {name} nomaster")
    yield from _cleared(name)


def _cleared(name: str) -> Iterator[Op]:
    yield _ip(f'link set dev {name} alias ""')
    yield Op("ipv6", f"0 {name}")


def _enslaved(name: str, want: BridgeState) -> Iterator[Op]:
    """Make an interface a link of the bond; the kernel wants it down for that."""
    yield Op("ipv6", f"1 {name}")
    yield _ip(f'link set dev {name} alias "{ALIAS}"')
    yield _ip(f"link set dev {name} down")
    yield _ip(f"link set dev {name} master {want.bond_name}")
    yield _ip(f"link set dev {name} up")


def _made_bond(want: BridgeState, bond: Bond) -> Iterator[Op]:
    name = want.bond_name
    options = f"mode {bond.mode} miimon {bond.miimon}"
    yield _ip(f"link add name {name} address {bond_mac(want.mac)} type bond {options}")
    yield Op("ipv6", f"1 {name}")
    yield _ip(f"link set dev {name} mtu {want.mtu}")


def _to_bond(seen: BridgeState, want: BridgeState, bond: Bond) -> Iterator[Op]:
    """Several uplinks where there was one or none: the new ones carry the traffic first."""
    name = want.bond_name
    yield from _made_bond(want, bond)
    new = [item for item in want.uplinks if item not in seen.uplinks]
    for item in new:
        yield from _enslaved(item, want)
    yield _ip(f"link set dev {name} up")
    yield from _awaited(new)
    yield from _swapped(list(seen.uplinks), name, want)
    for item in want.uplinks:
        if item in seen.uplinks:
            yield from _enslaved(item, want)
    yield from _preferred(want, bond)


def _preferred(want: BridgeState, bond: Bond) -> Iterator[Op]:
    if bond.mode == "active-backup":
        yield Op("primary", f"{want.bond_name} {bond.primary or ''}")


def _from_bond(seen: BridgeState, want: BridgeState, bond: Bond) -> Iterator[Op]:
    """One uplink or none where there were several: the others carry the traffic meanwhile."""
    leaving = [name for name in seen.uplinks if name not in want.uplinks]
    for name in want.uplinks:
        if name in seen.uplinks:
            if bond.mode == "active-backup" and leaving:
                yield Op("primary", f"{seen.bond_name} ")
                options = f"active_slave {leaving[0]}"
                yield _ip(f"link set dev {seen.bond_name} type bond {options}")
            yield _ip(f"link set dev {name} nomaster")
        yield from _prepared(name, want)
    yield from _awaited(list(want.uplinks))
    # At once: a bond that has lost its last link has lost the address that marks it as ours, too.
    yield _ip(f"link del dev {seen.bond_name}")
    yield from _swapped([], want.uplinks[0] if want.uplinks else None, want)
    for name in leaving:
        yield from _cleared(name)


def _rebond(seen: BridgeState, want: BridgeState, old: Bond, bond: Bond) -> Iterator[Op]:
    """Another set of links in the bond, or another way to share the traffic.

    A bond's mode changes only while it has no links: that interrupts the traffic. With its last
    link it loses its address.
    """
    name = want.bond_name
    if old.mode != bond.mode or not seen.uplinks:
        for item in seen.uplinks:
            yield from _released(item)
        yield _ip(f"link set dev {name} down")
        yield _ip(f"link set dev {name} address {bond_mac(want.mac)}")
        yield _ip(f"link set dev {name} type bond mode {bond.mode} miimon {bond.miimon}")
        for item in want.uplinks:
            yield from _enslaved(item, want)
        yield _ip(f"link set dev {name} up")
        yield from _preferred(want, bond)
        return
    if old.miimon != bond.miimon:
        yield _ip(f"link set dev {name} type bond miimon {bond.miimon}")
    new = [item for item in want.uplinks if item not in seen.uplinks]
    for item in new:
        yield from _enslaved(item, want)
    leaving = [item for item in seen.uplinks if item not in want.uplinks]
    if leaving:
        yield from _awaited(new)
    if old.primary != bond.primary or (new and bond.primary):
        yield from _preferred(want, bond)
    for item in leaving:
        yield from _released(item)


def _vlans(seen: BridgeState, want: BridgeState) -> Iterator[Op]:
    """The VLANs that pass the port that leads out, where that was it before."""
    port = want.uplink_port
    if port is None or port != seen.uplink_port:
        return
    gone, new = (
        ranges(members_of(some) - members_of(others))
        for some, others in ((seen.vlans, want.vlans), (want.vlans, seen.vlans))
    )
    for span in gone:
        yield Op("bridge", f"vlan del dev {port} vid {span_text(span)}")
    for span in new:
        yield Op("bridge", f"vlan add dev {port} vid {span_text(span)}")


def _addresses_leaving(seen: BridgeState, want: BridgeState) -> Iterator[Op]:
    """What goes back to an uplink leaves the bridge first: two interfaces would answer to it."""
    old = seen.addressing or Addressing()
    new = want.addressing or Addressing()
    for address in old.addresses:
        if address not in new.addresses:
            yield _ip(f"address del {address} dev {want.name}")


def _addresses_coming(seen: BridgeState, want: BridgeState) -> Iterator[Op]:
    old = seen.addressing or Addressing()
    new = want.addressing or Addressing()
    for held in seen.held:
        if held not in want.held:
            for address in held.addresses:
                yield _ip(f"address del {address} dev {held.name}")
    addresses = tuple(item for item in new.addresses if item not in old.addresses)
    # Routes go with the address that they need.
    routes = new.routes if addresses else tuple(x for x in new.routes if x not in old.routes)
    yield from _given(want.name, addresses, routes)
    for held in want.held:
        if held not in seen.held:
            yield _ip(f"link set dev {held.name} up")
            yield from _given(held.name, held.addresses, held.routes)


def _given(
    name: str, addresses: tuple[str, ...], routes: tuple[tuple[str, str], ...]
) -> Iterator[Op]:
    for address in addresses:
        yield _ip(f"address replace {address} dev {name}")
    for destination, gateway in routes:
        family = "-6 " if ":" in destination + gateway else ""
        via = f" via {gateway}" if gateway else ""
        yield _ip(f"{family}route replace {destination}{via} dev {name}")
    for address in addresses:
        if ":" not in address:
            yield Op("announce", f"{name} {address.partition('/')[0]}")


def removal(seen: BridgeState | None, was: BridgeState) -> list[Op]:
    """What removes the bridge, and leaves its uplinks as plain interfaces.

    Args:
        seen: As it is; None where it is gone.
        was: As it was in use: it tells the uplinks, and what goes back to the first of them.
    """
    back = was.addressing
    held = (Held(was.uplinks[0], back.addresses, back.routes),) if back and was.uplinks else ()
    bare = replace(
        was, uplinks=(), bond=None, vlans=(), leftover=(), uniform=True, uneven=(), addressing=None,
        held=held,
    )  # fmt: skip
    found: list[Op] = []
    for name in was.uplinks:
        if seen is None or name not in seen.uplinks:
            found += _cleared(name)
    # Given also where it is there, since neighbours are to hear of it.
    found += operations(replace(seen or bare, held=(), uneven=()), bare)
    if seen is not None:
        found.append(_ip(f"link del dev {seen.name}"))
    return found


def undoing(made: BridgeState) -> list[Op]:
    """What takes a bridge back that was made where there was none."""
    return removal(made, made)
