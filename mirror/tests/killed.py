"""Ending a process before any step that changes files: a step is what Python tells audit hooks."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

NAMES = frozenset({"os.rename", "os.link", "os.symlink"})
"""Steps that give files their names."""
WRITES = NAMES | {
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.chmod",
    "os.utime",
    "os.truncate",
    "open",
}
"""All steps that change files; of ``open`` those for writing."""


def steps(work: Callable[[], object], kinds: frozenset[str], last: int | None = None) -> int | None:
    """Do work in a process of its own, which is killed before a step.

    Args:
        work: What is done.
        kinds: What counts as a step.
        last: How many steps are done; None for all.

    Returns:
        How many there were; None if it was killed.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            seen = 0

            def hook(event: str, args: tuple[object, ...]) -> None:
                nonlocal seen
                if event not in kinds:
                    return
                if event == "open" and not (isinstance(args[2], int) and args[2] & 3):
                    return
                if seen == last:
                    os.kill(os.getpid(), signal.SIGKILL)
                seen += 1

            sys.addaudithook(hook)
            work()
            kinds = frozenset()
            os.write(writer, str(seen).encode())
            code = 0
        except BaseException as error:  # the parent tells of it
            os.write(2, f"{error!r}\n".encode())
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        found = pipe.read()
    _pid, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return None
    assert os.waitstatus_to_exitcode(status) == 0, "it failed"
    return int(found)


def places(count: int, most: int | None) -> list[int]:
    """Steps to kill before: all, or so many, spread over the whole, the last ones among them."""
    if most is None or count <= most:
        return list(range(count))
    return sorted({round(number * (count - 1) / (most - 1)) for number in range(most)})
