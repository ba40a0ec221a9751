"""What is printed, which is never an error of its own: nobody may be there any more to read it.

Needs Python 3.9 and no library, because it is carried to sites with the import.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import TextIO

from pextra_mirror.errors import MirrorError, of_system


def prepare() -> None:
    """Have the three standard streams take whatever is written; for a command, at its beginning.

    One that whoever started this has closed would be the next file that is opened.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def out(text: str) -> None:
    """Print a result.

    Raises:
        OSError: It cannot be written; that nobody reads on, as with ``head``, is none.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _give_up(sys.stdout)
    except OSError:
        _give_up(sys.stdout)
        raise


def tell(text: str, end: str = "\n") -> None:
    """Print what is to be known beside the result, as far as that can be."""
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except OSError:
        _give_up(sys.stderr)


def fail(program: str, error: MirrorError | OSError, *, as_json: bool) -> int:
    """Print an error, also as JSON beside a result's place; its exit code."""
    fault = error if isinstance(error, MirrorError) else of_system(error)
    if as_json:
        fields = {"error": fault.code, "message": fault.message, "hint": fault.hint}
        with contextlib.suppress(OSError):
            out(json.dumps(fields))
    tell(f"{program}: {fault}")
    return fault.exit_code


def _give_up(stream: TextIO) -> None:
    """Have what is left in a stream, or written to it, go nowhere: Python would try at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
