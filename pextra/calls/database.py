# SPDX-License-Identifier: Apache-2.0
"""The store as a whole: bringing its schema up to date, and what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pextra.calls import secrets
from pextra.calls.call import Answer, Call, Procedure, options, plain, told
from pextra.kinds.common import within
from pextra.kinds.registry import KINDS
from pextra.model.errors import StoreError
from pextra.model.fields import Field
from pextra.model.names import KindName
from pextra.model.plan import Phase, Step
from pextra.model.values import Document
from pextra.store import schema
from pextra.store.transaction import Transaction

MOST_AUDIT_ROWS = 10_000
_AUDIT = (
    "SELECT id, at, actor, origin, action, kind, resource_id, name, before, after"
    " FROM audit_log ORDER BY at DESC, id LIMIT %s"
)
_TABLES = (
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()"
)


FIELDS = (Field("state", choices=("migrated",), default="migrated"),)
INFO_FIELDS = (Field("audit_limit", "int", default=10, parse=within(0, MOST_AUDIT_ROWS)),)


def _migrate(call: Call) -> Answer:
    options(FIELDS, call.given, "database")

    def work(tx: Transaction) -> tuple[str, int, int]:
        name = str(tx.query("SELECT current_database() AS name")[0]["name"])
        return name, *schema.migrate(tx, check=call.check)

    name, before, after = call.store.transact(work)
    if before != after and not call.check:
        migration = _step(name, "migrate", {"version": before}, {"version": after})
        # Not in the same transaction: CockroachDB fills columns that are new only when it ends.
        call.store.transact(lambda tx: call.audit(tx, [migration]))
    plain = 0
    if not call.check:
        plain = secrets.encrypt_plain(call.store, call.host, call.progress)
    elif before == after:
        plain = secrets.count_plain(call.store, call.host)
    return _migrated(name, before, after, plain, diff=call.diff)


def _migrated(name: str, before: int, after: int, plain: int, *, diff: bool) -> Answer:
    steps = [
        _step(name, "migrate", {"version": before}, {"version": after}),
        _step(name, "encrypt", {"plain_secrets": plain}, {"plain_secrets": 0}),
    ]
    return {
        **told([step for step in steps if step.before != step.after], diff=diff),
        "version_before": before,
        "version_after": after,
        "migrations": [
            {"version": item.version, "summary": item.summary}
            for item in schema.MIGRATIONS
            if before < item.version <= after
        ],
    }


def _step(name: str, action: str, before: Document, after: Document) -> Step:
    return Step(KindName("database"), name, name, action, Phase.STORE, before, after)


def _look(call: Call) -> Answer:
    limit = options(INFO_FIELDS, call.given, "database_info")["audit_limit"]
    try:
        seen = call.store.transact(lambda tx: look(tx, limit))
        found = {"reachable": True, "error": None, **seen}
    except StoreError as error:
        found = {"reachable": False, "error": error.as_dict(), **_UNKNOWN}
    return {"changed": False, "latest_version": schema.LATEST, **found}


_UNKNOWN: Mapping[str, Any] = {
    "server": None,
    "schema_version": None,
    "needs_migration": None,
    "counts": {},
    "audit": [],
}


def look(tx: Transaction, audit_limit: int) -> Document:
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
        "counts": _counts(tx, tables),
        "audit": [plain({**row, "id": str(row["id"])}) for row in audit],
    }


def _counts(tx: Transaction, tables: set[str]) -> dict[str, int]:
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
        statement = sql.SQL(" UNION ALL ").join(parts)
        counts |= {row["kind"]: row["rows"] for row in tx.query(statement)}
    return counts


PROCEDURES = (
    Procedure("database", FIELDS, _migrate, any_schema=True),
    Procedure("database_info", INFO_FIELDS, _look, any_schema=True),
)
