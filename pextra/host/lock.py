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
def host_lock(path: str = PATH, timeout: float = TIMEOUT) -> Iterator[None]:
    """Hold the host's lock.

    Raises:
        HostError: Another run holds it for longer than ``timeout`` seconds.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
                    raise HostError(
                        f"another run (process {holder}) has been changing this host"
                        f" for over {timeout:.0f} seconds",
                        hint="Wait for it to end, or look why it hangs",
                    ) from None
                time.sleep(0.02)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
