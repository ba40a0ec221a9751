# SPDX-License-Identifier: Apache-2.0
"""The worker: it has the engine loaded, and does each call in a process of its own, forked from it.

Nothing is kept from one call to the next but the code. systemd starts it when somebody connects to
its socket (pextra-worker.socket); it ends when nobody has for a while. Without systemd, and with
the variable PEXTRA_CE_WORKER, it makes the socket itself.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pkgutil
import select
import signal
import socket
import sys
import traceback

import pextra
from pextra.cli import handover
from pextra.cli.answer import answer
from pextra.host import process

IDLE_SECONDS = 600
"""Time without a call after which it ends."""
_LOOK_SECONDS = 30
"""Time after which it looks whether calls that ran have ended."""
_FIRST = 3
"""The descriptor of the socket that systemd gives; see sd_listen_fds(3)."""
_NOT_LOADED = ("pextra.cli", "pextra.tests")
_LIBRARIES = ("libvirt", "psycopg")


def main() -> None:
    """Serve until nobody has asked for a while."""
    # Whoever started it may have ignored them; a call is ended by them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with _listener() as listener:
        load()
        serve(listener)


def load() -> None:
    """Import all that a call may need, and have it shared with the processes of calls."""
    for module in pkgutil.walk_packages(pextra.__path__, "pextra."):
        if not module.name.startswith(_NOT_LOADED):
            importlib.import_module(module.name)
    for name in _LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def serve(listener: socket.socket) -> None:
    """Do what callers ask for."""
    running: set[int] = set()
    idle = 0
    while idle < IDLE_SECONDS:
        ready, _, _ = select.select([listener], [], [], _LOOK_SECONDS)
        running -= {child for child in running if os.waitpid(child, os.WNOHANG)[0]}
        idle = 0 if ready or running else idle + _LOOK_SECONDS
        if not ready:
            continue
        line, _address = listener.accept()
        child = os.fork()
        if child == 0:
            listener.close()
            _work(line)
        line.close()
        running.add(child)


def _work(line: socket.socket) -> None:
    """Do one call, and end this process."""
    status = 1
    try:
        taken = handover.taken_over(line)
        if taken:
            caller, data = taken
            process.works_for(caller)
            settle = answer(data)
            sys.stdout.flush()
            handover.finished(line)
            settle()
        status = 0
    except (KeyboardInterrupt, SystemExit):
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(status)


def _listener() -> socket.socket:
    """The socket: systemd's, or one of its own."""
    if os.environ.get("LISTEN_PID") == str(os.getpid()):
        return socket.socket(fileno=_FIRST)
    path = os.environ.get(handover.VARIABLE)
    if not path:
        sys.exit(f"pextra worker: systemd starts this; or name a socket in {handover.VARIABLE}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    os.umask(0o077)
    listener.bind(path)
    listener.listen(socket.SOMAXCONN)
    return listener


if __name__ == "__main__":
    main()
