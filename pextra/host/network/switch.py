# SPDX-License-Identifier: Apache-2.0
"""A vSwitch as the kernel has it: a bridge, and its uplinks. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pextra.host.network.snapshot import Bond, Link, Ranges, Snapshot

ALIAS = "pextra-ce uplink"
"""The remark on interfaces that we made ports of a vSwitch."""


@dataclass(frozen=True, slots=True)
class Addressing:
    """What a vSwitch's bridge itself answers to: the addresses that management moved there.

    Attributes:
        addresses: With their prefix length, in order.
        routes: Destination and gateway; ``default`` is the default route.
        dns: Name servers.
        domains: Search domains.
    """

    addresses: tuple[str, ...] = ()
    routes: tuple[tuple[str, str], ...] = ()
    dns: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()

    @property
    def ipv6(self) -> bool:
        """Whether any address is one of IPv6."""
        return any(":" in address for address in self.addresses)


@dataclass(frozen=True, slots=True)
class Held:
    """Addresses and routes that an uplink has, and the bridge is to have."""

    name: str
    addresses: tuple[str, ...]
    routes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BridgeState:
    """A bridge with its uplinks, as it is or as it should be.

    Attributes:
        mac: Marks the bridge as ours; empty where the interface is no bridge.
        mtu: Bytes.
        up: Administratively up.
        vlan_filtering: VLANs are kept apart.
        ipv6: The bridge itself takes part in IPv6.
        uplinks: Names of the interfaces that lead out, sorted.
        bond: How several uplinks share the traffic; None with fewer.
        vlans: What passes the uplinks with a tag.
        leftover: Interfaces that an interrupted run left in the way.
        uniform: Uplinks are up, with the bridge's MTU.
        uneven: Ports of virtual machines whose MTU is not the one that the bridge is to have.
        addressing: Of the bridge itself.
        held: What of that uplinks still have.
    """

    name: str
    mac: str
    mtu: int
    up: bool
    stp: bool = False
    vlan_filtering: bool = False
    ipv6: bool = False
    uplinks: tuple[str, ...] = ()
    bond: Bond | None = None
    vlans: Ranges = ()
    leftover: tuple[str, ...] = ()
    uniform: bool = True
    uneven: tuple[str, ...] = ()
    addressing: Addressing | None = None
    held: tuple[Held, ...] = ()

    @property
    def bond_name(self) -> str:
        """The name of the bond of several uplinks."""
        return bond_name_of(self.name)

    @property
    def uplink_port(self) -> str | None:
        """The bridge port that leads out: the bond, or the only uplink."""
        if self.bond is not None:
            return self.bond_name
        return self.uplinks[0] if self.uplinks else None


def bond_name_of(name: str) -> str:
    """The name of a vSwitch's bond, within the kernel's 15 characters."""
    return name.replace("svswitch", "svbond")


def bond_mac(mac: str) -> str:
    """The address of a vSwitch's bond, which marks it as ours: the bridge's, elsewhere."""
    return f"52:54:01{mac[8:]}"


def is_uplink_kind(link: Link) -> bool:
    """Whether an interface can lead out, rather than be a bridge or an instance's port."""
    return link.kind not in ("bridge", "tun") and link.name != "lo"


def observe(
    snapshot: Snapshot,
    want: BridgeState,
    addressing: Addressing | None,
    ipv6: bool,
    held: tuple[Held, ...] = (),
) -> BridgeState | None:
    """The bridge of a vSwitch as it is; None where there is no interface of its name.

    Of one with another MAC address, which is not ours, only the address is told. A port leads
    out if it is wanted for that, is a network card, or has our remark; others are instances'.

    Args:
        snapshot: Of this machine.
        want: The vSwitch as it should be.
        addressing: What the bridge itself answers to.
        ipv6: Whether the bridge itself takes part in IPv6.
        held: What of the wanted addressing uplinks have.
    """
    name, mac = want.name, want.mac
    bridge = snapshot.links.get(name)
    if bridge is None:
        return None
    if bridge.kind != "bridge":
        return BridgeState(name, "", bridge.mtu, bridge.up)
    if bridge.mac != mac:
        return BridgeState(name, bridge.mac, bridge.mtu, bridge.up)
    bond_name = bond_name_of(name)
    made = snapshot.links.get(bond_name)
    ours = made is not None and (made.mac == bond_mac(mac) or made.master == name)
    direct = [
        link
        for link in snapshot.members(name)
        if link.name != bond_name
        and (link.name in want.uplinks or link.alias == ALIAS or not link.kind)
    ]
    if made is not None and ours and made.master == name:
        bond, members, leftover = made.bond, snapshot.members(bond_name), direct
        complete = made.up and made.mtu == bridge.mtu
    else:
        bond, members, complete = None, direct, True
        leftover = [made] if made is not None and ours else []
    names = tuple(sorted(link.name for link in members))
    port = bond_name if bond is not None else (names[0] if len(names) == 1 else None)
    vlans = snapshot.vlans.get(port) if port is not None else None
    taps = (link for link in snapshot.members(name) if link.kind == "tun")
    return BridgeState(
        name, mac, bridge.mtu, bridge.up,
        stp=bridge.stp,
        vlan_filtering=bridge.vlan_filtering,
        ipv6=ipv6,
        uplinks=names,
        bond=bond,
        vlans=vlans.tagged if vlans is not None else (),
        leftover=tuple(link.name for link in leftover),
        uniform=complete and all(link.up and link.mtu == bridge.mtu for link in members),
        uneven=tuple(sorted(link.name for link in taps if link.mtu != want.mtu)),
        addressing=addressing,
        held=held,
    )  # fmt: skip
