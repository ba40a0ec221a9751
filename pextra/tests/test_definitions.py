# SPDX-License-Identifier: Apache-2.0
"""Domains that are defined a few at a time, without libvirt: what fails, and what is left then."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent import futures

import pytest

from pextra.host.hypervisor.connection import Hypervisor
from pextra.host.machine import Host
from pextra.kinds.instance import actions
from pextra.kinds.instance.steps import DomainWork
from pextra.model import kinds
from pextra.model.errors import HostError
from pextra.model.plan import Phase, Step
from pextra.model.request import label

STEPS = [
    Step(kinds.INSTANCE, f"inst-{number}", f"vm{number}", "define", Phase.HOST,
         work=DomainWork("qemu"))
    for number in range(40)
]  # fmt: skip


class Definitions:
    """What is done in place of defining a domain.

    Args:
        failing: Names of the instances that libvirt refuses.
    """

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.begun: list[str] = []
        self.handed_over = threading.Event()
        self.released = threading.Event()
        self._lock = threading.Lock()

    def define(self, step: Step, _host: Host) -> None:
        """Define a domain, or not; none is done before all of the first four are begun."""
        with self._lock:
            self.begun.append(step.name)
            is_fourth = len(self.begun) == 4
        if is_fourth:
            self.at_work()
        assert self.released.wait(60)
        if step.name in self.failing:
            raise HostError("defining it failed", resource=label("instance", step.name))

    def at_work(self) -> None:
        """Four are at work."""
        self.released.set()


class Interrupted(Definitions):
    """Somebody interrupts while four are at work, which end when no more are to begin."""

    def at_work(self) -> None:
        """Interrupt, as Ctrl-C does."""
        assert self.handed_over.wait(60)
        main = threading.main_thread().ident
        assert main is not None
        # One that comes just before it begins to wait does not wake it up.
        while not self.released.is_set():
            signal.pthread_kill(main, signal.SIGINT)
            self.released.wait(5)


def made(definitions: Definitions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Define all of them."""
    waited: Callable[..., object] = futures.wait

    def wait(*given: object, **more: object) -> object:
        definitions.handed_over.set()
        return waited(*given, **more)

    class Pool(futures.ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            definitions.released.set()
            super().shutdown(wait=wait)

    monkeypatch.setattr(Hypervisor, "connection", None)
    monkeypatch.setattr(actions, "execute", definitions.define)
    monkeypatch.setattr(futures, "wait", wait)
    monkeypatch.setattr(futures, "ThreadPoolExecutor", Pool)
    actions.execute_many(STEPS, Host())


def test_all_are_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    definitions = Definitions()
    made(definitions, monkeypatch)
    assert sorted(definitions.begun) == sorted(step.name for step in STEPS)


def test_the_error_names_the_first_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    definitions = Definitions("vm2", "vm3", "vm39")
    with pytest.raises(HostError, match='instance "vm2": defining it failed'):
        made(definitions, monkeypatch)


def test_an_interruption_ends_what_is_at_work_and_begins_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    definitions = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        made(definitions, monkeypatch)
    assert len(definitions.begun) == 4
