# SPDX-License-Identifier: Apache-2.0
"""The store's tables, as its migrations make them."""

from __future__ import annotations

from scripts import row_types


def columns_of(table: str) -> set[str]:
    """The columns of a table."""
    found = row_types.columns(table)
    assert found
    return set(found)
