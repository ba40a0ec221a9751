# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Audit rows are sealed by who wrote them or comes next, and nothing waits for it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

from ansible_collections.pextra.ce.tests.integration.audit_log import (
    chain,
    findings,
    rows,
    several,
    verified,
)
from ansible_collections.pextra.ce.tests.integration.lab import Lab, succeeded
from pextra.access.audit.canonical import canonical
from pextra.store import schema
from pextra.store.connection import Store

MANY = 16


# Sealing


def test_rows_are_sealed_when_a_run_is_over(lab: Lab) -> None:
    last = several(lab)
    assert lab.sql("SELECT id FROM audit_log WHERE sequence IS NULL") == []
    found = verified(lab)
    assert found["whole"]
    assert [item["last"] for item in found["chains"] if item["rows"]] == [last]


def test_what_is_exported_can_be_checked_by_anybody(lab: Lab) -> None:
    last = several(lab)
    status, out, _err = lab.command("audit", "export")
    assert status == 0
    previous = "0" * 64
    for number, line in enumerate(reversed(out.splitlines()), 1):
        row = json.loads(line)
        hash = row.pop("hash")
        assert (row["sequence"], row["previous"]) == (number, previous)
        text = b"pextra.audit.v1\n" + canonical(row)
        assert hashlib.sha256(text).hexdigest() == hash
        previous = hash
    assert number == last
    path = lab.directory / "export.jsonl"
    assert lab.command("audit", "export", "--output", str(path))[0] == 0
    assert path.read_text() == out
    status, _out, err = lab.command("audit", "export", "--output", str(path))
    assert (status, "cannot be made" in err) == (1, True)


def test_many_at_once_do_not_stand_in_each_others_way(lab: Lab) -> None:
    lab.run("organization", name="first")
    before = tries(lab)
    jobs = [lab.job("organization", {"name": f"org{number}"}) for number in range(MANY)]
    assert all(succeeded(item).changed for item in lab.together(jobs))
    jobs = [
        lab.job("organization", {"name": f"org{number}", "description": "x"})
        for number in range(MANY)
    ]
    assert all(succeeded(item).changed for item in lab.together(jobs))
    assert lab.sql("SELECT id FROM audit_log WHERE sequence IS NULL") == []
    assert verified(lab)["whole"]
    assert chain(lab)["sequence"] - before == 2 * MANY


def tries(lab: Lab) -> int:
    """How far the chain is."""
    return int(chain(lab)["sequence"])


def test_sealing_keeps_no_transaction_from_committing(lab: Lab) -> None:
    """Ordered among serialisable ones it would: a run, what it read, and sealing are a circle."""
    from pextra.engine import sealing
    from pextra.host.machine import Host
    from pextra.model.names import KindName
    from pextra.model.plan import Phase, Step
    from pextra.model.principal import Principal
    from pextra.store.transaction import Transaction

    lab.run("organization", name="other")
    step = Step(KindName("thing"), "t", "t", "make", Phase.STORE)
    with Store(lab.database) as store, Host(*lab.directories) as host:
        tries, who = list[int](), Principal("ann", "here", "test")
        store.transact(lambda tx: tx.audit([step], who, host.key))

        def work(tx: Transaction) -> None:
            tries.append(len(tries))
            tx.query("SELECT description FROM organizations WHERE name = 'other'")
            change = f"UPDATE organizations SET description = 'x{len(tries)}' WHERE name = 'other'"
            store.transact(lambda other: other.execute(change))
            assert sealing.seal_all(store, host) == (1 if len(tries) == 1 else 0)
            tx.audit([step], who, host.key)

        store.transact(work)
        assert tries == [0]
        assert sealing.seal_all(store, host) == 1
    assert len(rows(lab, kind="thing")) == 2


def test_what_is_written_while_the_chains_are_checked_is_no_finding(lab: Lab) -> None:
    from pextra.calls.audit_verification import Verification
    from pextra.engine import sealing
    from pextra.host.machine import Host
    from pextra.model.names import KindName
    from pextra.model.plan import Phase, Step
    from pextra.model.principal import Principal

    with Store(lab.database) as store, Host(*lab.directories) as host:
        stop, who = threading.Event(), Principal("ann", "here", "test")
        step = Step(KindName("thing"), "t", "t", "make", Phase.STORE)

        def write() -> None:
            while not stop.is_set():
                store.transact(lambda tx: tx.audit([step] * 3, who, host.key))
                sealing.seal_all(store, host, sign=True)

        # The first checkpoint says whose the chain is, which was another lab's.
        sealing.seal_all(store, host, sign=True)
        writer = threading.Thread(target=write)
        writer.start()
        try:
            found = [Verification(store, host, ()).run() for _turn in range(25)]
        finally:
            stop.set()
            writer.join()
    assert [item["findings"] for item in found] == [[]] * 25
    assert len({str(item["chains"]) for item in found}) > 1


