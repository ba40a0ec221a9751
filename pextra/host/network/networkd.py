# SPDX-License-Identifier: Apache-2.0
"""What keeps our bridges over a reboot: systemd.netdev(5), systemd.network(5) and sysctl.d(5).

The units' names sort before those of others, so that they decide about uplinks. systemd-networkd
has no setting that leaves an interface without IPv6: udev applies the one of sysctl.d when the
interface appears.
"""

from __future__ import annotations

import contextlib
import glob
import os
import subprocess
from collections.abc import Mapping

from pextra.host.network.snapshot import Bond, span_text
from pextra.host.network.switch import BridgeState, bond_mac, bond_name_of

BUSY = ("pending", "initialized", "configuring")
"""States of a link that systemd-networkd is not done with (networkctl(1), SETUP)."""
DIRECTORY = "/etc/systemd/network"
SYSCTL_DIRECTORY = "/etc/sysctl.d"
PREFIX = "00-pextra-"
_HEAD = "# Written by pextra.ce.vswitch; changes are overwritten.\n"
_PORT = "LinkLocalAddressing=no\nIPv6AcceptRA=no\nLLDP=no\nConfigureWithoutCarrier=yes\n"


def runs() -> bool:
    """Whether systemd-networkd manages this host's network."""
    return os.path.isdir("/run/systemd/system") and os.path.isdir("/run/systemd/netif")


def render(bridge: BridgeState) -> dict[str, str]:
    """The unit files of a vSwitch: path to content."""
    files = {
        f"{bridge.name}.netdev": (
            f"[NetDev]\nName={bridge.name}\nKind=bridge\nMACAddress={bridge.mac}\n"
            f"MTUBytes={bridge.mtu}\n\n[Bridge]\nSTP=no\n"
            # A kernel that cannot filter refuses even "no", and with it all other settings.
            + ("VLANFiltering=yes\n" if bridge.vlan_filtering else "")
        ),
        f"{bridge.name}.network": _bridge_network(bridge),
    }
    if bridge.bond is not None:
        files[f"{bridge.bond_name}.netdev"] = _bond_netdev(bridge, bridge.bond)
        files[f"{bridge.bond_name}.network"] = _port_network(bridge, bridge.bond_name)
    for name in bridge.uplinks:
        if bridge.bond is None:
            files[f"{bridge.name}-{name}.network"] = _port_network(bridge, name)
        else:
            primary = "PrimarySlave=yes\n" if bridge.bond.primary == name else ""
            files[f"{bridge.name}-{name}.network"] = (
                f"{_match(bridge, name)}\n[Network]\nBond={bridge.bond_name}\n{primary}{_PORT}"
            )
    found = {f"{DIRECTORY}/{PREFIX}{name}": _HEAD + text for name, text in files.items()}
    silent = [*([] if bridge.ipv6 else [bridge.name]), *bridge.uplinks]
    silent += [bridge.bond_name] if bridge.bond is not None else []
    if silent:
        lines = (f"net/ipv6/conf/{name}/disable_ipv6 = 1\n" for name in silent)
        found[_sysctl(bridge.name)] = _HEAD + "".join(lines)
    return found


def _sysctl(name: str) -> str:
    return f"{SYSCTL_DIRECTORY}/60-pextra-{name}.conf"


def _match(bridge: BridgeState, name: str) -> str:
    """What an uplink or a bond is; brought up once, since it has to be down to join a bond."""
    return f"[Match]\nName={name}\n\n[Link]\nMTUBytes={bridge.mtu}\nRequiredForOnline=no\n"


