"""Run test suites (targets of the Makefile) and end with one table.

Each argument is a lane, SUITE or SUITE,SUITE,…: its suites run one after the other, and the lanes
beside each other, or as many of them as --jobs says. All run, also when one fails. What a suite
prints goes to RESULTS/<suite>.log and, as one block, to the screen when it ends; meanwhile a line
tells now and then what runs.

The exit code is 0 only if every suite passed. A suite that writes RESULTS/<suite>.xml (pytest's
JUnit report) counts by its tests, any other as one.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

PROGRESS_SECONDS = 20
"""Time between two lines that tell what runs."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one suite; `seconds` is wall time."""

    suite: str
    ok: bool
    seconds: float
    passed: int
    failed: int
    skipped: int


class Screen:
    """Blocks of output and progress of suites that run beside each other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, tuple[float, Path]] = {}

    def begin(self, suite: str, log: Path) -> None:
        """Note that a suite runs and writes to a log."""
        with self._lock:
            self._running[suite] = (time.monotonic(), log)

    def end(self, suite: str, ok: bool) -> float:
        """Show what a suite has written; returns the seconds that it took."""
        with self._lock:
            began, log = self._running.pop(suite)
            seconds = time.monotonic() - began
            result = "ok" if ok else "FAILED"
            text = log.read_text(errors="replace").rstrip()
            print(f"\n=== {suite} ===\n{text}\n=== {suite}: {result}, {seconds:.0f} s", flush=True)
        return seconds

    def progress(self) -> None:
        """Show what runs, for how long, and its latest line."""
        with self._lock:
            for suite, (began, log) in self._running.items():
                lines = log.read_text(errors="replace").split("\n")
                latest = next((line for line in reversed(lines) if line.strip()), "")
                print(f"{suite}: {time.monotonic() - began:.0f} s: {latest[-100:]}", flush=True)


def counted(suite: str, ok: bool, seconds: float, report: Path) -> Outcome:
    """Take the counts from the suite's report; without one the suite itself is the test."""
    if not report.exists():
        return Outcome(suite, ok, seconds, passed=int(ok), failed=int(not ok), skipped=0)
    # The report is this project's own, made a moment ago.
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))  # noqa: S314

    def total(attribute: str) -> int:
        return sum(int(element.get(attribute, "0")) for element in suites)

    failed = total("failures") + total("errors")
    skipped = total("skipped")
    passed = max(total("tests") - failed - skipped, 0)
    if not ok and not failed:  # pytest itself failed: nothing collected, interrupted, …
        failed = 1
    return Outcome(suite, ok, seconds, passed, failed, skipped)


def run(suite: str, results: Path, screen: Screen) -> Outcome:
    """Run one suite."""
    report, log = results / f"{suite}.xml", results / f"{suite}.log"
    report.unlink(missing_ok=True)
    with log.open("wb") as output:
        screen.begin(suite, log)
        code = subprocess.run(
            ["make", suite], check=False, stdout=output, stderr=subprocess.STDOUT
        ).returncode
    return counted(suite, code == 0, screen.end(suite, code == 0), report)


def run_lane(suites: list[str], results: Path, screen: Screen) -> list[Outcome]:
    """Run suites one after the other."""
    return [run(suite, results, screen) for suite in suites]


def run_lanes(lanes: Sequence[list[str]], results: Path, jobs: int) -> list[Outcome]:
    """Run so many lanes at a time; the outcomes are in the order of the arguments."""
    screen = Screen()
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(run_lane, lane, results, screen) for lane in lanes]
        waited = 0
        while not all(future.done() for future in futures):
            time.sleep(1)
            waited += 1
            if waited % PROGRESS_SECONDS == 0:
                screen.progress()
    return [outcome for future in futures for outcome in future.result()]


def table(outcomes: list[Outcome]) -> str:
    """Lay out the outcomes, and a last line that sums the tests."""
    width = max(14, *(len(outcome.suite) + 2 for outcome in outcomes))
    lines = [
        f"{'suite':<{width}}{'result':<8}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"
    ]
    for outcome in outcomes:
        result = "ok" if outcome.ok else "FAILED"
        lines.append(
            f"{outcome.suite:<{width}}{result:<8}{outcome.passed:>8}{outcome.failed:>8}"
            f"{outcome.skipped:>9}{outcome.seconds:>9.0f}"
        )
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    lines.append(f"total: {passed} passed, {failed} failed, {skipped} skipped")
    return "\n".join(lines)


def main() -> int:
    """Read the command line, run the suites, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--results", type=Path, required=True, help="folder of logs and reports")
    parser.add_argument("--jobs", type=int, help="lanes at a time, in their order; default: all")
    parser.add_argument("lanes", nargs="+", metavar="SUITE[,…]", help="targets of the Makefile")
    arguments = parser.parse_args()
    arguments.results.mkdir(parents=True, exist_ok=True)
    lanes = [lane.split(",") for lane in arguments.lanes]
    outcomes = run_lanes(lanes, arguments.results, arguments.jobs or len(lanes))
    print(f"\n{table(outcomes)}", flush=True)
    return 0 if all(outcome.ok for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
