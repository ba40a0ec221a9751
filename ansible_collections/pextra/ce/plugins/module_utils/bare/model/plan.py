# Copied from pextra/model/plan.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""A plan: ordered steps as pure data."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from ansible_collections.pextra.ce.plugins.module_utils.bare.model.names import AnyName
from ansible_collections.pextra.ce.plugins.module_utils.bare.model.values import Document, Value

Shown: TypeAlias = Mapping[str, Value] | None
"""What a step says of how something is, or will be; None where it says nothing."""


class Phase(enum.IntEnum):
    """When a step is carried out."""

    STORE = 0
    """In the transaction that claims names and ids."""
    HOST = 1
    """On the host, between the two transactions."""
    POWER = 2
    """After everything is in place; waiting happens here."""


@dataclass(frozen=True, slots=True)
class Work:
    """What executing a step needs besides the step; each kind derives its own."""


_Own = TypeVar("_Own", bound=Work)


@dataclass(frozen=True, slots=True)
class Step:
    """One change.

    Attributes:
        kind: Kind of the resource.
        id: Its identifier.
        name: Its name.
        action: A verb, such as ``create``, ``update``, ``delete``, ``grow``, ``start``.
        phase: When it happens.
        before: Public values that it changes, as they are.
        after: Public values that it changes, as they will be.
        needs_restart: It takes effect only by restarting the instance.
        work: What executing it needs; never shown. Steps of the store need none.
    """

    kind: AnyName
    id: str
    name: str
    action: str
    phase: Phase
    before: Shown = None
    after: Shown = None
    needs_restart: bool = False
    work: Work | None = field(default=None, compare=False, repr=False)

    def work_as(self, own: type[_Own]) -> _Own:
        """The work, as its kind knows it.

        Raises:
            TypeError: It is another kind's.
        """
        if not isinstance(self.work, own):
            raise TypeError(f"{self.kind} {self.action}: the work is {type(self.work).__name__}")
        return self.work

    def as_dict(self) -> Document:
        """The step as a task returns it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "action": self.action,
            "before": dict(self.before) if self.before is not None else None,
            "after": dict(self.after) if self.after is not None else None,
            "needs_restart": self.needs_restart,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order in which they are carried out."""

    steps: tuple[Step, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def of(self, phase: Phase) -> tuple[Step, ...]:
        """The steps of one phase."""
        return tuple(step for step in self.steps if step.phase is phase)
