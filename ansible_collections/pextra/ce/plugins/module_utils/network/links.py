# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bridges of this host: read from sysfs, written by netlink, kept by systemd-networkd."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import subprocess
from dataclasses import dataclass
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils.errors import HostError
from ansible_collections.pextra.ce.plugins.module_utils.network import networkd

SYSFS = "/sys/class/net"


@dataclass(frozen=True, slots=True)
class BridgeState:
    """A bridge: name, MAC address, MTU in bytes, administratively up."""

    name: str
    mac: str
    mtu: int
    up: bool


class Links:
    """The network interfaces of this host."""

    def bridge(self, name: str) -> BridgeState | None:
        """The interface of this name; None where there is none.

        An interface that is no bridge has an empty ``mac``, which no vSwitch has.
        """
        base = f"{SYSFS}/{name}"
        if not os.path.isdir(base):
            return None
        mac = _read(f"{base}/address") if os.path.isdir(f"{base}/bridge") else ""
        up = bool(int(_read(f"{base}/flags") or "0", 16) & 1)
        return BridgeState(name, mac, int(_read(f"{base}/mtu") or 0), up)

    def units_match(self, bridge: BridgeState) -> bool:
        """Whether systemd-networkd's units keep the bridge; true where it does not run."""
        return not networkd.runs() or networkd.matches(bridge.name, bridge.mac, bridge.mtu)

    def units_gone(self, bridge: BridgeState) -> bool:
        """Whether no unit of ours is left for the bridge."""
        return not any(os.path.exists(path) for path in networkd.paths(bridge.name))

    def make_bridge(self, bridge: BridgeState) -> None:
        """Create or correct a bridge, and keep it over a reboot.

        Raises:
            HostError: The kernel refused.
        """
        if networkd.runs():
            networkd.write(bridge.name, bridge.mac, bridge.mtu)
        with self._netlink(f"making bridge {bridge.name}") as ip:
            try:
                ip.link("add", ifname=bridge.name, kind="bridge", address=bridge.mac)
            except Exception as error:
                if getattr(error, "code", None) != errno.EEXIST:
                    raise
            index = ip.link_lookup(ifname=bridge.name)[0]
            _no_ipv6(bridge.name)
            ip.link("set", index=index, mtu=bridge.mtu)
            ip.link("set", index=index, state="up")

    def remove_bridge(self, bridge: BridgeState) -> None:
        """Remove a bridge and its units.

        Raises:
            HostError: The kernel refused.
        """
        networkd.remove(bridge.name)
        with self._netlink(f"removing bridge {bridge.name}") as ip:
            for index in ip.link_lookup(ifname=bridge.name):
                ip.link("del", index=index)

    @contextlib.contextmanager
    def _netlink(self, doing: str) -> Any:
        from pyroute2 import IPRoute
        from pyroute2.netlink.exceptions import NetlinkError

        try:
            with IPRoute() as ip:
                yield ip
        except NetlinkError as error:
            text = os.strerror(error.code) if error.code else str(error)
            raise HostError(f"{doing} failed: {text}") from None

    @functools.cached_property
    def vlan_filtering(self) -> bool:
        """Whether the kernel's bridges filter VLANs: tried in a network namespace of its own."""
        argv = ["unshare", "--net", "ip", "link", "add", "name", "probe0", "type", "bridge"]
        try:
            done = subprocess.run([*argv, "vlan_filtering", "1"], capture_output=True, check=False)
        except FileNotFoundError:
            return False
        return done.returncode == 0

    def close(self) -> None:
        """Nothing is kept open."""


def _no_ipv6(name: str) -> None:
    """The bridge itself takes no IPv6 address; its ports' traffic is not touched."""
    with (
        contextlib.suppress(OSError),
        open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w", encoding="ascii") as file,
    ):
        file.write("1")


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
