# SPDX-License-Identifier: Apache-2.0
"""Rows in memory that are read as those of the store are, and counted."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pextra.model.fields import Row
from pextra.model.spec import KindSpec


class Rows:
    """A source of rows.

    Attributes:
        queries: How often a kind's rows were read.
        read: How many of a kind's rows were read.
    """

    def __init__(self, rows: Mapping[str, Iterable[Row]]) -> None:
        self._rows = {kind: list(items) for kind, items in rows.items()}
        self.queries: Counter[str] = Counter()
        self.read: Counter[str] = Counter()

    def select(
        self, spec: KindSpec, where: Mapping[str, Sequence[Any]], limit: int | None = None
    ) -> list[Row]:
        """Copies of rows of a kind whose columns have one of these values each."""
        found = [
            copy.deepcopy(row)
            for row in self._rows.get(spec.name, ())
            if all(row.get(column) in values for column, values in where.items())
        ][:limit]
        self.queries[spec.name] += 1
        self.read[spec.name] += len(found)
        return found

    def count(self, spec: KindSpec, column: str, values: Sequence[Any]) -> dict[Any, int]:
        """How many rows of a kind have each of these values in a column."""
        self.queries[spec.name] += 1
        rows = self._rows.get(spec.name, ())
        return dict(Counter(row[column] for row in rows if row[column] in values))
