# SPDX-License-Identifier: Apache-2.0
"""Measure the medium: how long it takes to build, to install from, and to boot.

`make bench-medium` sets everything up and runs this; `make bench-medium ARGS=--help` shows options.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import medium_boot, medium_build, medium_install
from benchmarks.report import day, machine
from benchmarks.rows import Row, Say
from benchmarks.timing import ProgramError, interruptible
from pextra_image.run import ImageError

PARTS: dict[str, Callable[[Path, Say], Iterator[Row]]] = {
    "build": medium_build.rows,
    "install": medium_install.rows,
    "boot": medium_boot.rows,
}
TITLE = """\
# Results of the medium

Figures of several runs are medians. Processor time has all child processes; what a machine in QEMU
takes is not told apart. `make bench-medium ARGS='--save benchmarks/MEDIUM.md'` makes all of it.
"""
HEAD = (
    "| what | with | clock, s | processor, s | clock, ratio | |\n"
    "| --- | --- | ---: | ---: | ---: | --- |"
)


def main() -> int:
    """Measure; the exit status tells whether it could be done and is as fast as it must be."""
    options = _options()
    rows: list[Row] = []
    with interruptible():
        try:
            for part in options.only or PARTS:
                began = time.monotonic()
                with tempfile.TemporaryDirectory(prefix="pxb-", dir="/var/tmp") as name:
                    found = list(PARTS[part](Path(name), _say))
                text = section(part, found, (time.monotonic() - began) / 60)
                print(text, flush=True)
                if options.save:
                    save(options.save, part, text)
                rows += found
        except KeyboardInterrupt as signal:
            print(f"benchmarks: ended by {signal}, cleaned up", file=sys.stderr)
            return 130
        except (ProgramError, ImageError) as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            return 2
    return 1 if any(row.passed is False for row in rows) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-medium", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=list(PARTS), help="this part only; may be repeated"
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the table there, too")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def section(part: str, rows: list[Row], minutes: float) -> str:
    """A part's table, and where it comes from; ratios are to the first line of the same work."""
    first: dict[str, float] = {}
    lines = []
    for row in rows:
        ratio = row.figure.wall / first.setdefault(row.what, row.figure.wall)
        processor = f"{row.figure.cpu:.1f}" if row.figure.cpu else ""
        lines.append(
            f"| {row.what} | {row.side} | {row.figure.wall:.1f} | {processor} | {ratio:.2f} |"
            f" {row.note} |"
        )
    command = f"make bench-medium ARGS='--only {part}'"
    return "\n".join([
        f"## {part}", "", f"Made by `{command}` on {day()} in {minutes:.0f} minutes.",
        "", machine(), "", HEAD, *lines, "",
    ])  # fmt: skip


def save(path: Path, part: str, text: str) -> None:
    """Put a part's section into a file; those of the other parts stay as they are."""
    there = path.read_text().split("\n## ")[1:] if path.exists() else []
    sections = {one.partition("\n")[0]: f"## {one.rstrip()}\n" for one in there}
    sections[part] = text
    path.write_text("\n".join([TITLE, *(sections[name] for name in PARTS if name in sections)]))


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("benchmarks: file systems are made and mounted as root")
    sys.exit(main())
