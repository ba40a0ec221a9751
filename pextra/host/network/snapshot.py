# SPDX-License-Identifier: Apache-2.0
"""The network interfaces of a machine at one moment, as values. Pure but for ``take``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Ranges = tuple[tuple[int, int], ...]
"""VLAN ids as ranges with both ends, in order, that neither overlap nor touch."""


@dataclass(frozen=True, slots=True)
class Bond:
    """How a bond shares its links: mode, link monitoring in milliseconds, preferred link."""

    mode: str = "active-backup"
    miimon: int = 100
    primary: str | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """Flags of a bridge port, bridge(8)."""

    isolated: bool = False
    locked: bool = False
    learning: bool = True
    flood: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface.

    Attributes:
        kind: The kernel's name of a virtual interface's kind; empty for a network card.
        alias: A remark that goes with the interface.
        carrier: A cable, or what stands for one, is plugged in at both ends.
        master: The bridge or bond that it belongs to.
        stp: Of a bridge.
        vlan_filtering: Of a bridge.
        active: Of a bond: the link that carries the traffic.
    """

    name: str
    mac: str = ""
    mtu: int = 1500
    max_mtu: int = 65535
    up: bool = False
    carrier: bool = False
    kind: str = ""
    alias: str = ""
    master: str | None = None
    stp: bool = False
    vlan_filtering: bool = False
    bond: Bond | None = None
    active: str | None = None
    port: Port | None = None


@dataclass(frozen=True, slots=True)
class PortVlans:
    """VLANs of a bridge port: the one of untagged frames, and those that pass with a tag."""

    untagged: int | None = None
    tagged: Ranges = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Interfaces by name, and VLANs by the name of the bridge port."""

    links: Mapping[str, Link] = field(default_factory=dict)
    vlans: Mapping[str, PortVlans] = field(default_factory=dict)

    def members(self, master: str) -> list[Link]:
        """The ports of a bridge, or the links of a bond."""
        return [link for link in self.links.values() if link.master == master]


def take() -> Snapshot:
    """Read all interfaces and all VLANs of bridge ports: two calls.

    Raises:
        HostError: iproute2 failed.
    """
    from pextra.host.network import iproute

    return parse(
        iproute.read("ip", "-json", "-details", "link", "show"),
        iproute.read("bridge", "-json", "-compressvlans", "vlan", "show"),
    )


def parse(links: Iterable[Mapping[str, Any]], vlans: Iterable[Mapping[str, Any]]) -> Snapshot:
    """A snapshot of what ``ip link`` and ``bridge vlan`` print as JSON."""
    found = (_link(item) for item in links if item)
    return Snapshot(
        {link.name: link for link in found},
        {item["ifname"]: _vlans(item["vlans"]) for item in vlans if item},
    )


def _link(item: Mapping[str, Any]) -> Link:
    info = item.get("linkinfo", {})
    kind, data = info.get("info_kind", ""), info.get("info_data", {})
    port = info.get("info_slave_data", {}) if info.get("info_slave_kind") == "bridge" else None
    flags = item.get("flags", ())
    return Link(
        name=item["ifname"],
        mac=item.get("address", ""),
        mtu=item.get("mtu", 0),
        max_mtu=item.get("max_mtu") or 65535,
        up="UP" in flags,
        carrier="LOWER_UP" in flags,
        kind=kind,
        alias=item.get("ifalias", ""),
        master=item.get("master"),
        stp=bool(data.get("stp_state", 0)) if kind == "bridge" else False,
        vlan_filtering=bool(data.get("vlan_filtering", 0)) if kind == "bridge" else False,
        bond=_bond(data) if kind == "bond" else None,
        active=data.get("active_slave") if kind == "bond" else None,
        port=_port(port) if port is not None else None,
    )


def _bond(data: Mapping[str, Any]) -> Bond:
    return Bond(data.get("mode", ""), data.get("miimon", 0), data.get("primary"))


def _port(data: Mapping[str, Any]) -> Port:
    return Port(
        isolated=data.get("isolated", False),
        locked=data.get("locked", False),
        learning=data.get("learning", True),
        flood=data.get("flood", True),
    )


def _vlans(items: Iterable[Mapping[str, Any]]) -> PortVlans:
    untagged, tagged = None, set[int]()
    for item in items:
        first = item["vlan"]
        if "PVID" in item.get("flags", ()):
            untagged = first
        if "Egress Untagged" not in item.get("flags", ()):
            tagged |= set(range(first, item.get("vlanEnd", first) + 1))
    return PortVlans(untagged, ranges(tagged))


def ranges(ids: Iterable[int]) -> Ranges:
    """VLAN ids as ranges."""
    found: list[tuple[int, int]] = []
    for id in sorted(set(ids)):
        if found and id == found[-1][1] + 1:
            found[-1] = found[-1][0], id
        else:
            found.append((id, id))
    return tuple(found)


def members_of(spans: Ranges) -> frozenset[int]:
    """Every VLAN id in ranges."""
    return frozenset(id for first, last in spans for id in range(first, last + 1))


def span_text(span: tuple[int, int]) -> str:
    """A range as iproute2 and systemd-networkd write it."""
    return str(span[0]) if span[0] == span[1] else f"{span[0]}-{span[1]}"
