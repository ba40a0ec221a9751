# SPDX-License-Identifier: Apache-2.0
"""Restarts that were begun, so that a machine that was shut down for one is started again."""

from __future__ import annotations

from pextra.store.migrations.migration import Migration

MIGRATION = Migration(
    8, "restarts that were begun", ("ALTER TABLE instances ADD COLUMN restarting TEXT",)
)
