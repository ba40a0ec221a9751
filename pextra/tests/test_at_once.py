# SPDX-License-Identifier: Apache-2.0
"""What is asked of libvirt by several threads at the same time."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from pextra.host.hypervisor.connection import some_at_once


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100])
def test_answers_are_in_the_order_of_the_questions(count: int) -> None:
    assert some_at_once(str, range(count)) == [str(number) for number in range(count)]


def test_several_are_under_way_at_once() -> None:
    together = threading.Barrier(3, timeout=30)
    assert len(some_at_once(lambda _item: together.wait(), range(3))) == 3


def test_the_first_that_fails_is_told_and_the_rest_left_out() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item in (5, 6):
            raise ValueError(f"no {item}")
        return item

    with pytest.raises(ValueError, match="no 5"):
        some_at_once(work, range(1000))
    assert len(begun) < 100


def test_an_interruption_leaves_out_what_has_not_begun() -> None:
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        if item == 3:
            # Of this thread, as others of the tests' own would take one of the process.
            signal.raise_signal(signal.SIGINT)
        time.sleep(0.002)  # so that this thread has its turn before nothing is left

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            some_at_once(work, range(1000))
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(begun) < 1000
