"""Ending in order when a signal asks for it, with threads beside the main one too.

A signal's handler runs in the main thread, between any two of its steps. An exception that it
raises while that thread holds a lock of a thread pool leaves the lock held for ever; one that it
raises in a callback of the interpreter is lost. So while threads run, a signal only stops them,
and is raised when they have ended. What the first signal ends is put in order without being
interrupted once more; one that comes when that takes long ends the process at once.

Needs Python 3.9 and nothing else, because it is carried to sites with the import.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

from pextra_mirror import console

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 5.0
"""Seconds after a signal in which another one is no further hurry."""


class Interrupted(BaseException):
    """A signal asked for an end."""

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.number = number


class _Handler:
    """What a signal does now."""

    def __init__(self) -> None:
        self.stop: Callable[[], object] | None = None
        self.came = 0
        self.first: float | None = None

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if self.first is not None:
            if time.monotonic() - self.first > PATIENCE:
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
            return
        self.first = time.monotonic()
        if self.stop is None:
            raise Interrupted(number)
        self.came = number
        self.stop()


_handler = _Handler()


def arrange() -> None:
    """Have signals raise ``Interrupted``; for a command, in its main thread."""
    _handler.first = None
    for number in SIGNALS:
        signal.signal(number, _handler)


def finish() -> None:
    """Have signals come too late: the process is about to end, and its exit code is known."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # Python forgets handlers of its own before its end


def in_order(program: str, work: Callable[[], int]) -> int:
    """Do a command's work, which a signal ends in order; its exit code."""
    # What is served is for all to read, whoever starts this. Keys are gpg's, and stay private.
    os.umask(0o022)
    try:
        arrange()
        code = work()
        finish()
    except Interrupted as error:
        finish()
        console.tell(f"{program}: {error}; run it again to go on")
        return 128 + error.number
    return code


@contextlib.contextmanager
def threads(count: int, stop: Callable[[], object] = lambda: None) -> Iterator[ThreadPoolExecutor]:
    """Threads that have ended, one way or the other, when the block has.

    Args:
        count: How many at once.
        stop: Has those that run end soon. It is called by a signal's handler: it takes no lock.

    Raises:
        Interrupted: A signal came meanwhile.
    """
    # A small import of a bundle has no threads, and its start is half of it.
    from concurrent.futures import ThreadPoolExecutor

    _handler.stop = stop
    try:
        with ThreadPoolExecutor(count) as pool:
            try:
                yield pool
            except BaseException:
                stop()
                pool.shutdown(cancel_futures=True)
                raise
    finally:
        _handler.stop = None
        came, _handler.came = _handler.came, 0
        if came:
            raise Interrupted(came)
