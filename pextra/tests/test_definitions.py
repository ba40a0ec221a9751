# SPDX-License-Identifier: Apache-2.0
"""Domains that are defined a few at a time, without libvirt: what fails, and what is left then."""

from __future__ import annotations

import signal
import threading

import pytest

from pextra.host.hypervisor.connection import Hypervisor
from pextra.host.machine import Host
from pextra.kinds.instance import actions
from pextra.kinds.instance.steps import DomainWork
from pextra.model import kinds
from pextra.model.errors import HostError
from pextra.model.plan import Phase, Step
from pextra.model.request import label

AT_ONCE = 4
STEPS = [
    Step(kinds.INSTANCE, f"inst-{number}", f"vm{number}", "define", Phase.HOST,
         work=DomainWork("qemu"))
    for number in range(40)
]  # fmt: skip


class Definitions:
    """What is done in place of defining domains: none is done before the first four are begun.

    Args:
        failing: Names of the instances that libvirt refuses.
    """

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.begun: list[str] = []
        self.at_work = threading.Barrier(AT_ONCE + 1)
        self.going_on = threading.Event()

    def define(self, step: Step, _host: Host) -> None:
        """Define a domain, or not."""
        self.begun.append(step.name)
        if not self.going_on.is_set():
            self.at_work.wait(60)
            assert self.going_on.wait(60)
        if step.name in self.failing:
            raise HostError("defining it failed", resource=label("instance", step.name))


@pytest.fixture(autouse=True)
def without_libvirt(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is made."""
    monkeypatch.setattr(Hypervisor, "connection", None)


def made(definitions: Definitions, monkeypatch: pytest.MonkeyPatch, *, stop: bool) -> None:
    """Define all of them, or be interrupted while four are at work."""

    def go_on() -> None:
        definitions.at_work.wait(60)
        if stop:
            signal.pthread_kill(main, signal.SIGINT)
            # One that is sent to the process, as by a terminal, every thread sees.
            monkeypatch.setattr(signal, "sigpending", lambda: {signal.SIGINT})
        definitions.going_on.set()

    main = threading.get_ident()
    monkeypatch.setattr(actions, "execute", definitions.define)
    beside = threading.Thread(target=go_on)
    beside.start()
    try:
        actions.execute_many(STEPS, Host())
    finally:
        beside.join()


def test_all_are_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    definitions = Definitions()
    made(definitions, monkeypatch, stop=False)
    assert sorted(definitions.begun) == sorted(step.name for step in STEPS)


def test_the_error_names_the_first_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    definitions = Definitions("vm2", "vm3", "vm39")
    with pytest.raises(HostError, match='instance "vm2": defining it failed'):
        made(definitions, monkeypatch, stop=False)


def test_an_interruption_ends_what_is_at_work_and_begins_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    definitions = Definitions()
    with pytest.raises(KeyboardInterrupt):
        made(definitions, monkeypatch, stop=True)
    assert len(definitions.begun) == AT_ONCE
