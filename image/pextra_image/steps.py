# SPDX-License-Identifier: Apache-2.0
"""Steps of a build: each is made once for the same inputs, and found again after that.

A step's result is a folder, named by a hash of everything that went into it. It appears under
that name only when it is whole, so an interrupted build leaves nothing that looks finished.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from pextra_image.files import digest
from pextra_image.run import Programs

KEPT = 2
"""Results of each step that are kept: this one and the ones used last."""
UNFINISHED = ".part"
"""How the name of a result ends until it is whole."""


class Screen:
    """Tells what runs. On a terminal the last line shows what the step is at."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()

    def say(self, text: str) -> None:
        """Print a line that stays."""
        clear = "\r\x1b[K" if self._live else ""
        print(f"{clear}{text}", file=self._stream, flush=True)

    def show(self, text: str) -> None:
        """Replace the last line; nothing where the output is no terminal."""
        if self._live:
            width = max(shutil.get_terminal_size().columns - 1, 20)
            printable = "".join(c if c.isprintable() else " " for c in text)
            print(f"\r\x1b[K{printable[:width]}", end="", file=self._stream, flush=True)


@contextmanager
def alone(root: Path, screen: Screen) -> Iterator[None]:
    """Be the only run that works below a folder; another one is waited for."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            screen.say(f"waiting    for another run that uses {root}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Steps:
    """Makes the results of steps below one folder, or finds them."""

    def __init__(self, root: Path, screen: Screen) -> None:
        self.root = root
        self.screen = screen
        self.reused: list[str] = []
        self.made: list[str] = []

    def result(self, name: str, inputs: dict[str, str], make: Callable[[Path], None]) -> Path:
        """Return the folder with a step's result.

        :param inputs: everything that the result depends on: a name to a hash or a value.
        :param make: fills an empty folder; called only if there is no result for these inputs.
        """
        key = digest(*(f"{k}={v}" for k, v in sorted(inputs.items())))[:32]
        folder = self.root / name / key
        if folder.is_dir():
            os.utime(folder)
            self.reused.append(name)
            self.screen.say(f"{name:<10} unchanged")
            return folder
        self.screen.say(f"{name:<10} making it …")
        began = time.monotonic()
        unfinished = self.root / name / f"{key}{UNFINISHED}"
        clear(unfinished)
        unfinished.mkdir(parents=True)
        make(unfinished)
        unfinished.rename(folder)
        os.utime(folder)
        self.made.append(name)
        self.screen.say(f"{name:<10} made in {time.monotonic() - began:.0f} s")
        self._forget(name)
        return folder

    def _forget(self, name: str) -> None:
        """Remove results that were not used for the longest time, and what never became one."""
        folders = sorted((self.root / name).iterdir(), key=lambda path: path.stat().st_mtime_ns)
        kept = [folder for folder in folders if folder.suffix != UNFINISHED][-KEPT:]
        for folder in folders:
            if folder not in kept:
                clear(folder)


def clear(folder: Path) -> None:
    """Remove a folder; what a killed build left mounted in it is unmounted first.

    A bind mount of /dev is why: removing the folder around it would remove this machine's devices.
    """
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    inside = f"{folder.resolve()}/"
    for target in sorted((line.split()[1] for line in mounts), reverse=True):
        if target.startswith(inside):
            Programs().run(["umount", target])
    if folder.exists():
        shutil.rmtree(folder)
