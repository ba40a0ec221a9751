"""A signal between any two steps of the main thread while others run."""

from __future__ import annotations

import os
import signal
import sys
import time
from types import FrameType
from typing import Any

import pytest
from killed import places

from pextra_mirror import interrupt

POOL = ("concurrent/futures/thread.py", "concurrent/futures/_base.py", "threading.py")
"""Where the main thread holds locks that others wait for."""
LATE = 0.5
"""Seconds after which the signal comes if the step is never reached."""


def interrupted(step: int | None) -> int:
    """Hand work to threads, in a process of its own, which is interrupted before a step.

    Args:
        step: A line of the pool's code, as the main thread comes to it; None: they are counted.

    Returns:
        How many there were.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            seen, over = 0, step is None

            def stop() -> None:
                nonlocal over
                over = True

            def trace(frame: FrameType, event: str, _argument: Any) -> Any:
                nonlocal seen
                if not frame.f_code.co_filename.endswith(POOL):
                    return None
                if event == "line":
                    seen += 1
                    if seen == step:
                        signal.raise_signal(signal.SIGINT)
                return trace

            def work() -> None:
                while not over:
                    time.sleep(0.005)

            interrupt.arrange()
            if step is not None:
                signal.setitimer(signal.ITIMER_REAL, LATE)
                signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
            try:
                sys.settrace(trace)
                with interrupt.threads(2, stop) as pool:
                    for job in [pool.submit(work) for _number in range(4)]:
                        job.result()
                code = 0 if step is None else 2
            except interrupt.Interrupted:
                code = 0 if step is not None else 3
            finally:
                sys.settrace(None)
            os.write(writer, str(seen).encode())
        except BaseException as error:  # the parent tells of it
            os.write(2, f"{error!r}\n".encode())
        finally:
            os._exit(code)
    os.close(writer)
    try:
        with os.fdopen(reader) as pipe:
            found = pipe.read()
    finally:  # also when the test's time is over
        if sys.exc_info()[0]:
            os.kill(child, signal.SIGKILL)
        _pid, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, f"before step {step}"
    return int(found)


@pytest.mark.timeout(300)
def test_a_signal_before_any_step_ends_the_threads_and_is_told() -> None:
    count = interrupted(None)
    assert count > 100
    for step in places(count, 120):
        interrupted(step + 1)
