"""A terminal of 80 columns and 24 lines, as the serial console is, with the wizard on it."""

from __future__ import annotations

import os
import pathlib
import re
import sys
import time
from collections.abc import Callable

import pexpect
import pyte

COLUMNS, LINES = 80, 24
PATIENCE = 60.0
"""Seconds until something is taken to have never come."""
QUIET = 0.15
"""Seconds without output after which the next key can come."""
ROOT = pathlib.Path(__file__).parent.parent.parent


class NotShownError(Exception):
    """The screen did not come to show what it should."""


class Terminal:
    """A program on a terminal: what it shows, and a keyboard."""

    def __init__(self, argv: list[str]) -> None:
        environment = {
            "LC_ALL": "C.UTF-8",
            "PATH": os.defpath,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'installer'}",
            # What systemd sets for a serial console.
            "TERM": "vt220",
        }
        self.screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self.screen)
        self._child = pexpect.spawn(argv[0], argv[1:], env=environment, dimensions=(LINES, COLUMNS))

    @property
    def text(self) -> str:
        """The screen's letters, without the spaces at the ends of lines."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip() + "\n"

    @property
    def marked(self) -> str:
        """The letters that stand on white below the title: the cursor, or what has the focus."""
        below = self._cells()[1:]
        return "".join(
            cell.data for line in below for cell in line if cell.reverse or cell.bg == "brightwhite"
        )

    def press(self, keys: str) -> None:
        """Press keys, and wait until the screen is another."""
        before = self._cells()
        self._child.send(keys)
        self._wait(lambda: self._cells() != before, f"a change after the keys {keys!r}")

    def expect(self, pattern: str, marked: str) -> None:
        """Wait for a pattern to be on the screen, and another one in what is marked there."""

        def shown() -> bool:
            return bool(re.search(pattern, self.text) and re.search(marked, self.marked))

        self._wait(shown, f"{pattern!r}, with {marked!r} marked,")
        self.rest(QUIET)

    def rest(self, seconds: float) -> None:
        """Wait until nothing has been printed for a while."""
        while self._read(seconds):
            pass

    def comes_to_show(self, text: str, patience: float = 10) -> bool:
        """Wait until the screen shows exactly this, and tell whether it came to."""
        try:
            self._wait(lambda: self.text == text, "the text", patience)
        except NotShownError:
            return False
        return True

    def close(self) -> None:
        """End the program."""
        self._child.close(force=True)

    def _cells(self) -> list[list[pyte.screens.Char]]:
        lines = self.screen.buffer
        return [[lines[line][column] for column in range(COLUMNS)] for line in range(LINES)]

    def _wait(self, shown: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        end = time.monotonic() + patience
        while not shown():
            if not self._read(0.1) and time.monotonic() > end:
                raise NotShownError(f"{what} was not shown. The screen:\n{self.text}")

    def _read(self, patience: float) -> bool:
        try:
            self._stream.feed(self._child.read_nonblocking(1 << 16, patience))
        except pexpect.TIMEOUT:
            return False
        except pexpect.EOF:
            raise NotShownError(f"the wizard ended. The screen:\n{self.text}") from None
        return True


def wizard(folder: pathlib.Path) -> Terminal:
    """The wizard on a terminal; it looks into the folder for files that let it go on."""
    return Terminal([sys.executable, "-P", "-m", "screenshots.sitting", str(folder)])
