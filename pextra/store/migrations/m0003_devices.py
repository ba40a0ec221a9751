# SPDX-License-Identifier: Apache-2.0
"""Devices and snapshots of instances, read-only volumes, chipsets, containers from archives."""

from __future__ import annotations

from pextra.store.migrations.migration import Migration

MIGRATION = Migration(
    3,
    "devices of instances",
    (
        "ALTER TABLE instances ADD COLUMN chipset TEXT NOT NULL DEFAULT 'q35'",
        "ALTER TABLE instances ADD COLUMN rootfs_archive TEXT",
        "ALTER TABLE instances ADD COLUMN restored_from TEXT",
        "ALTER TABLE volumes ADD COLUMN read_only BOOL NOT NULL DEFAULT FALSE",
        """CREATE TABLE instance_devices (
            id TEXT PRIMARY KEY,
            instance_id TEXT NOT NULL REFERENCES instances (id),
            name TEXT NOT NULL,
            type TEXT NOT NULL,
            options JSONB NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (instance_id, name))""",
        """CREATE TABLE instance_snapshots (
            id TEXT PRIMARY KEY,
            instance_id TEXT NOT NULL REFERENCES instances (id),
            node_id TEXT NOT NULL REFERENCES nodes (id),
            name TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            memory BOOL NOT NULL,
            state TEXT NOT NULL,
            volumes JSONB NOT NULL,
            reverting BOOL NOT NULL,
            reverted TIMESTAMPTZ,
            status TEXT NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (instance_id, name))""",
    ),
)
