# SPDX-License-Identifier: Apache-2.0
"""Running programs and measuring them."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 10.0
"""Seconds that a program gets to end by itself after SIGTERM."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run took, children included.

    Attributes:
        wall: Seconds on the clock.
        cpu: Seconds of processors.
        memory: Most MiB that one of its processes had.
    """

    wall: float
    cpu: float
    memory: float = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """The medians of several runs."""

    samples: tuple[Sample, ...]

    @property
    def wall(self) -> float:
        """Seconds on the clock."""
        return statistics.median(item.wall for item in self.samples)

    @property
    def cpu(self) -> float:
        """Seconds of processors."""
        return statistics.median(item.cpu for item in self.samples)


class ProgramError(Exception):
    """A measured program failed."""


def measure(
    argv: Sequence[str], environment: Mapping[str, str], log: Path, given: Path = Path(os.devnull)
) -> Sample:
    """Run a program to its end, with a file as its standard input.

    It is in a session of its own, and gone with all its children when this one is interrupted.

    Raises:
        ProgramError: It failed; the message has the end of its output.
    """
    with log.open("wb") as output, given.open("rb") as standard_input:
        began = time.monotonic()
        process = subprocess.Popen(
            argv, env=dict(environment), stdin=standard_input, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
        try:
            _pid, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            _end(process)
            raise
        wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        raise ProgramError(f"{' '.join(argv)} failed with {process.returncode}:\n{tail}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)


def side_by_side(
    repeats: int, runs: Mapping[str, Callable[[], Sample]], say: Callable[[str], None]
) -> dict[str, Figure]:
    """Each of the runs so many times, taking turns, so that all have the same luck."""
    taken: dict[str, list[Sample]] = {name: [] for name in runs}
    for number in range(repeats):
        for name, run in runs.items():
            sample = run()
            taken[name].append(sample)
            say(f"{name}, {number + 1} of {repeats}: {sample.wall:.2f} s")
    return {name: Figure(tuple(samples)) for name, samples in taken.items()}


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn the signals that end a program into an exception, so that what is left is cleaned up."""

    def leave(number: int, _frame: object) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    former = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def uninterruptible() -> Iterator[None]:
    """Let the signals that end a program wait until the cleaning up is done."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    former = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
