"""Run test suites (targets of the Makefile) one after the other and end with one table.

All run, also when an earlier one failed. The exit code is 0 only if every suite passed. A suite
that writes RESULTS/<suite>.xml (pytest's JUnit report) counts by its tests, any other as one.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one suite; `seconds` is wall time."""

    suite: str
    ok: bool
    seconds: float
    passed: int
    failed: int
    skipped: int


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


def run(suite: str, results: Path) -> Outcome:
    """Run one suite; its output goes straight to the screen."""
    report = results / f"{suite}.xml"
    report.unlink(missing_ok=True)
    print(f"\n=== {suite} ===", flush=True)
    began = time.monotonic()
    code = subprocess.run(["make", suite], check=False).returncode
    return counted(suite, code == 0, time.monotonic() - began, report)


def table(outcomes: list[Outcome]) -> str:
    """Lay out the outcomes, and a last line that sums the tests."""
    lines = [f"{'suite':<14}{'result':<8}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"]
    for outcome in outcomes:
        result = "ok" if outcome.ok else "FAILED"
        lines.append(
            f"{outcome.suite:<14}{result:<8}{outcome.passed:>8}{outcome.failed:>8}"
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
    parser.add_argument("--results", type=Path, required=True, help="folder of the reports")
    parser.add_argument("suites", nargs="+", help="targets of the Makefile")
    arguments = parser.parse_args()
    arguments.results.mkdir(parents=True, exist_ok=True)
    outcomes = [run(suite, arguments.results) for suite in arguments.suites]
    print(f"\n{table(outcomes)}", flush=True)
    return 0 if all(outcome.ok for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
