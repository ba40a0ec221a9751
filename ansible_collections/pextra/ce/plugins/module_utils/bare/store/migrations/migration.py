# Copied from pextra/store/migrations/migration.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""What a migration is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; never edited once released."""

    version: int
    summary: str
    statements: tuple[str, ...]
