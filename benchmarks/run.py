# SPDX-License-Identifier: Apache-2.0
"""Measure pextra.ce side by side with what a user would pick instead.

`make bench` sets everything up and runs this; `make bench ARGS=--help` shows the options.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import network, scale, storage
from benchmarks.cases import CASES as INSTANCES
from benchmarks.cases import FULL, QUICK, ROOT, Bench, Line
from benchmarks.ground import Ground, alone
from benchmarks.report import day, machine
from benchmarks.timing import ProgramError, interruptible, uninterruptible

CASES = {
    **INSTANCES, "scale": scale.scale, "contention": scale.contention,
    "network": network.network, "pools": storage.pools,
}  # fmt: skip
_HEAD = "| what | clock, s | processor, s | |\n| --- | ---: | ---: | --- |"


def main() -> int:
    """Run the cases; the exit status tells whether everything was as fast as it must be."""
    options = _options()
    if os.geteuid() != 0:
        sys.exit("benchmarks: libvirt's system connection needs root")
    size = QUICK if options.quick else FULL
    ground, lines, began = Ground(), list[Line](), time.monotonic()
    with alone(), interruptible():
        try:
            with uninterruptible():
                ground.remove()
                ground.start()
            bench = Bench(ground, Path(sys.prefix), options.baseline.absolute(), size, _say)
            bench.prepare()
            for name in options.only or CASES:
                for line in CASES[name](bench):
                    lines.append(line)
                    print(_row(line, judged=not options.quick), flush=True)
        except KeyboardInterrupt as signal:
            print(f"benchmarks: ended by {signal}, cleaning up", file=sys.stderr)
            return 130
        except ProgramError as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            return 2
        finally:
            with uninterruptible():
                ground.remove()
    minutes = (time.monotonic() - began) / 60
    text = _report(lines, _given(options), judged=not options.quick, minutes=minutes)
    print(text)
    if options.save:
        options.save.write_text(text)
    return 1 if not options.quick and any(line.passed is False for line in lines) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--baseline", type=Path, default=ROOT / ".venv-bench", metavar="VENV",
        help="virtual environment with the package `ansible`",
    )  # fmt: skip
    parser.add_argument(
        "--quick", action="store_true", help="small and once, to see that it works; judges nothing"
    )
    parser.add_argument(
        "--only", action="append", choices=list(CASES), help="this case only; may be repeated"
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the table there, too")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _row(line: Line, *, judged: bool) -> str:
    marks = {True: ": yes", False: ": **no**"}
    mark = marks[line.passed] if judged and line.passed is not None else ""
    return (
        f"| {line.what} | {line.figure.wall:.2f} | {line.figure.cpu:.2f} | {line.verdict}{mark} |"
    )


def _given(options: argparse.Namespace) -> str:
    """The options that a reader would have to repeat."""
    words = ["--quick"] if options.quick else []
    for name in options.only or ():
        words += ["--only", name]
    words += ["--save", str(options.save)] if options.save else []
    return shlex.join(words)


def _report(lines: Sequence[Line], given: str, *, judged: bool, minutes: float) -> str:
    rows = "\n".join(_row(line, judged=judged) for line in lines)
    command = f"make bench ARGS={shlex.quote(given)}" if given else "make bench"
    return f"""# Results

Made by `{command}` on {day()} in {minutes:.0f} minutes.

{machine()}
Clock and processor time are medians; the latter has all child processes, but not libvirtd and
PostgreSQL.

{_HEAD}
{rows}
"""


if __name__ == "__main__":
    sys.exit(main())
