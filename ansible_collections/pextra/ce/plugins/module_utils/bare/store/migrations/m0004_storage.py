# Copied from pextra/store/migrations/m0004_storage.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""Credentials of storage pools apart from their options, LUNs, and snapshots of volumes."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.bare.store.migrations.migration import Migration

MIGRATION = Migration(
    4,
    "credentials of storage pools, LUNs, snapshots of volumes",
    (
        "ALTER TABLE storage_pools ADD COLUMN secrets JSONB NOT NULL DEFAULT '{}'",
        "ALTER TABLE volumes ADD COLUMN lun INT8",
        "CREATE UNIQUE INDEX volumes_lun ON volumes (storage_pool_id, lun)",
        """CREATE TABLE volume_snapshots (
            id TEXT PRIMARY KEY,
            volume_id TEXT NOT NULL REFERENCES volumes (id),
            node_id TEXT NOT NULL REFERENCES nodes (id),
            name TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            size INT8 NOT NULL,
            status TEXT NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (volume_id, name))""",
    ),
)
