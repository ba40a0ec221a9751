#!/usr/bin/python3 -I
"""Boots a node on the machine's own kernel: a container of systemd-nspawn, again when it reboots.

Usage: container.py FOLDER BASE GROUP [NIC,PEER,MAC,BRIDGE]... -- [OPTIONS OF systemd-nspawn]

It runs in the lab's network namespace, and in a mount namespace of its own, which ends with it.
FOLDER has `files`, which what the node writes goes to, over BASE (an image of ext4). GROUP is the
name of its control groups. NICs are made anew when the node boots, so that nothing that it
configured outlives that.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

MOUNTS = Path("/proc/mounts")
REBOOT = 133
"""What systemd-nspawn exits with when the node reboots (systemd-nspawn(1))."""
PATIENCE = 10.0
"""Seconds for control groups to be empty after their processes have ended."""


def hierarchies() -> list[Path]:
    """Where control groups are: one place, or one a controller."""
    lines = [line.split() for line in MOUNTS.read_text().splitlines()]
    return [Path(words[1]) for words in lines if words[2] in {"cgroup", "cgroup2"}]


def join(name: str) -> None:
    """Move this process to control groups of the node's own: nodes would take each other's."""
    for top in hierarchies():
        group = top / name
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):  # version 1 starts with none
            if (group / setting).exists():
                (group / setting).write_text((top / setting).read_text())
        (group / "cgroup.procs").write_text(str(os.getpid()))


def forget(pattern: str) -> None:
    """Remove the control groups of nodes that have ended."""
    for top in hierarchies():
        for group in top.glob(pattern):
            inside = [path for path in group.rglob("*") if path.is_dir()]
            for path in sorted([group, *inside], reverse=True):
                _remove(path)


def _remove(group: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            group.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def main() -> int:
    """Mount the root file system, and boot it until it is switched off."""
    between = sys.argv.index("--")
    folder, base, group, *cards = sys.argv[1:between]
    join(group)
    places = {name: f"{folder}/{name}" for name in ("base", "files", "work", "root")}
    for place in places.values():
        os.makedirs(place, exist_ok=True)
    layers = f"lowerdir={places['base']},upperdir={places['files']},workdir={places['work']}"
    _run("mount", "-o", "loop,ro,noload", base, places["base"])
    _run("mount", "-t", "overlay", "-o", layers, "overlay", places["root"])
    argv = [
        "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--settings=no", "--boot",
        "--console=read-only", "--bind=/dev/net/tun", "--capability=CAP_NET_ADMIN,CAP_NET_RAW",
        f"--directory={places['root']}", *sys.argv[between + 1 :],
    ]  # fmt: skip
    while (code := boot(argv, [card.split(",") for card in cards])) == REBOOT:
        pass
    return code


def boot(argv: list[str], cards: list[list[str]]) -> int:
    """Boot once, in a network namespace that is there for as long; the exit code."""
    environment = {
        **os.environ,
        # Version 2 of control groups alone, where the machine has both: libvirt may write there.
        "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
        "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
    }
    with subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE) as holder:
        namespace = f"/proc/{holder.pid}/ns/net"
        while os.readlink(namespace) == os.readlink("/proc/self/ns/net"):
            time.sleep(0.01)
        for nic, peer, mac, bridge in cards:
            # The kernel takes its time to remove those of the last boot.
            subprocess.run(["ip", "link", "del", peer], check=False, capture_output=True)
            _run("ip", "link", "add", peer, "mtu", "9216", "type", "veth",
                 "peer", "name", nic, "address", mac, "netns", str(holder.pid))  # fmt: skip
            _run("ip", "link", "set", peer, "master", bridge, "up")
        return subprocess.run(
            ["nsenter", f"--net={namespace}", *argv], check=False, env=environment
        ).returncode


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True)


if __name__ == "__main__":
    sys.exit(main())
