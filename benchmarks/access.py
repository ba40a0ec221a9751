# SPDX-License-Identifier: Apache-2.0
"""Measure decisions on access beside Cedar and pycasbin, and compare them with Cedar's.

`make bench-access` sets everything up and runs this; `make bench-access ARGS=--help` shows options.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.access_cases import differences
from benchmarks.access_sides import Casbin, Cedar, Ours, Request, Side
from benchmarks.report import day, machine
from pextra.access.attributes import Resource
from pextra.access.statements import Effect, Policy, Statement

BLOCK = 0.05
"""Seconds that a side is asked before it is another's turn."""
AHEAD = 10
"""Times as fast as each of the others we have to be."""
MOST = 0.001
"""Seconds that a decision by 100 policies may take."""
REQUESTS = 64
SEED = 20261130
HEAD = (
    "| statements | request | with | decision, µs | times ours | reading the policies, ms |\n"
    "| --- | --- | --- | ---: | ---: | ---: |"
)


@dataclass(frozen=True, slots=True)
class Row:
    """What a side took."""

    size: str
    what: str
    side: str
    decision: float
    preparation: float


def main() -> int:
    """Measure and compare; 1 where it is too slow or decides something else than Cedar."""
    options = _options()
    began = time.monotonic()
    if options.compare is not None:
        return _compared(options.compare, options.seed)
    rows = [
        row
        for size, policies in _sizes()
        for row in measured(size, policies, 3 if options.quick else 15)
    ]
    missed = missing(rows)
    count = 2_000 if options.quick else 100_000
    found = list(itertools.islice(differences(count, options.seed), 20))
    verdict = (
        f"{count:,} random cases without rules, seed {options.seed}: {len(found)}"
        f"{' or more' if len(found) == 20 else ''} differences to Cedar in the decision or in the"
        " statement that it is due to."
    )
    text = report(rows, missed, verdict, shlex.join(sys.argv[1:]), time.monotonic() - began)
    print(text)
    print(*found, sep="\n", file=sys.stderr)
    if options.save:
        options.save.write_text(text)
    return 1 if missed or found else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-access", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less often, to see that it works")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the table there, too")
    parser.add_argument("--seed", type=int, default=SEED, help="of the random cases")
    parser.add_argument("--compare", type=int, metavar="N", help="only compare in N random cases")
    return parser.parse_args()


def _compared(count: int, seed: int) -> int:
    found = list(itertools.islice(differences(count, seed), 20))
    print(*found, f"{len(found)} differences in {count} cases", sep="\n")
    return 1 if found else 0


def _identifier(prefix: str, number: int) -> str:
    return f"{prefix}-{number:021d}"


def _policy(name: str, first: int, count: int) -> Policy:
    """Statements as an administrator writes them.

    Most name one resource, a tenth a pattern; a tenth deny. The last allows reading ``last(…)``.
    """
    statements = [
        Statement(
            Effect.DENY if number % 10 == 3 else Effect.ALLOW,
            ("instance.read" if number % 2 else "instance.*",),
            (f"vol-{number}*" if number % 10 == 7 else _identifier("inst", number),),
        )
        for number in range(first, first + count - 1)
    ]
    last = Statement(Effect.ALLOW, ("instance.read",), (_identifier("inst", first + count - 1),))
    return Policy(name, (*statements, last))


def _sizes() -> list[tuple[str, list[Policy]]]:
    return [
        ("25", [_policy("p", 0, 25)]),
        ("1,024", [_policy("p", 0, 1024)]),
        ("100 policies of 25", [_policy(f"p{n}", 25 * n, 25) for n in range(100)]),
    ]


def _requests(policies: Sequence[Policy]) -> dict[str, list[Request]]:
    last = policies[-1].statements[-1].resources[0]
    chain = (_identifier("dc", 1), _identifier("cls", 1), _identifier("node", 1))

    def asked(key: str) -> Request:
        return Request("instance.read", Resource("instance", key, "org-1", chain))

    nothing = [asked(_identifier("inst", 10**9 + number)) for number in range(REQUESTS)]
    return {"the last statement allows": [asked(last)] * REQUESTS, "nothing matches": nothing}


def measured(size: str, policies: list[Policy], repeats: int) -> list[Row]:
    """Each side with the same policies and requests, taking turns."""
    sides: list[Side] = [Ours(), Cedar(), Casbin()]
    for side in sides:
        side.prepare([])  # which loads the library
    took = {side.name: _timed(functools.partial(side.prepare, policies)) for side in sides}
    rows = []
    for what, requests in _requests(policies).items():
        if len({side.allows(requests[0]) for side in sides}) > 1:
            raise RuntimeError(f"the sides decide differently: {size}, {what}")
        asked = {side.name: [side.question(request) for request in requests] for side in sides}
        blocks: dict[str, list[float]] = {name: [] for name in asked}
        for _ in range(repeats):
            for name, questions in asked.items():
                blocks[name].append(_block(questions))
        for name, times in blocks.items():
            rows.append(Row(size, what, name, statistics.median(times), took[name]))
            print(f"  {size}, {what}, {name}: {rows[-1].decision * 1e6:.1f} µs", file=sys.stderr)
    return rows


def _timed(function: Callable[[], None]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def _block(questions: Sequence[Callable[[], Any]]) -> float:
    """Seconds that one question takes, over at least ``BLOCK``."""
    asked, began = 0, time.perf_counter()
    while True:
        for question in questions:
            question()
            asked += 1
            if asked % 16 == 0 or asked < 16:
                passed = time.perf_counter() - began
                if passed >= BLOCK:
                    return passed / asked


def _ours(rows: Sequence[Row]) -> dict[tuple[str, str], float]:
    return {(row.size, row.what): row.decision for row in rows if row.side == Ours.name}


def missing(rows: Sequence[Row]) -> list[str]:
    """What is slower than it must be."""
    ours = _ours(rows)
    slow = [
        f"{row.size}, {row.what}: {row.side} takes {row.decision / ours[row.size, row.what]:.1f}"
        f" times as long, less than {AHEAD}"
        for row in rows
        if row.side != Ours.name and row.decision < AHEAD * ours[row.size, row.what]
    ]
    return slow + [
        f"{size}, {what}: {taken * 1e3:.2f} ms, more than {MOST * 1e3:.0f}"
        for (size, what), taken in ours.items()
        if taken > MOST
    ]


def report(
    rows: Sequence[Row], missed: Sequence[str], verdict: str, given: str, seconds: float
) -> str:
    """The table, and where it comes from."""
    ours = _ours(rows)
    lines = [
        f"| {row.size} | {row.what} | {row.side} | {row.decision * 1e6:.1f} "
        f"| {row.decision / ours[row.size, row.what]:.1f} | {row.preparation * 1e3:.1f} |"
        for row in rows
    ]
    command = f"make bench-access ARGS={shlex.quote(given)}" if given else "make bench-access"
    aims = f"At least {AHEAD} times as fast as the others, at most 1 ms with 100 policies: "
    return "\n".join([
        "# Results of decisions on access", "",
        f"Made by `{command}` on {day()} in {seconds / 60:.0f} minutes.", "", machine(), "",
        HEAD, *lines, "", aims + ("yes." if not missed else f"no. {'; '.join(missed)}."), "",
        verdict, "",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