def _bridge_network(bridge: BridgeState) -> str:
    text = (
        f"[Match]\nName={bridge.name}\n\n[Link]\nActivationPolicy=always-up\n"
        "RequiredForOnline=no\n\n[Network]\nConfigureWithoutCarrier=yes\n"
    )
    local = "ipv6" if bridge.ipv6 else "no"
    text += f"LinkLocalAddressing={local}\nIPv6AcceptRA=no\n"
    if bridge.addressing is None:
        return text
    lines = [f"Address={address}" for address in bridge.addressing.addresses]
    lines += [f"DNS={server}" for server in bridge.addressing.dns]
    if bridge.addressing.domains:
        lines.append(f"Domains={' '.join(bridge.addressing.domains)}")
    for destination, gateway in bridge.addressing.routes:
        lines += ["", "[Route]"]
        lines += [f"Gateway={gateway}"] if gateway else []
        lines += [f"Destination={destination}"] if destination != "default" else []
    return text + "\n".join(lines) + "\n"


def _bond_netdev(bridge: BridgeState, bond: Bond) -> str:
    return (
        f"[NetDev]\nName={bridge.bond_name}\nKind=bond\nMACAddress={bond_mac(bridge.mac)}\n"
        f"MTUBytes={bridge.mtu}\n\n[Bond]\nMode={bond.mode}\nMIIMonitorSec={bond.miimon}ms\n"
    )


def _port_network(bridge: BridgeState, name: str) -> str:
    text = f"{_match(bridge, name)}\n[Network]\nBridge={bridge.name}\n{_PORT}"
    if bridge.vlan_filtering:
        text += "\n[BridgeVLAN]\nPVID=1\nEgressUntagged=1\n"
        text += "".join(f"\n[BridgeVLAN]\nVLAN={span_text(span)}\n" for span in bridge.vlans)
    return text


def _found(name: str) -> set[str]:
    """Paths of the files that a vSwitch has."""
    bond = bond_name_of(name)
    units = (f"{name}.*", f"{name}-*.network", f"{bond}.*")
    patterns = (*(f"{DIRECTORY}/{PREFIX}{unit}" for unit in units), _sysctl(name))
    return {path for pattern in patterns for path in glob.glob(pattern)}


def matches(bridge: BridgeState) -> bool:
    """Whether the unit files are there as rendered, and no others of this vSwitch."""
    wanted = render(bridge)
    return _found(bridge.name) == set(wanted) and _read(wanted) == wanted


def gone(name: str) -> bool:
    """Whether a vSwitch has no unit file."""
    return not _found(name)


def current(name: str) -> dict[str, str]:
    """The unit files that a vSwitch has: path to content."""
    return _read(dict.fromkeys(_found(name), ""))


def _read(paths: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for path in paths:
        with contextlib.suppress(OSError), open(path, encoding="utf-8") as file:
            found[path] = file.read()
    return found


def write(bridge: BridgeState) -> None:
    """Write the unit files, each whole or not at all, and have networkd read them."""
    for directory in (DIRECTORY, SYSCTL_DIRECTORY):
        os.makedirs(directory, exist_ok=True)
    wanted = render(bridge)
    for path in _found(bridge.name) - set(wanted):
        os.unlink(path)
    for path, text in wanted.items():
        with open(path + ".new", "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
        os.replace(path + ".new", path)
    reload()


def remove(name: str) -> None:
    """Remove the unit files of a vSwitch, so that others' decide about its uplinks again."""
    for path in _found(name):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    if runs():
        reload()


def reload() -> None:
    """Have networkd read its units again."""
    subprocess.run(["networkctl", "reload"], capture_output=True, check=False)


def name_servers(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name servers and search domains that networkd has for an interface (its state file)."""
    found = _state(name)
    return tuple(found.get("DNS", "").split()), tuple(found.get("DOMAINS", "").split())


def state(name: str) -> str:
    """How far networkd is with an interface, such as ``configured``; empty where it has none."""
    return _state(name).get("ADMIN_STATE", "")


def _state(name: str) -> dict[str, str]:
    """networkd's state file of an interface."""
    try:
        with open(f"/sys/class/net/{name}/ifindex", encoding="ascii") as file:
            index = int(file.read())
        with open(f"/run/systemd/netif/links/{index}", encoding="utf-8") as file:
            pairs = (line.strip().partition("=") for line in file)
            return {key: value for key, _equals, value in pairs}
    except (OSError, ValueError):
        return {}
