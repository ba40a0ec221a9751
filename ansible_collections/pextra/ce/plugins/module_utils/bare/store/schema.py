# Copied from pextra/store/schema.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""The tables, as forward-only migrations in SQL that PostgreSQL and CockroachDB both run.

One file each in ``migrations``, numbered without gaps. Invariants that must hold however many
runs there are at once are constraints there: names, device paths and MAC addresses are unique,
references exist.
"""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.bare.model.errors import StoreError
from ansible_collections.pextra.ce.plugins.module_utils.bare.store import failures
from ansible_collections.pextra.ce.plugins.module_utils.bare.store.migrations import (
    m0001_core,
    m0002_network,
    m0003_devices,
    m0004_storage,
    m0005_scopes,
    m0006_operations,
    m0007_machines,
    m0008_restarts,
    m0009_secrets,
    m0010_audit,
    m0011_access,
)
from ansible_collections.pextra.ce.plugins.module_utils.bare.store.transaction import Transaction

MIGRATIONS = (
    m0001_core.MIGRATION,
    m0002_network.MIGRATION,
    m0003_devices.MIGRATION,
    m0004_storage.MIGRATION,
    m0005_scopes.MIGRATION,
    m0006_operations.MIGRATION,
    m0007_machines.MIGRATION,
    m0008_restarts.MIGRATION,
    m0009_secrets.MIGRATION,
    m0010_audit.MIGRATION,
    m0011_access.MIGRATION,
)
LATEST = MIGRATIONS[-1].version
VERSION = b"SELECT coalesce(max(version), 0) AS version FROM schema_migrations"
_VERSION_TABLE = (
    "CREATE TABLE IF NOT EXISTS schema_migrations"
    " (version INT8 PRIMARY KEY, applied TIMESTAMPTZ NOT NULL DEFAULT now())"
)


def version(tx: Transaction) -> int:
    """The schema's version, 0 where there are no tables yet."""
    found = tx.query(
        "SELECT count(*) AS tables FROM pg_catalog.pg_tables"
        " WHERE tablename = 'schema_migrations' AND schemaname = current_schema()"
    )
    if not found[0]["tables"]:
        return 0
    return int(tx.query(VERSION.decode())[0]["version"])


def check_version(have: int) -> None:
    """Refuse a schema that this program does not know.

    Args:
        have: The schema's version.

    Raises:
        StoreError: It is older or newer than the program.
    """
    if have > LATEST:
        raise StoreError(
            f"the database's schema has version {have}, this program knows up to {LATEST}",
            hint="Upgrade pextra.ce on this machine",
        )
    if have < LATEST:
        raise StoreError(
            f"the database's schema has version {have}, this program needs {LATEST}",
            hint="Run the module pextra.ce.database with state=migrated first",
        )


def _check_encoding(tx: Transaction) -> None:
    """Refuse to make tables that do not take every letter.

    Raises:
        StoreError: The database has another encoding than UTF-8.
    """
    encoding = str(tx.query("SHOW server_encoding")[0]["server_encoding"])
    if encoding.upper().replace("-", "") != "UTF8":
        raise StoreError(
            f"the database has the encoding {encoding}, and UTF8 is needed", hint=failures.ENCODING
        )


def migrate(tx: Transaction, *, check: bool) -> tuple[int, int]:
    """Bring the schema to the latest version; the versions before and after.

    Raises:
        StoreError: The schema is newer than the program, or the new database is not in UTF-8.
        psycopg.Error: A statement failed.
    """
    have = version(tx)
    if have > LATEST:
        check_version(have)
    if not have:
        _check_encoding(tx)
    if not check and have < LATEST:
        tx.execute(_VERSION_TABLE)
        for migration in (item for item in MIGRATIONS if item.version > have):
            for statement in migration.statements:
                tx.execute(statement)
            tx.query(
                "INSERT INTO schema_migrations (version) VALUES (%s) RETURNING version",
                (migration.version,),
            )
    return have, LATEST
