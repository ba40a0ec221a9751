"""One process at a time works on a mirror."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from pextra_mirror.errors import Busy

POLL_SECONDS = 0.1
PATIENCE = 0.3
"""Seconds that one who only looks may hold the lock for."""


def holder(root: Path) -> dict[str, Any] | None:
    """Who works on the mirror now: pid, command, since; None when nobody does."""
    try:
        with (root / "lock").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return read(file)
    except FileNotFoundError:
        pass
    return None


def read(file: IO[str]) -> dict[str, Any]:
    """What the holder wrote; for a moment it may not have."""
    file.seek(0)
    try:
        found: dict[str, Any] = json.loads(file.read())
    except ValueError:
        found = {"pid": 0, "command": "a command that just began", "since": ""}
    return found


@contextlib.contextmanager
def locked(root: Path, command: str, wait: float = 0) -> Iterator[None]:
    """Have the mirror to oneself; the kernel gives it back whatever happens.

    Args:
        root: The mirror's folder.
        command: What runs, for whom else comes.
        wait: Seconds to wait for the other.

    Raises:
        Busy: Another process has it; the message names it.
    """
    root.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + max(wait, PATIENCE)
    with (root / "lock").open("a+") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= until:
                    other = read(file)
                    raise Busy(
                        f"`pextra-mirror {other['command']}` (process {other['pid']}) "
                        f"works on {root} since {other['since']}",
                        "Wait for it, or have this command wait with --wait SECONDS",
                    ) from error
                time.sleep(POLL_SECONDS)
        file.truncate(0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        json.dump({"pid": os.getpid(), "command": command, "since": since}, file)
        file.flush()
        yield
