# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables, as forward-only migrations in SQL that PostgreSQL and CockroachDB both run.

Invariants that must hold however many runs there are at once are constraints here: names,
device paths and MAC addresses are unique, references exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.pextra.ce.plugins.module_utils.errors import StoreError

if TYPE_CHECKING:
    from ansible_collections.pextra.ce.plugins.module_utils.store.connection import (
        Store,
        Transaction,
    )


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; never edited once released."""

    version: int
    summary: str
    statements: tuple[str, ...]


_FIRST = Migration(
    1,
    "organizations to instances, and the audit log",
    (
        """CREATE TABLE organizations (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            description TEXT NOT NULL DEFAULT '',
            creation TIMESTAMPTZ NOT NULL)""",
        """CREATE TABLE datacenters (
            id TEXT PRIMARY KEY,
            organization_id TEXT NOT NULL REFERENCES organizations (id),
            name TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            location JSONB,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (organization_id, name))""",
        """CREATE TABLE clusters (
            id TEXT PRIMARY KEY,
            organization_id TEXT NOT NULL REFERENCES organizations (id),
            datacenter_id TEXT NOT NULL REFERENCES datacenters (id),
            name TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (datacenter_id, name))""",
        """CREATE TABLE nodes (
            id TEXT PRIMARY KEY,
            organization_id TEXT NOT NULL REFERENCES organizations (id),
            cluster_id TEXT NOT NULL REFERENCES clusters (id),
            name TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            host_key TEXT NOT NULL UNIQUE,
            ip_address TEXT,
            wol_mac TEXT,
            hostname TEXT,
            os JSONB,
            time JSONB,
            hardware JSONB,
            pce_version TEXT,
            last_seen TIMESTAMPTZ,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (cluster_id, name))""",
        """CREATE TABLE node_licenses (
            id TEXT PRIMARY KEY,
            node_id TEXT NOT NULL UNIQUE REFERENCES nodes (id),
            key TEXT NOT NULL UNIQUE,
            edition TEXT NOT NULL,
            customer TEXT NOT NULL,
            not_before TIMESTAMPTZ NOT NULL,
            expiry TIMESTAMPTZ NOT NULL,
            creation TIMESTAMPTZ NOT NULL)""",
        """CREATE TABLE users (
            id TEXT PRIMARY KEY,
            organization_id TEXT NOT NULL REFERENCES organizations (id),
            username TEXT NOT NULL,
            password_hash TEXT,
            linux_user TEXT,
            description TEXT NOT NULL DEFAULT '',
            enabled BOOL NOT NULL DEFAULT TRUE,
            locked BOOL NOT NULL DEFAULT FALSE,
            mfa_enabled BOOL NOT NULL DEFAULT FALSE,
            is_root BOOL NOT NULL DEFAULT FALSE,
            expiry TIMESTAMPTZ,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (organization_id, username))""",
        """CREATE TABLE storage_pools (
            id TEXT PRIMARY KEY,
            cluster_id TEXT NOT NULL REFERENCES clusters (id),
            name TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            type TEXT NOT NULL,
            options JSONB NOT NULL,
            status TEXT NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (cluster_id, name))""",
        """CREATE TABLE storage_pool_nodes (
            id TEXT PRIMARY KEY,
            storage_pool_id TEXT NOT NULL REFERENCES storage_pools (id),
            node_id TEXT NOT NULL REFERENCES nodes (id),
            name TEXT NOT NULL,
            internal_id TEXT,
            error TEXT,
            status TEXT NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (storage_pool_id, node_id))""",
        """CREATE TABLE vswitches (
            id TEXT PRIMARY KEY,
            cluster_id TEXT NOT NULL REFERENCES clusters (id),
            node_id TEXT NOT NULL REFERENCES nodes (id),
            name TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            mtu INT8 NOT NULL,
            status TEXT NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (cluster_id, name))""",
        """CREATE TABLE port_groups (
            id TEXT PRIMARY KEY,
            node_id TEXT NOT NULL REFERENCES nodes (id),
            vswitch_id TEXT NOT NULL REFERENCES vswitches (id),
            name TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            vlan_id INT8,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (node_id, name))""",
        """CREATE TABLE instances (
            id TEXT PRIMARY KEY,
            cluster_id TEXT NOT NULL REFERENCES clusters (id),
            node_id TEXT NOT NULL REFERENCES nodes (id),
            name TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            type TEXT NOT NULL,
            cpu JSONB NOT NULL,
            memory INT8 NOT NULL,
            firmware TEXT NOT NULL,
            autostart BOOL NOT NULL,
            boot_order JSONB NOT NULL,
            cdrom TEXT,
            cloud_init JSONB,
            rootfs TEXT,
            status TEXT NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (cluster_id, name))""",
        """CREATE TABLE network_devices (
            id TEXT PRIMARY KEY,
            instance_id TEXT NOT NULL REFERENCES instances (id),
            port_group_id TEXT NOT NULL REFERENCES port_groups (id),
            name TEXT NOT NULL,
            mac TEXT NOT NULL UNIQUE,
            model TEXT NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (instance_id, name))""",
        """CREATE TABLE volumes (
            id TEXT PRIMARY KEY,
            storage_pool_id TEXT NOT NULL REFERENCES storage_pools (id),
            node_id TEXT NOT NULL REFERENCES nodes (id),
            name TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            size INT8 NOT NULL,
            format TEXT NOT NULL,
            image TEXT,
            instance_id TEXT REFERENCES instances (id),
            device_name TEXT,
            device_path TEXT,
            bus TEXT,
            is_root BOOL NOT NULL DEFAULT FALSE,
            status TEXT NOT NULL,
            creation TIMESTAMPTZ NOT NULL,
            UNIQUE (storage_pool_id, node_id, name),
            UNIQUE (instance_id, device_name),
            UNIQUE (instance_id, device_path))""",
        """CREATE TABLE audit_log (
            id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
            at TIMESTAMPTZ NOT NULL DEFAULT now(),
            actor TEXT NOT NULL,
            origin TEXT NOT NULL,
            action TEXT NOT NULL,
            kind TEXT NOT NULL,
            resource_id TEXT NOT NULL,
            name TEXT NOT NULL,
            before JSONB,
            after JSONB)""",
        "CREATE INDEX audit_log_at ON audit_log (at)",
    ),
)

MIGRATIONS = (_FIRST,)
LATEST = MIGRATIONS[-1].version
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
    return int(tx.query("SELECT coalesce(max(version), 0) AS v FROM schema_migrations")[0]["v"])


def check_version(tx: Transaction) -> None:
    """Refuse a schema that this program does not know.

    Raises:
        StoreError: The schema is older or newer than the program.
    """
    have = version(tx)
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


def migrate(store: Store, *, check: bool) -> tuple[int, int]:
    """Bring the schema to the latest version; the versions before and after.

    Raises:
        StoreError: The schema is newer than the program, or a statement failed.
    """

    def work(tx: Transaction) -> tuple[int, int]:
        have = version(tx)
        if have > LATEST:
            check_version(tx)
        if not check and have < LATEST:
            tx.execute(_VERSION_TABLE)
            for migration in MIGRATIONS[have:]:
                for statement in migration.statements:
                    tx.execute(statement)
                tx.query(
                    "INSERT INTO schema_migrations (version) VALUES (%s) RETURNING version",
                    (migration.version,),
                )
        return have, LATEST

    return store.transact(work)
