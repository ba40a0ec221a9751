# SPDX-License-Identifier: Apache-2.0
"""What the command pextra shows: progress while it works, answers and errors when it has.

That nobody reads on, as with ``head``, is no error, and ends no work.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from pextra.engine.progress import Event, Progress
from pextra.model.errors import HostError, PextraError, each

_BACK = "\r\x1b[K"
"""To the begin of the line, and empty it; ECMA-48."""


class Shown(Progress):
    """Progress on standard error: one line that changes on a terminal, a line a step elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._open = False

    def report(self, event: Event) -> None:
        """Show the step that begins."""
        if not self._terminal:
            _tell(f"[{event.step}/{event.of}] {event.text}\n")
            return
        line = f"[{event.fraction:4.0%}] {event.text}"
        width = shutil.get_terminal_size().columns - 1
        _tell(_BACK + line[:width])
        self._open = True

    def close(self) -> None:
        """Leave the terminal with an empty line."""
        if self._open:
            _tell(_BACK)
            self._open = False


def prepare() -> None:
    """Have both outputs take what is written, also where whoever started this has closed them."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def say(text: str) -> None:
    """Print a line of the answer.

    Raises:
        HostError: It cannot be written.
    """
    sys.stdout.write(f"{text}\n")
    flush()


def flush() -> None:
    """Have what was printed of the answer written.

    Raises:
        HostError: It cannot be written.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up(sys.stdout)
    except OSError as error:
        _give_up(sys.stdout)
        raise HostError(f"the answer cannot be written: {error.strerror}") from None


def _tell(text: str) -> None:
    """Write beside the answer, as far as that can be."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _give_up(sys.stderr)


def _give_up(stream: TextIO) -> None:
    """Have what is left in a stream go nowhere: Python would try again at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def say_json(value: Any) -> None:
    """Print an answer as JSON."""
    say(json.dumps(value, indent=2, sort_keys=True, default=str))


def complain(error: PextraError) -> None:
    """Print an error, or each of those that it lists: code, what is wrong, what to do about it."""
    for item in each(error):
        text = f"{item.resource}: {item.message}" if item.resource else item.message
        _tell(f"pextra: {item.code}: {text}\n")
        if item.hint:
            _tell(f"  {item.hint}\n")


def say_difference(differences: Iterable[Mapping[str, Any]]) -> None:
    """Print before and after of each step."""
    for item in differences:
        say(f"--- {item['before_header']}")
        for sign, side in (("-", item["before"]), ("+", item["after"])):
            if isinstance(side, Mapping):
                for key, value in side.items():
                    say(f"{sign} {key}: {json.dumps(value, default=str)}")
