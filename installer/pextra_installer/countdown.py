"""Answers that are there while the wizard was started: it gives way to them, if nobody is here.

The boot menu begins an automated installation where it sees answers. A firmware that does not show
it the stick, or a menu entry that was not changed, leads to the wizard, which would wait for ever.
"""

from __future__ import annotations

import pathlib
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterable
from typing import TextIO

from pextra.host.disks.layout import ROOT_LABEL
from pextra_installer.hardware.model import Disk

ATTENDED = "attended"
"""Is in the state directory once a key was pressed: nothing begins by itself any more."""
SECONDS = 30


def is_node(disks: Iterable[Disk]) -> bool:
    """Whether a node is installed on one of these disks.

    A machine that starts from the medium first would be installed again and again.
    """
    return any(content.label == ROOT_LABEL for disk in disks for content in disk.contents)


def run_out(
    source: str, state: pathlib.Path, seconds: int = SECONDS, terminal: TextIO | None = None
) -> bool:
    """Count down, visibly; whether nobody pressed a key.

    Args:
        source: Where answers were found.
        state: A directory of the live system for notes.
        seconds: How long to wait for a key.
        terminal: What is read; standard input unless given.
    """
    mark = state / ATTENDED
    if mark.exists():
        return False
    typed = terminal or sys.stdin
    print(f"Answers were found: {source}")
    with_key = _key_within(seconds, typed, lambda left: print(_line(left), end="", flush=True))
    print()
    if with_key:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.touch()
    return not with_key


def _line(left: int) -> str:
    return f"\rThe automated installation begins in {left:2} s. Press a key for the wizard. "


def _key_within(seconds: int, typed: TextIO, tell: Callable[[int], None]) -> bool:
    if not typed.isatty():
        return False
    before = termios.tcgetattr(typed)
    end = time.monotonic() + seconds
    try:
        tty.setcbreak(typed, termios.TCSAFLUSH)
        while (left := end - time.monotonic()) > 0:
            tell(int(left) + 1)
            if select.select([typed], [], [], min(left, 1))[0]:
                termios.tcflush(typed, termios.TCIFLUSH)
                return True
        return False
    finally:
        termios.tcsetattr(typed, termios.TCSADRAIN, before)
