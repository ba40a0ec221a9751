# SPDX-License-Identifier: Apache-2.0
"""The one place that starts other programs, and the error that all parts raise."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

TAIL_LINES = 15
"""Lines of a failed program's output that go into the error."""


class ImageError(Exception):
    """Something cannot be done; the message says what, why and what to do."""


class Programs:
    """Starts programs; what they print goes to a log file.

    :param log: the file that everything is appended to; None keeps no log.
    """

    def __init__(self, log: Path | None = None) -> None:
        self.log = log
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        line: Callable[[str], None] | None = None,
    ) -> None:
        """Run a program to its end.

        :param line: is called with each line that the program prints.
        :raises ImageError: the program is missing or fails; carries the end of what it printed.
        """
        words = [str(word) for word in argv]
        tail: list[str] = []
        self._note(f"$ {' '.join(words)}\n")
        with _started(words, cwd, env, subprocess.STDOUT) as process:
            output = process.stdout
            if output is None:  # PIPE was asked for
                raise ImageError(f"{words[0]} has no output")
            for text in output:
                self._note(text)
                tail = [*tail[1 - TAIL_LINES :], text.rstrip()]
                if line is not None:
                    line(text.rstrip())
        if process.returncode != 0:
            raise ImageError(_failure(words, process.returncode, "\n".join(tail)))

    def read(
        self,
        argv: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        given: str | None = None,
    ) -> str:
        """Run a program and return its standard output; its errors go to the log.

        :param given: what the program reads from its standard input.
        :raises ImageError: the program is missing or fails.
        """
        words = [str(word) for word in argv]
        self._note(f"$ {' '.join(words)}\n")
        with _started(words, cwd, env, subprocess.PIPE, given is not None) as process:
            output, errors = process.communicate(given)
        self._note(errors)
        if process.returncode != 0:
            tail = "\n".join(errors.strip().splitlines()[-TAIL_LINES:])
            raise ImageError(_failure(words, process.returncode, tail))
        return output

    def _note(self, text: str) -> None:
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as log:
                log.write(text)


def require(programs: Mapping[str, str]) -> None:
    """See to it that programs are installed.

    :param programs: the name of a program to the Debian package that has it.
    :raises ImageError: some are missing; names the packages.
    """
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    missing = sorted(
        {package for name, package in programs.items() if not shutil.which(name, path=search)}
    )
    if missing:
        raise ImageError(f"Missing programs: apt-get install {' '.join(missing)}")


def _started(
    words: list[str],
    cwd: Path | None,
    env: Mapping[str, str] | None,
    errors: int,
    interactive: bool = False,
) -> subprocess.Popen[str]:
    # The sbin folders are not in the PATH of every root shell.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    environment = {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8", **(env or {})}
    try:
        return subprocess.Popen(
            words,
            cwd=cwd,
            env=environment,
            text=True,
            errors="replace",
            stdin=subprocess.PIPE if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    except FileNotFoundError as missing:
        raise ImageError(f"The program {words[0]} is not installed") from missing


def _failure(words: list[str], status: int, tail: str) -> str:
    shown = " ".join(words[:4])
    ending = f"\n{tail}" if tail else ""
    return f"{shown} failed with status {status}{ending}"
