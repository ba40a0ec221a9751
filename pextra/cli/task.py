# SPDX-License-Identifier: Apache-2.0
"""What a task of Ansible asks of its node: one call, and nothing sent but its options.

The collection's action starts this over the task's own connection. Standard input has what is
asked, as JSON, so that other users do not see it on a command line: ``name``, ``options``,
``check``, ``diff``, ``confirms``; ``log``, whether the call is logged; and ``verbose``, whether the
options are to be returned, without what is secret. The first line that is printed says that there
is an engine, and of which version; the second one is the result, also as JSON. Nothing is printed
where nothing is asked: no standard input gets here then.

Where there is a worker, it answers; so little is loaded here.
"""

from __future__ import annotations

import os
import sys

from pextra import VERSION
from pextra.cli import handover

HELLO = "pextra engine"
"""What the first line begins with; the version follows."""


def main() -> None:
    """Answer, or have the worker do it; a failure of the call is in the result, not in the status.

    Raises:
        SystemExit: Nothing was asked, or the worker's process ended without an answer.
    """
    text = sys.stdin.buffer.read()
    if not text:
        raise SystemExit("nothing is asked on standard input")
    # What takes time to load comes after this line: whoever waits knows that it was started.
    sys.stdout.buffer.write(f"{HELLO} {VERSION}\n".encode())
    sys.stdout.flush()
    status = handover.handed_over(text)
    if status is None:
        from pextra.cli.answer import answer

        answer(text)()
    elif status:
        raise SystemExit("the worker's process ended without an answer")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # All is closed. To take everything apart that was loaded would be a fifth of the whole time.
    os._exit(0)
