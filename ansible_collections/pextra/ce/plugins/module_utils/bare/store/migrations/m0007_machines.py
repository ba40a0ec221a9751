# Copied from pextra/store/migrations/m0007_machines.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""The order of an instance's network devices, and what its guest's cloud-init knows it as."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.bare.store.migrations.migration import Migration

MIGRATION = Migration(
    7,
    "order of network devices, identities for cloud-init",
    (
        # Those that are there already had the order of their names, and keep it.
        "ALTER TABLE network_devices ADD COLUMN position INT8 NOT NULL DEFAULT 0",
        "ALTER TABLE instances ADD COLUMN cloud_init_id TEXT",
    ),
)