def test_a_run_that_is_killed_anywhere_leaves_what_the_next_one_seals(lab: Lab) -> None:
    lab.run("organization", name="first")
    for at in range(1, 60):
        Path(lab.directories[0], "audit", "checkpoint.json").touch()
        os.utime(Path(lab.directories[0], "audit", "checkpoint.json"), (0, 0))
        done = lab.task("organization", {"name": f"org{at}"}, die_at=at)
        if done.raw["signal"] is None:
            assert done.changed
            break
        assert done.raw["signal"] == signal.SIGKILL
        # Files that were being written are left beside, and count for nothing.
        lab.run("organization", name=f"next{at}")
        assert lab.sql("SELECT id FROM audit_log WHERE sequence IS NULL") == []
        assert verified(lab)["whole"], at
    assert at > 8
    made = {row["name"] for row in lab.sql("SELECT name FROM organizations")}
    told = {row["name"] for row in rows(lab, kind="organization", action="create")}
    assert made - {"org"} <= told


def test_what_a_killed_run_left_is_told_until_the_timer_seals_it(lab: Lab) -> None:
    lab.run("organization", name="first")
    done = lab.task("organization", {"name": "second"}, die_at="committed")
    assert done.raw["signal"] == signal.SIGKILL
    assert verified(lab)["whole"]
    lab.sql("UPDATE audit_log SET at = at - interval '2 minutes' WHERE sequence IS NULL")
    assert findings(lab) == {("unsealed", None, None)}
    (row,) = lab.sql("SELECT id FROM audit_log WHERE sequence IS NULL")
    assert row["id"] in verified(lab)["findings"][0]["text"]
    assert lab.command("audit", "seal")[1] == "1 row sealed\n"
    assert verified(lab)["whole"]
    assert lab.command("audit", "seal")[1] == "0 rows sealed\n"


def test_a_run_does_not_fail_where_it_cannot_seal(lab: Lab) -> None:
    lab.run("organization", name="first")
    lab.sql("ALTER TABLE audit_chains RENAME TO audit_chains_away")
    assert lab.run("organization", name="second").changed
    lab.sql("ALTER TABLE audit_chains_away RENAME TO audit_chains")
    assert lab.run("organization", name="third").changed
    assert verified(lab)["whole"]


def test_rows_from_before_become_a_chain_of_their_own(lab: Lab, postgres: Any) -> None:
    name = f"earlier_{lab.prefix}"
    database = postgres.create(name)
    try:
        with Store(database, any_schema=True) as store:
            known = [item for item in schema.MIGRATIONS if item.version < 10]
            for item in known:
                for statement in item.statements:
                    store.transact(lambda tx, text=statement: tx.execute(text))  # type: ignore[misc]
            store.transact(lambda tx: tx.execute(schema._VERSION_TABLE))
            for item in known:
                store.transact(
                    lambda tx, item=item: tx.execute(  # type: ignore[misc]
                        f"INSERT INTO schema_migrations (version) VALUES ({item.version})"
                    )
                )
        lab.sql(
            "INSERT INTO audit_log (at, actor, origin, action, kind, resource_id, name)"
            " SELECT now() - n * interval '1 minute', 'ann', 'node1', 'create', 'volume',"
            " 'vol-' || n, 'v' || n FROM generate_series(1, 4321) AS n",
            database=database,
        )
        assert lab.task("database", {"database": database}).changed
        where = {"PEXTRA_CE_DATABASE": database}
        assert lab.command("audit", "seal", environment=where)[0] == 0
        status, out, err = lab.command("audit", "verify", "--json", environment=where)
        assert status == 0, out + err
        counts = {item["chain"]: item["rows"] for item in json.loads(out)["chains"]}
        assert counts.pop("earlier") == 4321
        assert list(counts.values()) == [1]
        order = lab.sql(
            "SELECT name FROM audit_log WHERE chain = 'earlier' ORDER BY sequence LIMIT 2",
            database=database,
        )
        assert [row["name"] for row in order] == ["v4321", "v4320"]
    finally:
        postgres.drop(name)
