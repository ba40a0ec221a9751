# SPDX-License-Identifier: Apache-2.0
"""Handing a call over to the worker, which has the engine loaded: most of a small call's time.

The worker does what the caller's own process would do, or nothing. So it must have the same code,
user and namespaces, and gets the caller's environment, folder and outputs (unix(7), SCM_RIGHTS).
The caller says what it is about in a line of JSON; the worker takes it, by telling which process
works for it, or hangs up. Only then come the call's bytes, and after them the caller waits for a
last line. Until the bytes are all there nothing is begun: whoever was hung up on does it itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import sys
import time

import pextra

TYPE_CHECKING = False  # what has to start fast does not load typing
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

PATH = "/run/pextra/worker.sock"
VARIABLE = "PEXTRA_CE_WORKER"
"""Variable of the environment that names another socket."""
_PATIENCE = 10.0
"""Seconds until a worker that says nothing counts as none."""
_CHUNK = 2**16
_LIMIT = 4 * 2**20
"""Bytes that a caller's line may have; an environment has two megabytes at most (execve(2))."""
_TAKEN, _DONE = b"taken ", b"done\n"
_CODE = os.stat(pextra.__file__)
"""The code that this process has loaded: an upgraded package has files of its own."""
_NAMESPACES = ("ipc", "mnt", "net", "pid", "user", "uts")


def path() -> str:
    """Where the worker listens."""
    return os.environ.get(VARIABLE) or PATH


def handed_over(data: bytes) -> int | None:
    """Have the worker do it, with this process's outputs.

    Returns:
        The exit status that this process would have had; None if no worker takes it.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_PATIENCE)
        try:
            line.connect(path())
            if _peer(line)[1] != os.geteuid():
                return None
            _say(line, {**_circumstances(), "length": len(data)}, [1, 2])
            said = _line(line)
            if not said.startswith(_TAKEN):
                return None
            worker = int(said.removeprefix(_TAKEN))
            line.settimeout(None)
            line.sendall(data)
        except (OSError, ValueError):
            return None
        _pass_signals_to(worker)
        try:
            return 0 if _line(line) == _DONE else 1
        except OSError:
            return 1


def taken_over(line: socket.socket) -> tuple[int, bytes] | None:
    """Take what a caller asks for, and become like it; None if it is to do it itself.

    Returns:
        The process that waits for it, and the call's bytes.
    """
    line.settimeout(_PATIENCE)
    caller, user = _peer(line)
    if user != os.geteuid():
        return None
    text, outputs = _heard(line)
    if not text.endswith(b"\n"):
        return None
    asked: dict[str, Any] = json.loads(text)
    if any(asked[name] != value for name, value in _same().items()) or len(outputs) != 2:
        return None
    line.sendall(b"%s%d\n" % (_TAKEN, os.getpid()))
    data = bytearray()
    while len(data) < asked["length"]:
        chunk = line.recv(min(2**20, asked["length"] - len(data)))
        if not chunk:
            return None
        data += chunk
    line.settimeout(None)
    for number, output in enumerate(outputs, 1):
        os.dup2(output, number)
        os.close(output)
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    os.umask(asked["umask"])
    os.chdir(asked["folder"])
    return caller, bytes(data)


def finished(line: socket.socket) -> None:
    """Tell the caller, if it still waits, that all is done."""
    with contextlib.suppress(OSError):
        line.sendall(_DONE)


def _same() -> dict[str, Any]:
    """What caller and worker have to agree in, or they would not do the same."""
    root = os.stat("/")
    return {
        "engine": [pextra.__file__, _CODE.st_dev, _CODE.st_ino, _CODE.st_mtime_ns],
        "python": [sys.version, sys.path],
        "root": [root.st_dev, root.st_ino],
        "namespaces": [os.readlink(f"/proc/self/ns/{name}") for name in _NAMESPACES],
    }


def _circumstances() -> dict[str, Any]:
    """All that the worker is told of the caller."""
    umask = os.umask(0o077)
    os.umask(umask)
    return {**_same(), "environment": dict(os.environ), "umask": umask, "folder": os.getcwd()}


def _peer(line: socket.socket) -> tuple[int, int]:
    """Process and user at the other end; see SO_PEERCRED in unix(7)."""
    size = struct.calcsize("3i")
    process, user, _group = struct.unpack(
        "3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    )
    return process, user


def _say(line: socket.socket, said: dict[str, Any], outputs: list[int]) -> None:
    text = json.dumps(said).encode() + b"\n"
    line.sendall(text[socket.send_fds(line, [text], outputs) :])


def _heard(line: socket.socket) -> tuple[bytes, list[int]]:
    """A caller's line, and the outputs that it sent with it."""
    text, outputs, _flags, _address = socket.recv_fds(line, _CHUNK, 2)
    return _line(line, text), list(outputs)


def _line(line: socket.socket, text: bytes = b"") -> bytes:
    """A line that may have begun, or what there is of it before the other end hung up."""
    while not text.endswith(b"\n") and len(text) < _LIMIT and (chunk := line.recv(_CHUNK)):
        text += chunk
    return text


def _pass_signals_to(process: int) -> None:
    """From now on pass on what asks this process to end, to the one that works for it."""

    def hand_on(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, hand_on)
