# SPDX-License-Identifier: Apache-2.0
"""Audit rows say what came of an attempt, and are sealed into a chain of hashes of each node."""

from __future__ import annotations

from pextra.store.migrations.migration import Migration

MIGRATION = Migration(
    10,
    "chains of audit rows",
    (
        # Rows that are there already become a chain of their own, which the next sealing begins.
        "ALTER TABLE audit_log ADD COLUMN chain TEXT NOT NULL DEFAULT 'earlier'",
        "ALTER TABLE audit_log ADD COLUMN step INT8 NOT NULL DEFAULT 0",
        "ALTER TABLE audit_log ADD COLUMN correlation_id TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE audit_log ADD COLUMN outcome TEXT NOT NULL DEFAULT 'succeeded'",
        "ALTER TABLE audit_log ADD COLUMN message TEXT",
        "ALTER TABLE audit_log ADD COLUMN sequence INT8",
        "ALTER TABLE audit_log ADD COLUMN previous TEXT",
        "ALTER TABLE audit_log ADD COLUMN hash TEXT",
        # A chain cannot fork. Rows that are not sealed yet are found by it, too: null is unlike
        # null, and sorted together.
        "CREATE UNIQUE INDEX audit_log_chain ON audit_log (chain, sequence)",
        "CREATE INDEX audit_log_time ON audit_log (at, step, id)",
        "DROP INDEX audit_log_at",
        "CREATE INDEX audit_log_actor ON audit_log (actor, at)",
        "CREATE INDEX audit_log_name ON audit_log (name, at)",
        "CREATE INDEX audit_log_failures ON audit_log (at) WHERE outcome <> 'succeeded'",
        # Nothing refers to a node: what it did outlives it.
        """CREATE TABLE audit_chains (
            chain TEXT PRIMARY KEY,
            sequence INT8 NOT NULL,
            hash TEXT NOT NULL,
            public_key TEXT,
            pruned JSONB,
            checkpoint JSONB)""",
    ),
)
