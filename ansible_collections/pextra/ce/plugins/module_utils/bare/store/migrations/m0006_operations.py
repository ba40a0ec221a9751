# Copied from pextra/store/migrations/m0006_operations.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""Operations: runs that somebody waits for or looks up later, and the lines of their logs."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.bare.store.migrations.migration import Migration

MIGRATION = Migration(
    6,
    "operations",
    (
        # Neither node nor organization is a reference: an operation outlives what it was about.
        """CREATE TABLE operations (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            options JSONB NOT NULL,
            actor TEXT NOT NULL,
            origin TEXT NOT NULL,
            door TEXT NOT NULL,
            organization_id TEXT,
            request_id TEXT NOT NULL,
            node_id TEXT,
            host_key TEXT NOT NULL,
            owner TEXT NOT NULL,
            state TEXT NOT NULL,
            progress FLOAT8 NOT NULL,
            line TEXT NOT NULL,
            cancel BOOL NOT NULL,
            result JSONB,
            error JSONB,
            creation TIMESTAMPTZ NOT NULL,
            started TIMESTAMPTZ,
            finished TIMESTAMPTZ)""",
        "CREATE INDEX operations_creation ON operations (creation)",
        "CREATE INDEX operations_host ON operations (host_key, state)",
        """CREATE TABLE operation_lines (
            id TEXT PRIMARY KEY,
            operation_id TEXT NOT NULL REFERENCES operations (id),
            number INT8 NOT NULL,
            at TIMESTAMPTZ NOT NULL,
            text TEXT NOT NULL,
            UNIQUE (operation_id, number))""",
    ),
)
