# Copied from pextra/store/migrations/m0009_secrets.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""The keys that secrets are encrypted with: which there are, and which nodes have them.

The keys themselves are files of the nodes. Secrets that are in the store already are encrypted
right after this, a batch a transaction, by what migrates.
"""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.bare.store.migrations.migration import Migration

MIGRATION = Migration(
    9,
    "keys of encrypted secrets",
    (
        # The version is unique, so that two nodes that make the first key at once have one.
        """CREATE TABLE secret_keys (
            id TEXT PRIMARY KEY,
            version INT8 NOT NULL UNIQUE,
            state TEXT NOT NULL,
            creation TIMESTAMPTZ NOT NULL)""",
        # Until it is gone, there may be secrets that are in the clear: no key at all.
        "INSERT INTO secret_keys (id, version, state, creation) VALUES ('none', 0, 'plain', now())",
        # No reference to nodes: a machine has keys before it is one.
        """CREATE TABLE secret_key_hosts (
            key_id TEXT NOT NULL REFERENCES secret_keys (id),
            host_key TEXT NOT NULL,
            PRIMARY KEY (key_id, host_key))""",
        # What the seed is called, so that looking at it needs no secret; see instance/seeds.py.
        "ALTER TABLE instances ADD COLUMN seed TEXT",
    ),
)
