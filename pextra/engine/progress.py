# SPDX-License-Identifier: Apache-2.0
"""How a run tells where it is, and is asked to stop."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from pextra.model.errors import CancelledError


@dataclass(frozen=True, slots=True)
class Event:
    """Where a run is.

    Attributes:
        phase: What it is doing: ``look``, ``host`` or ``power``.
        step: Which step of the phase begins, from 1.
        of: How many steps the phase has.
        text: What the step does, for people; never a secret.
    """

    phase: str
    step: int
    of: int
    text: str

    @property
    def fraction(self) -> float:
        """How much of the phase is done before this step, from 0 to 1."""
        return (self.step - 1) / self.of if self.of else 0.0


class Progress:
    """What follows a run; this one does not. Faces and operations override it."""

    def report(self, event: Event) -> None:
        """A step begins."""

    def stopping(self) -> bool:
        """Whether the run should stop before its next step."""
        return False


SILENT = Progress()


def begin(progress: Progress, event: Event) -> None:
    """Begin a step: tell it, or stop instead.

    Raises:
        CancelledError: Somebody asked the run to stop.
    """
    if progress.stopping():
        raise CancelledError(
            f"it was cancelled before step {event.step} of {event.of}: {event.text}",
            hint="What was done stays. Run it again to finish it",
        )
    progress.report(event)


def parts(progress: Progress, event: Event) -> Callable[[int, int], None]:
    """What tells how far a long step is: each further tenth of it once."""
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        tenths = 10 * done // total if total else 0
        if tenths > told:
            told = tenths
            progress.report(dataclasses.replace(event, text=f"{event.text}: {10 * tenths}%"))

    return tell
