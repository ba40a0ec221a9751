# SPDX-License-Identifier: Apache-2.0
"""The last steps of a run: which of them are carried out when some fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pextra.engine import power
from pextra.engine.kind import Kind
from pextra.host.machine import Host
from pextra.model import kinds
from pextra.model.errors import CancelledError, HostError, PextraError
from pextra.model.plan import Phase, Step


class Machine(Kind[Any, None]):
    """A kind whose steps fail where their name says when: ``begin`` or ``wait``."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.waited: list[str] = []

    def execute(self, step: Step, host: Host) -> None:
        self.begun.append(step.name)
        if step.name.startswith("begin"):
            raise HostError(step.name)

    def wait(self, steps: Sequence[Step], host: Host) -> Mapping[str, PextraError]:
        self.waited += [step.name for step in steps]
        return {step.id: HostError(step.name) for step in steps if step.name.startswith("wait")}


def steps(kind: Any, *names: str) -> list[Step]:
    """Steps of these names."""
    return [Step(kind, f"id-{name}", name, "start", Phase.POWER) for name in names]


def carried_out(*groups: list[Step]) -> tuple[list[str], list[str], dict[str, Machine]]:
    """The names of the steps that took effect, what is told, and the kinds."""
    machines = {name: Machine() for name in (kinds.VOLUME_SNAPSHOT, kinds.INSTANCE)}
    done, errors = power.carried_out(machines, groups, Host())
    return [step.name for step in done], [str(error) for error in errors], machines


def test_one_that_fails_leaves_no_other_of_its_kind_down() -> None:
    done, errors, machines = carried_out(
        steps(kinds.INSTANCE, "begin-fails", "one", "wait-fails"), steps(kinds.INSTANCE, "two")
    )
    assert done == ["one", "two"]
    assert errors == ["begin-fails", "wait-fails"]
    assert machines[kinds.INSTANCE].waited == ["one", "wait-fails", "two"]


def test_another_kind_does_not_go_on_where_one_has_failed() -> None:
    done, errors, machines = carried_out(
        steps(kinds.VOLUME_SNAPSHOT, "begin-fails", "back"), steps(kinds.INSTANCE, "one")
    )
    assert done == ["back"]
    assert errors == ["begin-fails"]
    assert machines[kinds.INSTANCE].begun == []


def test_what_was_begun_before_a_run_is_cancelled_is_waited_for() -> None:
    def groups() -> Iterator[list[Step]]:
        yield steps(kinds.INSTANCE, "one")
        raise CancelledError("stop")

    machine = Machine()
    done, errors = power.carried_out({kinds.INSTANCE: machine}, groups(), Host())
    assert [step.name for step in done] == machine.waited == ["one"]
    assert [type(error) for error in errors] == [CancelledError]
