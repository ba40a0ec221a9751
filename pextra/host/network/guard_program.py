# SPDX-License-Identifier: Apache-2.0
"""Puts a node's old network configuration back unless somebody confirms the new one.

It runs by itself and imports nothing of ours: ``wait`` beside a change, ``restore`` where the
change failed, ``boot`` when the node starts, ``confirm`` for the controller. Whoever takes the
state file away first decides. A package that is upgraded meanwhile reads the states that the one
before it has written, so that their format may only grow.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypedDict

    class State(TypedDict):
        """What is put back: changes of the kernel, files and interfaces; and when, in seconds."""

        operations: list[tuple[str, str]]
        files: dict[str, str | None]
        interfaces: list[str]
        timeout: int


UNIT = "/etc/systemd/system/pextra-ce-network-guard.service"
WANTED = "/etc/systemd/system/sysinit.target.wants/pextra-ce-network-guard.service"
LOCK = "restoring.lock"
"""Beside the guards: held by the one that puts something back."""
PAUSE = 1.0
"""Seconds that systemd-networkd has to act on units that it has read again."""


def claim(directory: str, outcome: str) -> State | None:
    """The state, for the one who takes it away; None where another one was faster."""
    path = f"{directory}/{outcome}.json"
    try:
        os.rename(f"{directory}/state.json", path)
    except FileNotFoundError:
        return None
    with open(path, encoding="utf-8") as file:
        state: State = json.load(file)
        return state


def wait(directory: str) -> None:
    """Restore at the deadline; end when it is confirmed."""
    with open(f"{directory}/state.json", encoding="utf-8") as file:
        deadline = time.monotonic() + json.load(file)["timeout"]
    while time.monotonic() < deadline:
        if not os.path.exists(f"{directory}/state.json"):
            return
        time.sleep(0.2)
    restore(directory, kernel=True)


def restore(directory: str, *, kernel: bool) -> bool:
    """Put files back, and the kernel's state too where it was changed since it started."""
    with alone(os.path.dirname(directory)):
        state = claim(directory, "restored")
        if state is None:
            return False
        put_back(state, kernel=kernel)
        forget(directory)
    return True


@contextlib.contextmanager
def alone(home: str) -> Iterator[None]:
    """Hold the lock of whoever puts something back; the kernel drops it when its holder dies."""
    descriptor = os.open(f"{home}/{LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def put_back(state: State, *, kernel: bool) -> None:
    """Do what ``restore`` says."""
    for path, text in state["files"].items():
        if text is None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        else:
            with open(f"{path}.new", "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o644)
                file.write(text)
            os.replace(f"{path}.new", path)
    if kernel:
        # First, since systemd-networkd works against what its old units do not say.
        networkctl("reload")
        time.sleep(PAUSE)
        for tool, text in state["operations"]:
            perform(tool, text)
        for name in state["interfaces"]:
            networkctl("reconfigure", name)
        time.sleep(PAUSE)
        for tool, text in state["operations"]:
            if tool == "announce":  # RFC 5227 has it twice, too
                perform(tool, text)


def networkctl(*arguments: str) -> None:
    """Tell systemd-networkd, where there is one."""
    with contextlib.suppress(FileNotFoundError):
        subprocess.run(["networkctl", *arguments], capture_output=True, check=False)


def perform(tool: str, text: str) -> None:
    """Carry one operation out; one that fails does not keep the others back."""
    if tool == "ipv6":
        disabled, name = text.split()
        path = f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6"
        with contextlib.suppress(OSError), open(path, "w", encoding="ascii") as file:
            file.write(disabled)
    elif tool == "primary":  # iproute2 cannot clear it
        name, _space, link = text.partition(" ")
        path = f"/sys/class/net/{name}/bonding/primary"
        with contextlib.suppress(OSError), open(path, "w", encoding="ascii") as file:
            file.write(f"{link}\n")
    elif tool == "announce":
        with contextlib.suppress(OSError):
            announce(*text.split())
    elif tool in ("ip", "bridge"):
        lines = text + "\n"
        argv = [tool, "-force", "-batch", "-"]
        subprocess.run(argv, input=lines, text=True, capture_output=True, check=False)


def announce(name: str, address: str) -> None:
    """Tell neighbours where an IPv4 address is now: a gratuitous ARP request (RFC 5227)."""
    with open(f"/sys/class/net/{name}/address", encoding="ascii") as file:
        mac = bytes.fromhex(file.read().strip().replace(":", ""))
    ip = socket.inet_aton(address)
    head = b"\xff" * 6 + mac + b"\x08\x06"
    body = b"\x00\x01\x08\x00\x06\x04\x00\x01" + mac + ip + b"\x00" * 6 + ip
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
        link.bind((name, 0))
        link.send(head + body)


def boot(home: str) -> None:
    """Restore what nobody confirmed before the node went down, the latest change first."""
    states = glob.glob(f"{home}/*/state.json")
    for path in sorted(states, key=lambda path: os.stat(path).st_mtime_ns, reverse=True):
        restore(os.path.dirname(path), kernel=False)


def confirm(directory: str) -> str:
    """``confirmed``, or ``restored`` where the old configuration is back already."""
    if claim(directory, "confirmed") is not None:
        forget(directory)
        return "confirmed"
    return "confirmed" if os.path.exists(f"{directory}/confirmed.json") else "restored"


def forget(directory: str) -> None:
    """Remove what restores at boot, once nothing is left to restore."""
    if not glob.glob(f"{os.path.dirname(directory)}/*/state.json"):
        for path in (WANTED, UNIT):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def main(argv: list[str]) -> int:
    """Run one of the commands on a guard's directory."""
    if len(argv) != 2:
        return 2
    command, directory = argv[0], os.path.abspath(argv[1])
    if command == "wait":
        wait(directory)
    elif command == "restore":
        restore(directory, kernel=True)
    elif command == "boot":
        boot(directory)
    elif command == "confirm":
        sys.stdout.write(confirm(directory) + "\n")
    else:
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
