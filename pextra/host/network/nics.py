# SPDX-License-Identifier: Apache-2.0
"""Network interfaces as a person asks about them: what they are, and what they are used for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pextra.host.process import caller

_PCI = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
_VSWITCH = re.compile(r"svswitch[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class NetworkCard:
    """A network interface.

    Attributes:
        mac: The address that it has.
        permanent_mac: The address that it was made with, where the kernel tells.
        kind: ``physical``, or the kernel's name of a virtual interface's kind.
        link: It is connected.
        speed: Mbit/s.
        duplex: ``full`` or ``half``.
        driver: Of a physical one.
        pci_address: Of a physical one behind PCI, also a virtual function or virtio.
        addresses: With prefix length, without those of the link alone.
        dynamic: An address came by DHCP or router advertisement.
        routes: Through it, but those that addresses bring: destination and gateway.
        master: The bridge or bond that it belongs to.
        vswitch: The vSwitch that it leads out of.
        used_for: Any of ``uplink``, ``management``, ``default_route``, ``addresses``,
            ``bridge_port`` and ``bond_link`` of others; empty where it is free.
    """

    name: str
    mac: str
    permanent_mac: str | None
    kind: str
    up: bool
    link: bool
    speed: int | None
    duplex: str | None
    driver: str | None
    pci_address: str | None
    mtu: int
    max_mtu: int
    addresses: tuple[str, ...]
    dynamic: bool
    routes: tuple[tuple[str, str], ...]
    master: str | None
    vswitch: str | None
    used_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hardware:
    """What /sys tells of an interface; see NetworkCard."""

    speed: int | None = None
    duplex: str | None = None
    driver: str | None = None
    pci_address: str | None = None


def take(
    root: str = "/sys/class/net", hidden: Sequence[str] = ("bridge", "tun")
) -> list[NetworkCard]:
    """All interfaces but the loopback and, unless asked for, bridges and instances' taps.

    Raises:
        HostError: iproute2 failed.
    """
    from pextra.host.network import iproute

    links = iproute.read("ip", "-json", "-details", "address", "show")
    routes = [
        *iproute.read("ip", "-json", "-4", "route", "show"),
        *iproute.read("ip", "-json", "-6", "route", "show"),
    ]
    names = [item["ifname"] for item in links if item]
    known = {name: hardware(f"{root}/{name}") for name in names}
    return parse(links, routes, known, connection(), hidden)


def parse(
    links: Iterable[Mapping[str, Any]],
    routes: Iterable[Mapping[str, Any]],
    hardware_of: Mapping[str, Hardware],
    management: str | None,
    hidden: Sequence[str] = ("bridge", "tun"),
) -> list[NetworkCard]:
    """Interfaces of what ``ip`` prints as JSON. Pure."""
    found = {item["ifname"]: item for item in links if item}
    masters = {name: item.get("master") for name, item in found.items()}
    through: dict[str, list[tuple[str, str]]] = {}
    for route in routes:
        if route.get("protocol") != "kernel" and route.get("dev") and route["dst"] != "ff00::/8":
            gateway = route.get("gateway") or ""
            through.setdefault(route["dev"], []).append((route["dst"], gateway))
    cards = [
        _card(item, tuple(through.get(name, ())), masters, hardware_of.get(name), management)
        for name, item in found.items()
        if name != "lo" and item.get("linkinfo", {}).get("info_kind") not in hidden
    ]
    return sorted(cards, key=lambda card: card.name)


def _card(
    item: Mapping[str, Any],
    routes: tuple[tuple[str, str], ...],
    masters: Mapping[str, str | None],
    known: Hardware | None,
    management: str | None,
) -> NetworkCard:
    info, device = item.get("linkinfo", {}), known or Hardware()
    addresses = [entry for entry in item.get("addr_info", ()) if entry.get("scope") != "link"]
    master = item.get("master")
    over = masters.get(master) if master else None
    vswitch = next((x for x in (master, over) if x and _VSWITCH.fullmatch(x)), None)
    used = ["uplink"] if vswitch and "info_data" not in info else []
    if not vswitch and master:
        used.append("bond_link" if info.get("info_slave_kind") == "bond" else "bridge_port")
    if any(entry["local"] == management for entry in addresses):
        used.append("management")
    if any(destination == "default" for destination, gateway in routes):
        used.append("default_route")
    if addresses:
        used.append("addresses")
    flags = item.get("flags", ())
    permanent = info.get("info_slave_data", {}).get("perm_hwaddr") or item.get("permaddr")
    return NetworkCard(
        name=item["ifname"],
        mac=item.get("address", ""),
        permanent_mac=permanent or item.get("address"),
        kind=info.get("info_kind") or "physical",
        up="UP" in flags,
        link="LOWER_UP" in flags,
        speed=device.speed, duplex=device.duplex, driver=device.driver,
        pci_address=device.pci_address,
        mtu=item.get("mtu", 0),
        max_mtu=item.get("max_mtu") or 65535,
        addresses=tuple(f"{entry['local']}/{entry['prefixlen']}" for entry in addresses),
        dynamic=any(entry.get("dynamic") for entry in addresses),
        routes=routes,
        master=master,
        vswitch=vswitch,
        used_for=tuple(used),
    )  # fmt: skip


def hardware(path: str) -> Hardware:
    """What /sys tells of an interface; a speed that is not known is None."""
    speed, device = _text(f"{path}/speed"), os.path.realpath(f"{path}/device")
    known = speed.isdigit() and 0 < int(speed) < 1 << 31
    duplex = _text(f"{path}/duplex")
    driver = f"{path}/device/driver"
    addresses = _PCI.findall(device) if os.path.exists(f"{path}/device") else []
    return Hardware(
        int(speed) if known else None,
        duplex if duplex in ("full", "half") else None,
        os.path.basename(os.path.realpath(driver)) if os.path.exists(driver) else None,
        addresses[-1] if addresses else None,
    )


def connection() -> str | None:
    """The address of this machine by which the controller is connected, where it is by SSH.

    sudo drops the variable, so the environment of the processes above is asked, too.
    """
    process = caller()
    while process > 1:
        try:
            with open(f"/proc/{process}/environ", "rb") as file:
                variables = file.read().split(b"\0")
            with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as stat:
                parent = int(stat.read().rpartition(")")[2].split()[1])
        except OSError:
            return None
        for variable in variables:
            name, _equals, value = variable.partition(b"=")
            if name == b"SSH_CONNECTION" and len(value.split()) == 4:
                return value.split()[2].decode("ascii", "replace")
        process = parent
    return None


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
