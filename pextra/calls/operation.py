# SPDX-License-Identifier: Apache-2.0
"""A call as an operation: kept with its progress, log and result, to be looked up later."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from pextra.calls import registry
from pextra.calls.call import Answer, Procedure
from pextra.engine.operations import Operations
from pextra.engine.progress import SILENT, Progress
from pextra.host.machine import Host
from pextra.model.principal import Principal
from pextra.model.values import Options
from pextra.store.connection import Store

MASK = "********"
_SHORT = 4
"""Secrets of fewer characters are masked only where they are a whole value."""


def queue(
    procedure: Procedure, given: Options, principal: Principal, store: Store, host: Host
) -> str:
    """Keep a call that will be carried out; the operation's identifier."""
    rest = {key: value for key, value in given.items() if key != "database"}
    shown = registry.masked(procedure, rest).shown
    options = masking(procedure, given)(shown)
    return Operations(store, host).queue(procedure.name, options, principal)


def carry_out(
    id: str,
    procedure: Procedure,
    given: Options,
    principal: Principal,
    store: Store,
    host: Host,
    *,
    diff: bool = False,
    progress: Progress = SILENT,
) -> Answer:
    """Carry out a call that was queued; its answer.

    Raises:
        PextraError: It was refused, it failed, or it was cancelled; that is kept, too.
    """
    asker = dataclasses.replace(principal, request_id=principal.request_id or id)

    def work(follow: Progress) -> Answer:
        return registry.call(
            procedure, given, asker, diff=diff, progress=follow, store=store, host=host
        )

    mask = masking(procedure, given)
    return dict(Operations(store, host).carry_out(id, work, also=progress, masked=mask))


def masking(procedure: Procedure, given: Options) -> Callable[[Any], Any]:
    """What takes the secrets of a call out of any value."""
    secrets = sorted(registry.masked(procedure, given).secrets, key=len, reverse=True)

    def masked(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: masked(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [masked(item) for item in value]
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            return value
        if str(value) in secrets:
            return MASK
        if isinstance(value, str):
            for secret in secrets:
                if len(secret) >= _SHORT:
                    value = value.replace(secret, MASK)
        return value

    return masked
