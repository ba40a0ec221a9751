# SPDX-License-Identifier: Apache-2.0
"""What the command pextra shows: progress while it works, answers and errors when it has."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from pextra.engine.progress import Event, Progress
from pextra.model.errors import PextraError, each

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
            sys.stderr.write(f"[{event.step}/{event.of}] {event.text}\n")
            return
        line = f"[{event.fraction:4.0%}] {event.text}"
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(_BACK + line[:width])
        sys.stderr.flush()
        self._open = True

    def close(self) -> None:
        """Leave the terminal with an empty line."""
        if self._open:
            sys.stderr.write(_BACK)
            sys.stderr.flush()
            self._open = False


def say(text: str) -> None:
    """Print a line of the answer."""
    sys.stdout.write(f"{text}\n")


def say_json(value: Any) -> None:
    """Print an answer as JSON."""
    say(json.dumps(value, indent=2, sort_keys=True, default=str))


def complain(error: PextraError) -> None:
    """Print an error, or each of those that it lists: code, what is wrong, what to do about it."""
    for item in each(error):
        text = f"{item.resource}: {item.message}" if item.resource else item.message
        sys.stderr.write(f"pextra: {item.code}: {text}\n")
        if item.hint:
            sys.stderr.write(f"  {item.hint}\n")


def say_difference(differences: Iterable[Mapping[str, Any]]) -> None:
    """Print before and after of each step."""
    for item in differences:
        say(f"--- {item['before_header']}")
        for sign, side in (("-", item["before"]), ("+", item["after"])):
            if isinstance(side, Mapping):
                for key, value in side.items():
                    say(f"{sign} {key}: {json.dumps(value, default=str)}")
