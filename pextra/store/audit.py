# SPDX-License-Identifier: Apache-2.0
"""The audit log in the store: rows to be sealed, read by time and by resource, pruned."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pextra.model.errors import ConflictError
from pextra.model.fields import Row
from pextra.model.ids import LENGTH
from pextra.store.transaction import Transaction

if TYPE_CHECKING:
    from typing import LiteralString

    from pextra.store.connection import Store

_ID = re.compile(rf"[a-z]+-[A-Za-z0-9_-]{{{LENGTH}}}", re.ASCII)
SEALED_AT_ONCE = 2000
READ_AT_ONCE = 2000
PRUNED_AT_ONCE = 5000
_UNSEALED = (
    "SELECT row_to_json(t) AS row FROM audit_log AS t"
    " WHERE t.chain = %s AND t.sequence IS NULL LIMIT %s"
)
# Many rows of one chain wait only where there were rows before there were chains: by time, from
# where the last batch ended, so that none is looked at twice.
_UNSEALED_BY_TIME = (
    "SELECT row_to_json(t) AS row FROM audit_log AS t"
    " WHERE t.chain = %s AND t.sequence IS NULL AND t.at >= %s ORDER BY t.at, t.step, t.id LIMIT %s"
)
_SEAL = (
    "UPDATE audit_log AS t SET sequence = s.sequence, previous = s.previous, hash = s.hash"
    " FROM json_populate_recordset(NULL::audit_log, %s::json) AS s"
    " WHERE t.id = s.id AND t.sequence IS NULL RETURNING t.id"
)
_WALK = (
    "SELECT row_to_json(t) AS row FROM audit_log AS t"
    " WHERE t.chain = %s AND t.sequence > %s AND t.sequence <= %s ORDER BY t.sequence LIMIT %s"
)


@dataclass(frozen=True, slots=True)
class Chain:
    """What the store keeps of a chain beside its rows.

    Attributes:
        name: Its name.
        sequence: The number of its last row.
        hash: That row's hash.
        public_key: The key of its node, in hexadecimal.
        pruned: The signed record of where it was pruned.
        checkpoint: The last checkpoint that its node signed.
    """

    name: str
    sequence: int
    hash: str
    public_key: str | None
    pruned: Mapping[str, Any] | None
    checkpoint: Mapping[str, Any] | None


def chains(tx: Transaction, names: Sequence[str] | None = None) -> dict[str, Chain]:
    """Chains by name: all of them, or those named."""
    text = "SELECT * FROM audit_chains"
    if names is None:
        rows = tx.query(f"{text} ORDER BY chain")
    else:
        rows = tx.query(f"{text} WHERE chain = ANY(%s)", [list(names)])
    return {
        row["chain"]: Chain(
            row["chain"], row["sequence"], row["hash"], row["public_key"], row["pruned"],
            row["checkpoint"],
        )
        for row in rows
    }  # fmt: skip


def unsealed(tx: Transaction, chain: str, since: dt.datetime | None = None) -> list[Row]:
    """Some rows of a chain that are not sealed; with ``since``, the oldest from then on."""
    if since is None:
        found = tx.query(_UNSEALED, [chain, SEALED_AT_ONCE])
    else:
        found = tx.query(_UNSEALED_BY_TIME, [chain, since, SEALED_AT_ONCE])
    return [_timed(item["row"]) for item in found]


def is_waiting(tx: Transaction, chain: str) -> bool:
    """Whether a row of a chain is not sealed."""
    found = tx.query(
        "SELECT id FROM audit_log WHERE chain = %s AND sequence IS NULL LIMIT 1", [chain]
    )
    return bool(found)


def seal(
    tx: Transaction, chain: str, seals: Sequence[Mapping[str, object]], end: tuple[int, str]
) -> None:
    """Seal rows, and note the chain's end.

    Args:
        tx: The transaction that has read the rows and the chain's end.
        chain: The chain.
        seals: Identifier, number, previous hash and hash of each row.
        end: Number and hash of the last one.

    Raises:
        ConflictError: A row was removed meanwhile.
    """
    done = tx.query(_SEAL, [json.dumps(seals)])
    if len(done) != len(seals):
        raise ConflictError(f"{len(seals) - len(done)} audit rows went while they were sealed")
    note(tx, chain, sequence=end[0], hash=end[1])


def note(tx: Transaction, chain: str, **values: object) -> None:
    """Change what is kept of a chain, or begin to keep it."""
    from psycopg import sql

    kept = [json.dumps(item) if isinstance(item, dict) else item for item in values.values()]
    sets = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values)
    changed = tx.query(
        sql.SQL("UPDATE audit_chains SET {} WHERE chain = %s RETURNING chain").format(sets),
        [*kept, chain],
    )
    if not changed:
        begun = {"chain": chain, "sequence": 0, "hash": "0" * 64} | dict(
            zip(values, kept, strict=True)
        )
        tx.query(
            sql.SQL("INSERT INTO audit_chains ({}) VALUES ({}) RETURNING chain").format(
                sql.SQL(", ").join(map(sql.Identifier, begun)),
                sql.SQL(", ").join(sql.SQL("%s") for _name in begun),
            ),
            list(begun.values()),
        )


def hash_at(tx: Transaction, chain: str, sequence: int) -> str | None:
    """The hash of a row by its number; None where there is none."""
    found = tx.query(
        "SELECT hash FROM audit_log WHERE chain = %s AND sequence = %s", [chain, sequence]
    )
    return found[0]["hash"] if found else None


def walk(store: Store, chain: str, after: int, last: int) -> Iterator[Row]:
    """The rows of a chain by number, a batch at a time, so that no transaction is long."""
    while True:
        given = [chain, after, last, READ_AT_ONCE]
        found = store.transact(lambda tx, given=given: tx.query(_WALK, given), read_only=True)  # type: ignore[misc]
        for item in found:
            row = _timed(item["row"])
            after = row["sequence"]
            yield row
        if len(found) < READ_AT_ONCE:
            return


def names(tx: Transaction) -> list[str]:
    """Every chain of which there is a row."""
    found = tx.query(
        # From one to the next by index, as there are few and rows are many.
        "WITH RECURSIVE c AS ((SELECT chain FROM audit_log ORDER BY chain LIMIT 1) UNION ALL"
        " SELECT (SELECT min(t.chain) FROM audit_log AS t WHERE t.chain > c.chain) FROM c"
        " WHERE c.chain IS NOT NULL) SELECT chain FROM c WHERE chain IS NOT NULL"
    )
    return [row["chain"] for row in found]


def last(tx: Transaction, chain: str) -> int:
    """The number of the last row of a chain, 0 without any."""
    found = tx.query(
        "SELECT sequence FROM audit_log WHERE chain = %s AND sequence IS NOT NULL"
        " ORDER BY sequence DESC LIMIT 1",
        [chain],
    )
    return int(found[0]["sequence"]) if found else 0


def nodes(tx: Transaction, chains: Sequence[str]) -> dict[str, str]:
    """The names of the nodes that chains are of."""
    found = tx.query("SELECT host_key, name FROM nodes WHERE host_key = ANY(%s)", [list(chains)])
    return {row["host_key"]: row["name"] for row in found}


def waiting(tx: Transaction, chain: str, before: dt.datetime, limit: int) -> list[Row]:
    """Rows of a chain that were written before a moment and are not sealed."""
    return tx.query(
        "SELECT id, at FROM audit_log WHERE chain = %s AND sequence IS NULL AND at < %s"
        " ORDER BY at LIMIT %s",
        [chain, before, limit],
    )


def prunable(tx: Transaction, chain: Chain, after: int, before: dt.datetime) -> int:
    """The number of the last row of a chain that is older than a moment, as are all before it."""
    younger = tx.query(
        "SELECT sequence FROM audit_log WHERE chain = %s AND sequence > %s AND at >= %s"
        " ORDER BY sequence LIMIT 1",
        [chain.name, after, before],
    )
    return int(younger[0]["sequence"]) - 1 if younger else chain.sequence


def prune(store: Store, chain: str, through: int) -> int:
    """Remove the rows of a chain up to a number; how many there were."""
    count = 0
    while True:

        def work(tx: Transaction) -> int:
            rows = tx.query(
                "DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE chain = %s"
                " AND sequence <= %s ORDER BY sequence LIMIT %s) RETURNING id",
                [chain, through, PRUNED_AT_ONCE],
            )
            return len(rows)

        removed = store.transact(work, ordered=False)
        count += removed
        if removed < PRUNED_AT_ONCE:
            return count


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are looked for; None does not narrow it.

    Attributes:
        since: Written at this moment or later.
        until: Written before this moment.
        user: Whose.
        kind: About this kind of resource.
        resource: About the resource with this identifier or name.
        action: This step's verb.
        outcome: What came of it.
        organization: Of somebody of this organization.
        request: Of this request, or of what was done with it together.
        after: Older than the row with this time, step and identifier: the next page.
        limit: At most so many.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    user: str | None = None
    kind: str | None = None
    resource: str | None = None
    action: str | None = None
    outcome: str | None = None
    organization: str | None = None
    request: str | None = None
    after: tuple[dt.datetime, int, str] | None = None
    limit: int = 100


def page(tx: Transaction, wanted: Wanted) -> list[Row]:
    """The newest rows that are looked for, the newest first."""
    from psycopg import sql

    tests, values = _tests(wanted)
    where = sql.SQL("WHERE {} ").format(sql.SQL(" AND ").join(map(sql.SQL, tests)))
    query = sql.SQL("SELECT row_to_json(t) AS row FROM audit_log AS t {}{}").format(
        where if tests else sql.SQL(""),
        sql.SQL("ORDER BY t.at DESC, t.step DESC, t.id DESC LIMIT %s"),
    )
    return [_timed(item["row"]) for item in tx.query(query, [*values, wanted.limit])]


def _tests(wanted: Wanted) -> tuple[list[LiteralString], list[object]]:
    """Conditions, and their parameters."""
    same = {
        "t.actor = %s": wanted.user,
        "t.kind = %s": wanted.kind,
        "t.action = %s": wanted.action,
        "t.outcome = %s": wanted.outcome,
        "t.organization_id = %s": wanted.organization,
        "t.at >= %s": wanted.since,
        "t.at < %s": wanted.until,
    }
    tests = [test for test, value in same.items() if value is not None]
    values: list[object] = [value for value in same.values() if value is not None]
    if wanted.outcome not in (None, "succeeded"):
        tests.append("t.outcome <> 'succeeded'")  # what the index of these says
    if wanted.resource is not None:
        # One of them, so that it is one index that is read.
        is_id = _ID.fullmatch(wanted.resource) is not None
        tests.append("t.resource_id = %s" if is_id else "t.name = %s")
        values.append(wanted.resource)
    if wanted.request is not None:
        tests.append("(t.request_id = %s OR t.correlation_id = %s)")
        values += [wanted.request, wanted.request]
    if wanted.after is not None:
        tests.append("(t.at, t.step, t.id) < (%s, %s, %s::uuid)")
        values += wanted.after
    return tests, values


def _timed(row: dict[str, Any]) -> Row:
    row["at"] = dt.datetime.fromisoformat(row["at"])
    return row
