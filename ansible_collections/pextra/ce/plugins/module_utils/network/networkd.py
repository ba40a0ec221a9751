# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd-networkd units of our bridges, systemd.netdev(5) and systemd.network(5)."""

from __future__ import annotations

import contextlib
import os
import subprocess

DIRECTORY = "/etc/systemd/network"
_HEAD = "# Written by pextra.ce.vswitch; changes are overwritten.\n"


def runs() -> bool:
    """Whether systemd-networkd manages this host's network."""
    return os.path.isdir("/run/systemd/system") and os.path.isdir("/run/systemd/netif")


def paths(name: str) -> tuple[str, str]:
    """The unit files of a bridge: netdev and network."""
    return f"{DIRECTORY}/20-pextra-{name}.netdev", f"{DIRECTORY}/20-pextra-{name}.network"


def render(name: str, mac: str, mtu: int) -> tuple[str, str]:
    """Their contents."""
    netdev = (
        f"{_HEAD}[NetDev]\nName={name}\nKind=bridge\nMACAddress={mac}\nMTUBytes={mtu}\n"
        "\n[Bridge]\nSTP=no\n"
    )
    network = (
        f"{_HEAD}[Match]\nName={name}\n\n[Link]\nActivationPolicy=always-up\n"
        "RequiredForOnline=no\n\n[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
        "ConfigureWithoutCarrier=yes\n"
    )
    return netdev, network


def matches(name: str, mac: str, mtu: int) -> bool:
    """Whether the unit files are there as rendered."""
    for path, text in zip(paths(name), render(name, mac, mtu), strict=True):
        try:
            with open(path, encoding="utf-8") as file:
                if file.read() != text:
                    return False
        except OSError:
            return False
    return True


def write(name: str, mac: str, mtu: int) -> None:
    """Write the unit files, each whole or not at all, and have networkd read them."""
    os.makedirs(DIRECTORY, exist_ok=True)
    for path, text in zip(paths(name), render(name, mac, mtu), strict=True):
        with open(path + ".new", "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
        os.replace(path + ".new", path)
    reload()


def remove(name: str) -> None:
    """Remove the unit files."""
    found = [path for path in paths(name) if os.path.exists(path)]
    for path in found:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    if found and runs():
        reload()


def reload() -> None:
    """Have networkd read its units again."""
    subprocess.run(["networkctl", "reload"], capture_output=True, check=False)
