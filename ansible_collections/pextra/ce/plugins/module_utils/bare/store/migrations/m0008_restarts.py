# Copied from pextra/store/migrations/m0008_restarts.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""Restarts that were begun, so that a machine that was shut down for one is started again."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.bare.store.migrations.migration import Migration

MIGRATION = Migration(
    8, "restarts that were begun", ("ALTER TABLE instances ADD COLUMN restarting TEXT",)
)
