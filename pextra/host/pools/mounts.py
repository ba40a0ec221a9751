# SPDX-License-Identifier: Apache-2.0
"""What is mounted where, and whether it answers, without ever hanging on a server that is gone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PATIENCE = 10.0
"""Seconds for a file system to answer."""
_TABLE = "/proc/self/mountinfo"
_WANTED = "/etc/fstab"
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "fuse.sshfs", "fuse.glusterfs"})
_PROBE = """
import os, sys, threading

def ask(path):
    try:
        os.statvfs(path)
        os.stat(path + "/.")
        line = path + "\\0"
    except OSError as error:
        line = path + "\\0" + (error.strerror or str(error))
    os.write(1, line.encode() + b"\\n")

threads = [threading.Thread(target=ask, args=(path,), daemon=True) for path in sys.argv[1:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted file system.

    Attributes:
        device: The file system's number, such as ``8:1``; the same wherever it is mounted.
        root: The directory of the file system that is seen there; of a bind mount, any.
    """

    path: str
    type: str
    source: str
    device: str
    root: str

    @property
    def is_network(self) -> bool:
        """Whether a server has it."""
        return self.type in _NETWORK


def parse(text: str) -> dict[str, Mount]:
    """The mounts by path, from what proc(5) calls mountinfo; of several at a path, the top one."""
    found = {}
    for line in text.splitlines():
        left, _dash, right = line.partition(" - ")
        device, root, path = left.split(" ")[2:5]
        type, source = right.split(" ")[:2]
        path = _unescaped(path)
        found[path] = Mount(path, type, _unescaped(source), device, _unescaped(root))
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def table() -> dict[str, Mount]:
    """What is mounted now, by path."""
    with open(_TABLE, encoding="utf-8", errors="surrogateescape") as file:
        return parse(file.read())


def at(path: str) -> Mount | None:
    """What is mounted at a path; asks nothing of the file system there."""
    return table().get(path)


def missing(path: str) -> str | None:
    """Where a file system is to be mounted that has the path, and is not; by fstab(5)."""
    try:
        with open(_WANTED, encoding="utf-8", errors="surrogateescape") as file:
            lines = [line.split() for line in file if not line.lstrip().startswith("#")]
    except FileNotFoundError:
        return None
    wanted = {
        _unescaped(line[1]).rstrip("/")
        for line in lines
        if len(line) >= 4 and line[1].startswith("/") and "noauto" not in line[3].split(",")
    }
    above = [place for place in wanted if place and f"{path}/".startswith(f"{place}/")]
    mounted = table() if above else {}
    return next((place for place in sorted(above) if place not in mounted), None)


def resolved(path: str, mounted: Mapping[str, Mount]) -> str:
    """A path without symbolic links; asks nothing of a file system that is mounted there."""
    return path if path in mounted else os.path.realpath(path)


def place(real: str, mounted: Mapping[str, Mount]) -> str:
    """The file system of a path without symbolic links, and the path in it, such as ``8:1/srv``.

    It is the same by every bind mount, and nothing is asked of the file system.
    """
    above = real
    while above not in mounted and above != "/":
        above = os.path.dirname(above)
    mount = mounted.get(above)
    if mount is None:
        return real
    return mount.device + mount.root.rstrip("/") + real.removeprefix(above.rstrip("/")).rstrip("/")


def silent(paths: Sequence[str], patience: float = PATIENCE) -> dict[str, str]:
    """The file systems that do not answer, and why.

    A process of its own asks them, all at the same time: one that waits for a server which is
    gone may not even be killed, and is left behind after ``patience`` seconds.
    """
    if not paths:
        return {}
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _PROBE, *paths],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        output, _errors = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired as expired:
        process.kill()
        output = expired.stdout or b""
    lines = [line.split("\0") for line in output.decode(errors="replace").splitlines()]
    answers = {line[0]: line[1] for line in lines if len(line) == 2}
    never = f"it did not answer within {patience:.0f} seconds"
    found = {path: answers.get(path, never) for path in paths}
    return {path: reason for path, reason in found.items() if reason}


def wait_gone(path: str, patience: float = PATIENCE) -> bool:
    """Whether nothing is mounted at a path, at last."""
    deadline = time.monotonic() + patience
    while at(path) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
