# SPDX-License-Identifier: Apache-2.0
"""The answer to what a task of Ansible asks; see task.py."""

from __future__ import annotations

import gc
import json
import os
import syslog
import traceback
from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pextra.model.errors import PextraError

_LOGGED = 10_000
"""So many characters of an option are logged: a message that is too long for the log is lost."""


def answer(text: bytes) -> Callable[[], None]:
    """Write the result of what is asked to standard output.

    Returns:
        What remains to be done when the caller has it: audit rows are sealed.
    """
    # Looking for unreachable cycles takes longer than what a process of seconds could save.
    gc.set_threshold(50_000)
    from pextra.engine import sealing

    with _answers() as answers:
        with sealing.put_off() as owed:
            result = _answer(text)
        answers.write(json.dumps(result).encode() + b"\n")

    def settle() -> None:
        for one in owed:
            one()

    return settle


def _answers() -> IO[bytes]:
    """Standard output, for the answer alone: what else is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _answer(text: bytes) -> dict[str, Any]:
    """The result of what is asked."""
    from pextra.model.errors import InputError, PextraError

    try:
        asked: dict[str, Any] = json.loads(text)
        name, options = str(asked["name"]), dict(asked["options"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        # Not what it says: that may be secret.
        return _refused(InputError(f"the options cannot be read: {type(error).__name__}"))
    from pextra.calls import registry, task

    try:
        procedure = registry.find(name)
        masked = registry.masked(procedure, options)
    except PextraError as error:
        return _refused(error)
    except Exception as error:
        # What is secret is not known: where it failed can be told, but not what with.
        trace = "".join(traceback.format_tb(error.__traceback__))
        said = f"the engine failed, which is a fault in it: {type(error).__name__}\n{trace}"
        return {"failed": True, "msg": said, "code": "internal", "errors": []}
    if asked["log"]:
        syslog.openlog(f"ansible-pextra.ce.{procedure.name}", 0, syslog.LOG_USER)
        syslog.syslog(syslog.LOG_INFO, f"Invoked with {_words(masked.shown)}")
    result = task.result(
        procedure, options, masked.secrets,
        check=asked["check"], diff=asked["diff"], confirms=asked["confirms"],
    )  # fmt: skip
    if asked.get("verbose"):
        result["invocation"] = {"module_args": masked.shown}
    return result


def _refused(error: PextraError) -> dict[str, Any]:
    """The result of a task that is refused."""
    return {"failed": True, "msg": str(error), "code": error.code, "errors": [error.as_dict()]}


def _words(options: Mapping[str, Any]) -> str:
    """The options as one line, as Ansible's own modules log them."""
    return " ".join(f"{_printable(key)}={_printable(value)}" for key, value in options.items())


def _printable(value: object) -> str:
    """The value as a log can have it: on one line, and without half a surrogate pair or NUL."""
    text = str(value)
    if len(text) > _LOGGED:
        text = f"{text[:_LOGGED]}..."
    if text.isprintable():
        return text
    return "".join(item if item.isprintable() else ascii(item)[1:-1] for item in text)
