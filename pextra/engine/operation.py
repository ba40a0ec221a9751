# SPDX-License-Identifier: Apache-2.0
"""What an operation is: a run that somebody waits for, or looks up later. Pure."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass

from pextra.model.fields import Row
from pextra.model.principal import Principal
from pextra.model.values import Value


class State(enum.StrEnum):
    """How an operation is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self not in (State.QUEUED, State.RUNNING)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an operation's log."""

    at: dt.datetime
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation.

    Attributes:
        name: What was called.
        options: With which options; without secrets.
        principal: Who asked.
        progress: How far it is, from 0 to 1.
        line: What it is doing, or did last.
        cancelling: Somebody asked it to stop.
        result: What the call answered.
        error: Why it failed: ``code``, ``message``, ``hint`` and ``errors``.
        node_id: The node that it runs on; None where that is no node yet.
        log: Its lines; only where one operation was asked for.
    """

    id: str
    name: str
    options: Mapping[str, Value]
    principal: Principal
    state: State
    progress: float
    line: str
    cancelling: bool
    result: Mapping[str, Value] | None
    error: Mapping[str, Value] | None
    node_id: str | None
    creation: dt.datetime
    started: dt.datetime | None
    finished: dt.datetime | None
    log: tuple[Line, ...] = ()


def of_row(row: Row, log: tuple[Line, ...]) -> Operation:
    """The operation that a row of the store keeps."""
    principal = Principal(
        row["actor"], row["origin"], row["door"], row["organization_id"], row["request_id"]
    )
    same = ("id", "name", "options", "progress", "line", "result", "error", "node_id")
    times = ("creation", "started", "finished")
    return Operation(
        **{key: row[key] for key in (*same, *times)},
        principal=principal, state=State(row["state"]), cancelling=row["cancel"], log=log,
    )  # fmt: skip
