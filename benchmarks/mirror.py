# SPDX-License-Identifier: Apache-2.0
"""Measure pextra-mirror side by side with plain aptly and debmirror.

`make bench-mirror` sets everything up and runs this; `make bench-mirror ARGS=--help` shows options.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.mirror_sides import Aptly, Debmirror, Ours, Side, Source
from benchmarks.report import day, machine
from benchmarks.timing import Figure, ProgramError, Sample, interruptible, uninterruptible

SIZES, BESIDE = (200, 2_000, 20_000), (2_000, 20_000)
QUICK = (50, 100)
HEAD = (
    "| packages | what | with | clock, s | processor, s | moved, kB | clock, ratio |\n"
    "| ---: | --- | --- | ---: | ---: | ---: | ---: |"
)
BYTES = 10_000
"""Contents of each package."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one side took for one piece of work; bytes are those over the network or to a stick."""

    count: int
    what: str
    side: str
    figure: Figure
    moved: int


def main() -> int:
    """Measure; the exit status tells whether it could be done."""
    options = _options()
    sizes = QUICK if options.quick else SIZES
    repeats = 1 if options.quick else 3
    began = time.monotonic()
    rows: list[Row] = []
    with interruptible():
        for count in sizes:
            beside = count in (QUICK[-1:] if options.quick else BESIDE)
            folder = Path(tempfile.mkdtemp(prefix="pxb-", dir="/var/tmp"))
            folder.chmod(0o755)
            source = Source(folder, count, BYTES)
            try:
                kinds = (Ours, Aptly, Debmirror) if beside else (Ours,)
                rows += measured(source, [kind(source) for kind in kinds], repeats)
            except KeyboardInterrupt as signal:
                print(f"benchmarks: ended by {signal}, cleaning up", file=sys.stderr)
                return 130
            except ProgramError as error:
                print(f"benchmarks: {error}", file=sys.stderr)
                return 2
            finally:
                with uninterruptible():
                    source.remove()
    text = report(rows, shlex.join(sys.argv[1:]), (time.monotonic() - began) / 60)
    print(text)
    if options.save:
        options.save.write_text(text)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-mirror", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, to see that it works")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the table there, too")
    return parser.parse_args()


def measured(source: Source, sides: list[Side], repeats: int) -> Iterator[Row]:
    """All pieces of work on a source, each side in turn."""
    for side in sides:
        side.prepare()
    taken: dict[tuple[str, str], list[Sample]] = {}
    moved: dict[tuple[str, str], int] = {}

    def note(what: str, side: Side, found: tuple[Sample, int]) -> None:
        taken.setdefault((what, side.name), []).append(found[0])
        moved[what, side.name] = found[1]
        print(f"  {time.strftime('%H:%M:%S')} {source.count} packages, {what}, {side.name}: "
              f"{found[0].wall:.2f} s", file=sys.stderr, flush=True)  # fmt: skip

    source.advance()
    for side in sides:
        note("first sync", side, side.sync())
        side.carry()
    for _ in range(repeats):
        for side in sides:
            note("sync, nothing new", side, side.sync())
    for _ in range(repeats):
        source.advance()
        for side in sides:
            note("sync, 1% new", side, side.sync())
        for side in sides:
            note("export of that", side, side.export())
            note("import of that", side, side.take())
    for (what, name), samples in taken.items():
        yield Row(source.count, what, name, Figure(tuple(samples)), moved[what, name])


def report(rows: list[Row], given: str, minutes: float) -> str:
    """The table, and where it comes from."""
    ours = {(row.count, row.what): row.figure.wall for row in rows if row.side == Ours.name}
    lines = [
        f"| {row.count} | {row.what} | {row.side} | {row.figure.wall:.2f} | {row.figure.cpu:.2f} "
        f"| {row.moved / 1000:.0f} | {row.figure.wall / ours[row.count, row.what]:.2f} |"
        for row in rows
    ]
    command = f"make bench-mirror ARGS={shlex.quote(given)}" if given else "make bench-mirror"
    return "\n".join([
        "# Results of the mirror", "", f"Made by `{command}` on {day()} in {minutes:.0f} minutes.",
        "", machine(), "Clock and processor time are medians; the latter has all child processes, "
        "but not the source's nginx.", "", HEAD, *lines, "",
    ])  # fmt: skip


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("benchmarks: nginx is run as root here")
    sys.exit(main())
