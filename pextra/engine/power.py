# SPDX-License-Identifier: Apache-2.0
"""The last steps of a run: what is started and stopped, and waited for together."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from pextra.engine.kind import AnyKind
from pextra.host.machine import Host
from pextra.model.errors import CancelledError, PextraError
from pextra.model.plan import Step


def carried_out(
    kinds: Mapping[str, AnyKind], groups: Iterable[Sequence[Step]], host: Host
) -> tuple[list[Step], list[PextraError]]:
    """Carry out steps; one that fails leaves no other of its kind down.

    What another kind is to do then may rely on it: nothing is run on a volume that did not go back.

    Args:
        kinds: The kinds by name.
        groups: The steps, in their order; looking for the next may raise CancelledError.
        host: This machine.

    Returns:
        The steps that have taken effect, and why others have not.
    """
    begun: list[Step] = []
    errors: list[PextraError] = []
    failing: set[str] = set()
    try:
        for group in groups:
            if failing - {group[0].kind}:
                break
            for step in group:
                try:
                    kinds[step.kind].execute_many([step], host)
                    begun.append(step)
                except PextraError as error:
                    errors.append(error)
                    failing.add(step.kind)
    except CancelledError as error:
        errors.append(error)
    done: list[Step] = []
    for kind, steps in itertools.groupby(begun, key=lambda step: step.kind):
        waited = list(steps)
        failed = kinds[kind].wait(waited, host)
        errors += failed.values()
        done += (step for step in waited if step.id not in failed)
    return done, errors
