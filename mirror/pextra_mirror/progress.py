"""Telling how far long work is: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import threading
import time

from pextra_mirror import console

LINE_SECONDS = 30
BAR_SECONDS = 0.2
WIDTH = 30


class Progress:
    """Progress of one piece of work, told on standard error.

    Args:
        label: What it is.
        quiet: Say nothing.
    """

    def __init__(self, label: str, *, quiet: bool = False) -> None:
        self.label = label
        self.total = 0
        self.done = 0
        self._quiet = quiet
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._began = self._told = time.monotonic()
        self._lock = threading.Lock()

    def expect(self, size: int) -> None:
        """So many bytes more belong to it."""
        self.total += size

    def add(self, size: int) -> None:
        """So many bytes more are done."""
        with self._lock:
            self.done += size
            now = time.monotonic()
            if now - self._told >= (BAR_SECONDS if self._terminal else LINE_SECONDS):
                self._told = now
                self._tell("\r" if self._terminal else "", "" if self._terminal else "\n")

    def end(self) -> None:
        """It is over, one way or the other."""
        if self._terminal and self.done:
            self._tell("\r", "\n")

    def _tell(self, before: str, after: str) -> None:
        if self._quiet:
            return
        share = min(1.0, self.done / self.total) if self.total else 0.0
        rate = self.done / max(time.monotonic() - self._began, 0.001)
        left = f", {(self.total - self.done) / rate:.0f} s left" if rate and self.total else ""
        filled = "#" * int(share * WIDTH)
        console.tell(
            f"{before}{self.label} [{filled:<{WIDTH}}] {size(self.done)} of {size(self.total)}, "
            f"{size(rate)}/s{left}   ",
            end=after,
        )  # fmt: skip


def size(count: float) -> str:
    """A number of bytes for people."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"
