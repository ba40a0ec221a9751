# Copied from pextra/store/migrations/m0002_network.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""Uplinks of vSwitches, and what port groups ask of ports."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.bare.store.migrations.migration import Migration

MIGRATION = Migration(
    2,
    "uplinks of vSwitches, and what port groups ask of ports",
    (
        "ALTER TABLE vswitches ADD COLUMN uplinks JSONB NOT NULL DEFAULT '[]'",
        """ALTER TABLE vswitches ADD COLUMN bond JSONB NOT NULL
            DEFAULT '{"mode": "active-backup", "miimon": 100}'""",
        "ALTER TABLE vswitches ADD COLUMN addressing JSONB",
        "ALTER TABLE port_groups ADD COLUMN trunk JSONB NOT NULL DEFAULT '[]'",
        "ALTER TABLE port_groups ADD COLUMN promiscuous BOOL NOT NULL DEFAULT FALSE",
        "ALTER TABLE port_groups ADD COLUMN mac_changes BOOL NOT NULL DEFAULT TRUE",
        "ALTER TABLE port_groups ADD COLUMN forged_transmits BOOL NOT NULL DEFAULT TRUE",
        "ALTER TABLE port_groups ADD COLUMN isolated BOOL NOT NULL DEFAULT FALSE",
        "ALTER TABLE port_groups ADD COLUMN rate_limit JSONB NOT NULL DEFAULT '{}'",
    ),
)
