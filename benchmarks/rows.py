# SPDX-License-Identifier: Apache-2.0
"""A line of a table that compares sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.timing import Figure

Say = Callable[[str], None]
"""Told a line of progress."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one side took for one piece of work; `passed` is whether it is as fast as it must be."""

    what: str
    side: str
    figure: Figure
    note: str = ""
    passed: bool | None = None
