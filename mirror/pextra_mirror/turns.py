"""Threads that take turns: one works, while the others wait for the network.

Python's own lock changes hands at each system call. With several threads that each make dozens for
a small file, this takes more time than the work.
"""

from __future__ import annotations

import threading
from types import TracebackType


class Turn:
    """What a thread has while it works; ``idle`` gives it to another for as long as one waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.idle = _Idle(self._lock)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._lock.release()


class _Idle:
    """A block in which the turn is another's."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.release()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._lock.acquire()
