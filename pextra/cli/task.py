# SPDX-License-Identifier: Apache-2.0
"""What a task of Ansible asks of its node: one call, and nothing sent but its options.

The collection's action starts this over the task's own connection. The first line that is printed
says that there is an engine, and of which version; the second one is the result, as JSON. Standard
input has what is asked, also as JSON, so that other users do not see it on a command line:
``name``, ``options``, ``check``, ``diff``, ``confirms``, and ``log``, whether the call is logged.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import syslog
import traceback
from collections.abc import Mapping
from typing import Any

from pextra import VERSION

HELLO = "pextra engine"
"""What the first line begins with; the version follows."""


def main() -> None:
    """Answer; a failure of the call is in the result, and not in the exit status."""
    # Looking for unreachable cycles takes longer than what a process of seconds could save.
    gc.set_threshold(50_000)
    print(HELLO, VERSION, flush=True)
    asked: Mapping[str, Any] = json.load(sys.stdin.buffer)
    # What takes time to load comes after the line above: whoever waits knows that it was started.
    from pextra.calls import registry, task
    from pextra.model.errors import PextraError

    try:
        procedure = registry.find(asked["name"])
        masked = registry.masked(procedure, asked["options"])
    except PextraError as error:
        print(json.dumps(_failure(error.code, str(error), [error.as_dict()])))
        return
    except Exception as error:
        # What is secret is not known: where it failed can be told, but not what with.
        trace = "".join(traceback.format_tb(error.__traceback__))
        text = f"the engine failed, which is a fault in it: {type(error).__name__}\n{trace}"
        print(json.dumps(_failure("internal", text, [])))
        return
    if asked["log"]:
        syslog.openlog(f"ansible-pextra.ce.{procedure.name}", 0, syslog.LOG_USER)
        syslog.syslog(syslog.LOG_INFO, f"Invoked with {_words(masked.shown)}")
    result = task.result(
        procedure, asked["options"], masked.secrets,
        check=asked["check"], diff=asked["diff"], confirms=asked["confirms"],
    )  # fmt: skip
    print(json.dumps({**result, "invocation": {"module_args": masked.shown}}))


def _failure(code: str, text: str, errors: list[dict[str, Any]]) -> dict[str, Any]:
    """A failed task."""
    return {"failed": True, "msg": text, "code": code, "errors": errors}


def _words(options: Mapping[str, Any]) -> str:
    """The options as one line, as Ansible's own modules log them."""
    return " ".join(f"{key}={value}" for key, value in options.items())


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # All is closed. To take everything apart that was loaded would be a fifth of the whole time.
    os._exit(0)
