# SPDX-License-Identifier: Apache-2.0
"""The store's tables, as its migrations make them."""

from __future__ import annotations

import re

from pextra.store.schema import MIGRATIONS


def columns_of(table: str) -> set[str]:
    """The columns of a table."""
    text = " ".join(item for step in MIGRATIONS for item in step.statements)
    body = re.search(rf"CREATE TABLE {table} \((.*?)\)\s*(?:CREATE|ALTER|$)", text, re.DOTALL)
    assert body is not None
    added = set(re.findall(rf"ALTER TABLE {table} ADD COLUMN (\w+)", text))
    return added | set(re.findall(r"(\w+) (?:TEXT|INT8|BOOL|JSONB|TIMESTAMPTZ)", body.group(1)))
