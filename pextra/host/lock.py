# SPDX-License-Identifier: Apache-2.0
"""One change of a host at a time: a lock that the kernel drops when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from pextra.model.errors import HostError

PATH = "/run/lock/pextra-ce.lock"
TIMEOUT = 900.0
"""Seconds: importing a large image may take minutes."""


@contextlib.contextmanager
def host_lock(path: str = PATH, timeout: float = TIMEOUT) -> Iterator[str]:
    """Hold the host's lock.

    Yields:
        Who held it last: the same text as from ``last_holder`` if nobody has since.

    Raises:
        HostError: Another run holds it for longer than ``timeout`` seconds.
    """
    descriptor = _opened(path)
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    holder = _holder(descriptor).partition(" ")[0]
                    raise HostError(
                        f"another run (process {holder}) has been changing this host"
                        f" for over {timeout:.0f} seconds",
                        hint="Wait for it to end, or look why it hangs",
                    ) from None
                time.sleep(0.02)
        before = _holder(descriptor)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {os.urandom(16).hex()}".encode(), 0)
        yield before
    finally:
        os.close(descriptor)


def last_holder(path: str = PATH) -> str | None:
    """Who held the lock last; None while somebody holds it."""
    descriptor = _opened(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    else:
        return _holder(descriptor)
    finally:
        os.close(descriptor)


def _opened(path: str) -> int:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _holder(descriptor: int) -> str:
    """A process, and something that is another each time the lock is taken."""
    return os.pread(descriptor, 64, 0).decode(errors="replace").strip()
