# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store as a whole: bringing its schema up to date, and what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.pextra.ce.plugins.module_utils.errors import (
    InputError,
    PextraError,
    StoreError,
)
from ansible_collections.pextra.ce.plugins.module_utils.kinds.registry import KINDS
from ansible_collections.pextra.ce.plugins.module_utils.module import DATABASE, Module, plain
from ansible_collections.pextra.ce.plugins.module_utils.store import schema
from ansible_collections.pextra.ce.plugins.module_utils.store.connection import Store, Transaction

if TYPE_CHECKING:
    import psycopg

    from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Row

MOST_AUDIT_ROWS = 10_000
_AUDIT = (
    "SELECT id, at, actor, origin, action, kind, resource_id, name, before, after"
    " FROM audit_log ORDER BY at DESC, id LIMIT %s"
)
_TABLES = (
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()"
)


def run_database() -> None:
    """The whole of the module ``database``."""
    spec = {
        "state": {"type": "str", "choices": ["migrated"], "default": "migrated"},
        "database": DATABASE,
    }
    module = Module(argument_spec=spec, supports_check_mode=True)
    store = Store(module.params["database"], any_schema=True)
    try:
        before, after = schema.migrate(store, check=module.check_mode)
        name = store.connect().info.dbname
    except PextraError as error:
        module.fail(error)
    finally:
        store.close()
    module.exit_json(**_migrated(name, before, after, diff=module._diff))


def _migrated(name: str, before: int, after: int, *, diff: bool) -> dict[str, Any]:
    changed = before != after
    step = {
        "kind": "database",
        "name": name,
        "action": "migrate",
        "before": {"version": before},
        "after": {"version": after},
        "needs_restart": False,
    }
    found: dict[str, Any] = {
        "changed": changed,
        "plan": [step] if changed else [],
        "version_before": before,
        "version_after": after,
        "migrations": [
            {"version": item.version, "summary": item.summary}
            for item in schema.MIGRATIONS
            if before < item.version <= after
        ],
    }
    if diff:
        head = f"database {name} (migrate)"
        found["diff"] = [
            {
                "before_header": head,
                "after_header": head,
                "before": step["before"],
                "after": step["after"],
            }
        ] * changed
    return found


def run_database_info() -> None:
    """The whole of the module ``database_info``."""
    spec = {"audit_limit": {"type": "int", "default": 10}, "database": DATABASE}
    module = Module(argument_spec=spec, supports_check_mode=True)
    limit = module.params["audit_limit"]
    if not 0 <= limit <= MOST_AUDIT_ROWS:
        module.fail(InputError(f"audit_limit: {limit} is not between 0 and {MOST_AUDIT_ROWS}"))
    store = Store(module.params["database"], any_schema=True)
    try:
        seen = store.transact(lambda tx: look(tx, store.connect(), limit))
        found = {"reachable": True, "error": None, **seen}
    except StoreError as error:
        found = {"reachable": False, "error": error.as_dict(), **_UNKNOWN}
    except PextraError as error:
        module.fail(error)
    finally:
        store.close()
    module.exit_json(changed=False, latest_version=schema.LATEST, **found)


_UNKNOWN: Mapping[str, Any] = {
    "server": None,
    "schema_version": None,
    "needs_migration": None,
    "counts": {},
    "audit": [],
}


def look(tx: Transaction, connection: psycopg.Connection[Row], audit_limit: int) -> dict[str, Any]:
    """Server, schema version, number of rows by kind and the newest audit rows.

    Tables that the schema does not have yet count as empty.
    """
    version = schema.version(tx)
    tables = {row["name"] for row in tx.query(_TABLES)}
    audit = tx.query(_AUDIT, (audit_limit,)) if "audit_log" in tables else []
    return {
        "server": tx.query("SELECT version() AS v")[0]["v"],
        "schema_version": version,
        "needs_migration": version < schema.LATEST,
        "counts": _counts(tx, connection, tables),
        "audit": [plain({**row, "id": str(row["id"])}) for row in audit],
    }


def _counts(
    tx: Transaction, connection: psycopg.Connection[Row], tables: set[str]
) -> dict[str, int]:
    """The number of rows by kind, from one query."""
    from psycopg import sql

    counts = dict.fromkeys(KINDS, 0)
    parts = [
        sql.SQL("SELECT {} AS kind, count(*) AS rows FROM {}").format(
            sql.Literal(name), sql.Identifier(kind.spec.table)
        )
        for name, kind in KINDS.items()
        if kind.spec.table in tables
    ]
    if parts:
        statement = sql.SQL(" UNION ALL ").join(parts).as_string(connection)
        counts |= {row["kind"]: row["rows"] for row in tx.query(statement)}
    return counts
