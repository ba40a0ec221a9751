"""The way through the wizard that the pictures show: keys, and what has to appear."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from screenshots import terminal
from screenshots.terminal import Terminal

ENTER, TAB, DOWN = "\r", "\t", "\x1b[B"
NEXT, BACK, CLEAR = "\x0e", "\x1b", "\x15"
"""Ctrl+N, Escape, and Ctrl+U, which empties a field."""


@dataclass(frozen=True, slots=True)
class Step:
    """Keys, what then is on the screen, and the name of a picture to take.

    ``until`` and ``marked`` are patterns, the second one of what stands on white: the cursor, or
    what has the focus. ``release`` is a file that lets the installation go on.
    """

    keys: str
    until: str
    picture: str = ""
    marked: str = ""
    release: str = ""


STEPS = (
    Step("", "1/7  Licence agreement"),
    Step(ENTER, "accepted"),
    Step(DOWN, "accepted"),
    Step(ENTER, "accepted", "01-licence-agreement", "^accepted *$"),
    Step(NEXT, "2/7  Management network"),
    *(Step(TAB, "2/7") for _field in range(5)),
    Step(ENTER, "static"),
    Step(DOWN, "static"),
    Step(ENTER, "IPv4 +static", marked="^static *$"),
    Step(TAB, "address"),
    Step("192.0.2.10/24", "192.0.2.10/24"),
    Step(TAB, "gateway", marked="^1$"),
    Step("192.0.3.1", "192.0.3.1"),
    Step(NEXT, "IPv4 gateway: the gateway", "11-wrong-answer", "^ $"),
    Step(CLEAR, "gateway"),
    Step("192.0.2.1", "192.0.2.1"),
    *(Step(TAB, "2/7") for _field in range(4)),
    Step("192.0.2.53", "192.0.2.53"),
    Step(NEXT, "3/7  Licence key", "03-licence-key", "^e$"),
    Step(BACK, "2/7  Management network", "02-management-network", "^ $"),
    Step(NEXT, "3/7  Licence key"),
    Step(NEXT, "4/7  Node and organization"),
    Step("node1.example.com", "node1.example.com"),
    Step(TAB, "4/7", marked="^E$"),
    Step("Example", "Organization +Example", "04-node-and-organization", "^ $"),
    Step(NEXT, "5/7  Administrator"),
    Step(TAB, "Password"),
    Step("correct horse battery staple", "Strength: strong"),
    Step(TAB, "Once more", marked="^ $"),
    Step("correct horse battery staple", "Once more +•{28}", "05-administrator", "^ $"),
    Step(NEXT, "6/7  Boot disk"),
    Step(ENTER, "/dev/nvme0n1"),
    Step(DOWN, "/dev/nvme0n1", "12-choice"),
    Step(ENTER, "On it now", "06-boot-disk", "^/dev/nvme0n1 "),
    Step(NEXT, "The disk that is ERASED", "07-summary", "^ Back $"),
    Step(TAB, "Erase the disk", marked="^ Erase"),
    Step(ENTER, ">>   Unpacking the system"),
    Step("", "did not finish", "10-failed", "^ Retry $", release="fail"),
    Step(ENTER, "━ +29%", "08-progress"),
    Step("", "The installation is done", "09-done", "^ Reboot $", release="finish"),
)
PICTURES = tuple(sorted(step.picture for step in STEPS if step.picture))


def walk() -> Iterator[tuple[str, Terminal]]:
    """Go the way; gives the name of each picture, and the terminal that shows it."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shown = terminal.wizard(folder)
        try:
            for step in STEPS:
                if step.release:
                    (folder / step.release).touch()
                if step.keys:
                    shown.press(step.keys)
                shown.expect(step.until, step.marked)
                if step.picture:
                    yield step.picture, shown
        finally:
            shown.close()
