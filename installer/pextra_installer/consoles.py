"""The kernel's consoles: which there are, and telling something on every one of them."""

from __future__ import annotations

import io
import pathlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import TextIO

ACTIVE = pathlib.Path("/sys/class/tty/console/active")
DEVICES = pathlib.Path("/dev")


def named(command_line: str) -> list[str]:
    """Those of a kernel's command line, such as ``tty0`` and ``ttyS0,115200``."""
    words = command_line.split()
    return [word.removeprefix("console=") for word in words if word.startswith("console=")]


@contextmanager
def everywhere() -> Iterator[None]:
    """Show on every console, too, what is printed meanwhile, errors as well.

    /dev/console is one of them only: the serial port where the command line ends with it, whether
    anything is connected there or not.
    """
    with ExitStack() as stack:
        consoles = []
        for name in ACTIVE.read_text(encoding="ascii").split():
            try:
                device = (DEVICES / name).open("w", encoding="utf-8")
            except OSError:
                continue
            consoles.append(device)
            stack.callback(_close, device)
        stack.enter_context(redirect_stdout(_Copies(sys.stdout, consoles)))
        stack.enter_context(redirect_stderr(_Copies(sys.stderr, consoles)))
        yield


class _Copies(io.TextIOBase):
    """A stream whose text goes to others as well; one that fails is left out from then on."""

    def __init__(self, stream: TextIO, others: Sequence[TextIO]) -> None:
        self._stream = stream
        self._others = list(others)

    def write(self, text: str) -> int:
        for other in tuple(self._others):
            try:
                other.write(text)
                other.flush()
            except OSError:
                # The kernel lists serial ports that are not there.
                self._others.remove(other)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()


def _close(device: TextIO) -> None:
    with suppress(OSError):  # what it did not take is still in its buffer
        device.close()
