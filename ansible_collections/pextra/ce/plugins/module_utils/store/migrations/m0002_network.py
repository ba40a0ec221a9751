# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uplinks of vSwitches, and VLANs of port groups."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.store.migrations.migration import (
    Migration,
)

MIGRATION = Migration(
    2,
    "uplinks of vSwitches, and VLANs of port groups",
    (
        "ALTER TABLE vswitches ADD COLUMN uplinks JSONB NOT NULL DEFAULT '[]'",
        """ALTER TABLE vswitches ADD COLUMN bond JSONB NOT NULL
            DEFAULT '{"mode": "active-backup", "miimon": 100}'""",
        "ALTER TABLE port_groups ADD COLUMN trunk JSONB NOT NULL DEFAULT '[]'",
    ),
)
