"""The management network as units of systemd-networkd. Pure.

Sources: systemd.netdev(5) and systemd.network(5) of systemd 252.
"""

from __future__ import annotations

from collections.abc import Sequence

from pextra_installer.hardware.model import Interface
from pextra_installer.network import BondMode, Method4, Method6, Network

BOND, VLAN = "bond0", "management"
_HEAD = "# Written by pextra-installer from the answers; yours to change.\n"
_PREFIX = "10-management"


def units(network: Network, interfaces: Sequence[Interface]) -> dict[str, str]:
    """File names and contents.

    Args:
        network: The plan's network.
        interfaces: The one interface, or the bond's; they are matched by their own MAC address,
            which a bond does not change.
    """
    made: dict[str, str] = {}
    bonded = network.bond is not None
    tagged = network.vlan is not None
    for interface in interfaces:
        lines = [f"[Match]\nPermanentMACAddress={interface.mac}\nType=ether\n"]
        lines += _link(network.mtu)
        if bonded:
            lines.append(f"[Network]\nBond={BOND}\n")
        elif tagged:
            lines.append(_carrier())
        else:
            lines.append(_addresses(network))
        made[f"{_PREFIX}-{interface.name}.network"] = _HEAD + "\n".join(lines)
    if network.bond is not None:
        made[f"{_PREFIX}-bond.netdev"] = _HEAD + _bond(network.bond.mode, network.mtu)
        below = _carrier() if tagged else _addresses(network)
        match = f"[Match]\nName={BOND}\n"
        made[f"{_PREFIX}-bond.network"] = _HEAD + "\n".join([match, *_link(network.mtu), below])
    if tagged:
        kind = f"[NetDev]\nName={VLAN}\nKind=vlan\n{_mtu(network.mtu)}"
        made[f"{_PREFIX}-vlan.netdev"] = f"{_HEAD}{kind}\n[VLAN]\nId={network.vlan}\n"
        made[f"{_PREFIX}-vlan.network"] = f"{_HEAD}[Match]\nName={VLAN}\n\n{_addresses(network)}"
    return made


def _mtu(mtu: int | None) -> str:
    return f"MTUBytes={mtu}\n" if mtu else ""


def _link(mtu: int | None) -> list[str]:
    return [f"[Link]\n{_mtu(mtu)}"] if mtu else []


def _bond(mode: BondMode, mtu: int | None) -> str:
    more = "LACPTransmitRate=fast\n" if mode is BondMode.LACP else ""
    return (
        f"[NetDev]\nName={BOND}\nKind=bond\n{_mtu(mtu)}"
        f"\n[Bond]\nMode={mode.value}\nMIIMonitorSec=100ms\n{more}"
    )


def _carrier() -> str:
    """What only carries the VLAN has no address of its own."""
    return f"[Network]\nVLAN={VLAN}\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"


def _addresses(network: Network) -> str:
    four, six, dns = network.ipv4, network.ipv6, network.dns
    lines = ["[Network]", f"DHCP={'ipv4' if four.method is Method4.DHCP else 'no'}"]
    if six.method is Method6.NONE:
        lines += ["LinkLocalAddressing=no", "IPv6AcceptRA=no"]
    else:
        accept = "yes" if six.method is Method6.AUTO else "no"
        lines += ["LinkLocalAddressing=ipv6", f"IPv6AcceptRA={accept}"]
    for family in (four, six):
        lines += [f"Address={family.address}"] if family.address else []
        lines += [f"Gateway={family.gateway}"] if family.gateway else []
    lines += [f"DNS={server}" for server in dns.servers]
    lines += [f"Domains={' '.join(dns.search)}"] if dns.search else []
    text = "\n".join(lines) + "\n"
    if four.method is Method4.DHCP:
        # The same client, and so the same address, as on the live system.
        text += "\n[DHCPv4]\nClientIdentifier=mac\nUseDomains=yes\n"
    return text
