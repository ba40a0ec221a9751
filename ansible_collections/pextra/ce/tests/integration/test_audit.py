# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log: every attempt has its rows, and whatever is done to them afterwards is found."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Args, Lab, Node, succeeded
from pextra.access.audit.canonical import canonical
from pextra.store import schema
from pextra.store.connection import Store

SECRET = "correct horse battery"
MANY = 16
OLD = "UPDATE audit_log SET at = at - interval '400 days'"


def rows(lab: Lab, **given: Any) -> list[Args]:
    """The newest rows, as the module returns them."""
    found: list[Args] = lab.run("audit_info", limit=1000, **given)["audit"]
    return found


def verified(lab: Lab, *arguments: str) -> Args:
    """What the check of the chains says."""
    status, out, err = lab.command("audit", "verify", "--json", *arguments)
    assert out, err
    found: Args = json.loads(out)
    assert status == (0 if found["whole"] else 1)
    return found


def findings(lab: Lab, *arguments: str) -> set[tuple[str, int | None, int | None]]:
    """What was found, and where."""
    found = verified(lab, *arguments)["findings"]
    return {(item["what"], item["first"], item["last"]) for item in found}


def chain(lab: Lab) -> Args:
    """The chain of this machine, as the store keeps it."""
    (found,) = lab.sql("SELECT * FROM audit_chains WHERE sequence > 0")
    return found


def several(lab: Lab, count: int = 5) -> int:
    """Make rows; the number of the last one."""
    for number in range(count):
        lab.run("organization", name=f"several{number}-{lab.name()}")
    return int(chain(lab)["sequence"])


# Rows


def test_every_change_has_a_row_with_who_what_and_when(lab: Lab) -> None:
    done = lab.task(
        "user", {"username": "ann", "password": SECRET},
        environment={"PEXTRA_CE_CORRELATION_ID": "play-17"},
    )  # fmt: skip
    succeeded(done)
    (row,) = rows(lab, kind="user")
    assert (row["action"], row["name"], row["outcome"]) == ("create", "ann", "succeeded")
    assert row["resource_id"] == done["user"]["id"]
    assert row["origin"] == socket.gethostname()
    assert row["door"] == "ansible"
    assert row["node"] == "node1"
    assert row["request_id"].startswith("req-")
    assert row["correlation_id"] == "play-17"
    assert len(row["at"]) == len("2026-01-31T12:00:00.000000Z")
    assert row["before"] is None
    assert SECRET not in json.dumps(row)


def test_what_is_refused_has_a_row_without_its_secrets(lab: Lab) -> None:
    given = {
        "username": "ann", "password": SECRET, "description": f"it is {SECRET}\x00 \ud800",
        "organization": "nowhere",
    }  # fmt: skip
    assert lab.call("user", given).code == "invalid_input"
    (row,) = rows(lab, outcome="failed")
    assert (row["kind"], row["name"], row["action"]) == ("user", "ann", "present")
    assert row["after"]["organization"] == "nowhere"
    assert row["message"].startswith("invalid_input: ")
    assert row["before"] is None
    assert SECRET not in json.dumps(row)
    done = lab.call("user", {"username": f"x {SECRET}", "password": SECRET})
    assert (done.code, SECRET in done.message) == ("invalid_input", True)
    assert rows(lab, outcome="failed")[0]["name"] == "x ********"
    assert SECRET not in json.dumps(rows(lab))
    assert verified(lab)["whole"]


def test_a_huge_attempt_has_a_small_row(lab: Lab) -> None:
    entries = [{"kind": "user", "username": f"u{n}", "description": "x" * 3000} for n in range(500)]
    lab.refused("apply", resources=[*entries, {"kind": "user", "username": "u1"}])
    (row,) = rows(lab, outcome="failed")
    assert row["action"] == "apply"
    assert len(json.dumps(row["after"])) < 16_000
    assert len(row["message"]) < 1100
    given = {"username": "x", "unknown": {"deep": [[[[[[[[[[1]]]]]]]]]] * 100_000}}
    assert lab.call("user", given).code == "invalid_input"
    assert lab.call("x" * 100_000, {}).code == "not_found"
    assert len(rows(lab, outcome="failed")) == 2
    assert max(len(json.dumps(row)) for row in rows(lab, outcome="failed")) < 20_000


def test_what_fails_on_the_host_has_the_request_of_what_was_begun(node: Node) -> None:
    done = node.task("instance", node.instance(node.name("vm")), no_libvirt=True)
    assert done.code == "host"
    (failed,) = rows(node, outcome="failed")
    assert failed["message"].startswith("host: ")
    lost = node.task("volume", node.volume("data"), lose_libvirt_at="virStoragePool.refresh")
    assert not lost.failed or rows(node, outcome="failed")[0]["kind"] == "volume"


def test_an_attempt_that_somebody_may_not_make_is_denied(lab: Lab, tmp_path: Path) -> None:
    from pextra.calls import attempts, registry
    from pextra.calls.call import Call
    from pextra.host.machine import Host
    from pextra.model.errors import PextraError
    from pextra.model.fields import Masked
    from pextra.model.principal import Principal

    class Forbidden(PextraError):
        code = "denied"

    def run(_call: Call) -> dict[str, Any]:
        raise Forbidden("no statement allows volume.create")

    procedure = registry.find("volume")
    object.__setattr__(procedure, "run", run)
    who = Principal("eve", "192.0.2.7", "api", "org-1", "req-1")
    with Store(lab.database) as store, Host(str(tmp_path)) as host:
        call = Call({"name": "data"}, store, host, who)
        with pytest.raises(Forbidden):
            attempts.recorded(procedure, call, lambda: Masked({"name": "data"}, frozenset()))
    (row,) = rows(lab, outcome="denied")
    assert (row["user"], row["origin"], row["organization_id"]) == ("eve", "192.0.2.7", "org-1")
    assert row["name"] == "data"


def test_a_backup_of_an_instance_has_a_row(node: Node) -> None:
    name, path = node.name("vm"), str(node.directory / "vm.backup")
    node.run("instance", **node.instance(name))
    node.run("instance_backup", instance=name, path=path)
    (row,) = rows(node, kind="instance_backup")
    assert (row["action"], row["name"], row["after"]["path"]) == ("create", name, path)


# Reading


def test_rows_are_found_by_each_filter(lab: Lab) -> None:
    lab.run("organization", name="acme")
    lab.run("organization", name="acme", description="changed")
    lab.refused("organization", name="-")
    whole = rows(lab)
    assert [row["at"] for row in whole] == sorted((row["at"] for row in whole), reverse=True)
    created = whole[2]
    assert rows(lab, resource="acme") == whole[1:3]
    assert rows(lab, resource=created["resource_id"], action="create") == [created]
    assert rows(lab, request_id=created["request_id"]) == [created]
    assert rows(lab, since=created["at"]) == whole[:3]
    assert rows(lab, until=created["at"]) == whole[3:]
    assert rows(lab, since="1h") == whole
    assert rows(lab, until="1h") == []
    assert rows(lab, kind="organization", outcome="failed") == whole[:1]
    assert rows(lab, user="nobody") == []
    assert rows(lab, user=created["user"]) == whole
    assert rows(lab, organization_id="org-x") == []


def test_pages_have_every_row_once(lab: Lab) -> None:
    lab.apply(*({"kind": "organization", "name": f"org{number}"} for number in range(25)))
    whole, found, cursor = rows(lab), list[Args](), None
    assert len(whole) > 25
    while True:
        page = lab.run("audit_info", limit=7, cursor=cursor)
        found += page["audit"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert len(page["audit"]) == 7
    assert found == whole


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"since": "yesterday"}, "is not a date"),
        ({"limit": 0}, "is not between 1 and 1000"),
        ({"cursor": "??"}, "is no cursor"),
        ({"outcome": "lost"}, "is not possible"),
    ],
)
def test_filters_that_mean_nothing_are_refused(lab: Lab, given: Args, message: str) -> None:
    assert message in lab.call("audit_info", given).message


def fill(lab: Lab, count: int) -> None:
    """Write sealed rows of another node, all but some of others' resources."""
    lab.sql(
        "INSERT INTO audit_log (at, actor, origin, action, kind, resource_id, name, chain, step,"
        " sequence, previous, hash) SELECT now() - n * interval '1 second', 'filler', 'far',"
        " 'update', 'volume', 'vol-' || n %% 5000, 'v' || n %% 5000, 'far', 0, n, '', ''"
        " FROM generate_series(1, %s) AS n",
        count,
    )
    lab.sql("INSERT INTO audit_chains VALUES ('far', %s, '', NULL, NULL, NULL)", count)
    lab.sql("ANALYZE audit_log")


@pytest.fixture(scope="module")
def long_log(make_module_lab: Callable[..., Lab]) -> Lab:
    """A lab with 50,000 rows."""
    lab = make_module_lab(Lab)
    fill(lab, 50_000)
    return lab


@pytest.mark.parametrize(
    "condition",
    [
        "t.at >= now() - interval '1 hour'",
        "t.resource_id = 'vol-17'",
        "t.name = 'v17'",
        "t.actor = 'root'",
        "t.outcome = 'failed' AND t.outcome <> 'succeeded'",
        "t.chain = 'far' AND t.sequence IS NULL",
    ],
)
def test_a_list_costs_the_same_in_a_long_log(long_log: Lab, condition: str) -> None:
    order = "" if "NULL" in condition else " ORDER BY t.at DESC, t.step DESC, t.id DESC"
    (plan,) = long_log.sql(
        f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT row_to_json(t) FROM audit_log AS t"
        f" WHERE {condition}{order} LIMIT 50"
    )
    text = json.dumps(plan["QUERY PLAN"])
    assert "Seq Scan" not in text
    removed = [node.get("Rows Removed by Filter", 0) + node["Actual Rows"]
               for node in nodes(plan["QUERY PLAN"][0]["Plan"])]  # fmt: skip
    assert max(removed) <= 120, text


def nodes(plan: Args) -> list[Args]:
    """A plan's nodes."""
    return [plan, *(inner for part in plan.get("Plans", ()) for inner in nodes(part))]


def test_what_a_run_reads_does_not_grow_with_the_log(lab: Lab) -> None:
    lab.run("organization", name="first")

    def counted(name: str) -> int:
        done = lab.task("organization", {"name": name}, count_rows=True)
        return sum(map(int, succeeded(done).raw["points"]))

    few = counted("second")
    fill(lab, 20_000)
    assert counted("third") == few


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


def test_sealing_keeps_no_transaction_from_committing(lab: Lab, tmp_path: Path) -> None:
    """Ordered among serialisable ones it would: a run, what it read, and sealing are a circle."""
    from pextra.engine import sealing
    from pextra.host.machine import Host
    from pextra.model.names import KindName
    from pextra.model.plan import Phase, Step
    from pextra.model.principal import Principal
    from pextra.store.transaction import Transaction

    lab.run("organization", name="other")
    step = Step(KindName("thing"), "t", "t", "make", Phase.STORE)
    with Store(lab.database) as store, Host(str(tmp_path)) as host:
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


def test_what_is_written_while_the_chains_are_checked_is_no_finding(
    lab: Lab, tmp_path: Path
) -> None:
    from pextra.calls.audit_verification import Verification
    from pextra.engine import sealing
    from pextra.host.machine import Host
    from pextra.model.names import KindName
    from pextra.model.plan import Phase, Step
    from pextra.model.principal import Principal

    with Store(lab.database) as store, Host(str(tmp_path)) as host:
        stop, who = threading.Event(), Principal("ann", "here", "test")
        step = Step(KindName("thing"), "t", "t", "make", Phase.STORE)

        def write() -> None:
            while not stop.is_set():
                store.transact(lambda tx: tx.audit([step] * 3, who, host.key))
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


# What is done to it

TAMPERING: dict[str, tuple[str, tuple[str, int, int]]] = {
    "changed": ("UPDATE audit_log SET actor = 'mallory' WHERE sequence = 3", ("changed", 3, 3)),
    "removed": ("DELETE FROM audit_log WHERE sequence IN (3, 4)", ("removed", 3, 4)),
    "a secret outcome": (
        "UPDATE audit_log SET outcome = 'failed', message = 'x' WHERE sequence = 5",
        ("changed", 5, 5),
    ),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_what_is_done_to_rows_is_found(lab: Lab, what: str) -> None:
    several(lab)
    assert verified(lab)["whole"]
    statement, expected = TAMPERING[what]
    lab.sql(statement)
    assert expected in findings(lab)


def test_rows_that_change_places_are_found(lab: Lab) -> None:
    several(lab)
    lab.sql("UPDATE audit_log SET sequence = 1000 WHERE sequence = 2")
    lab.sql("UPDATE audit_log SET sequence = 2 WHERE sequence = 3")
    lab.sql("UPDATE audit_log SET sequence = 3 WHERE sequence = 1000")
    assert ("moved", 2, 3) in findings(lab)


def test_a_cut_tail_is_found_and_stays_found(lab: Lab) -> None:
    last = several(lab)
    assert lab.command("audit", "seal")[0] == 0
    lab.sql("DELETE FROM audit_log WHERE sequence > 3")
    assert findings(lab) == {("cut", 4, last)}
    # Whoever also knows the record of the chain's end does not know the node's key.
    lab.sql(
        "UPDATE audit_chains SET sequence = 3, checkpoint = NULL,"
        " hash = (SELECT hash FROM audit_log WHERE sequence = 3)"
    )
    assert findings(lab) == {("cut", 4, last)}
    several(lab, 2)
    assert lab.command("audit", "seal")[0] == 0
    assert ("removed", 4, last) in findings(lab)


def test_a_chain_that_was_sealed_again_is_found(lab: Lab) -> None:
    from pextra.access.audit.chain import START, sealed

    last = several(lab)
    assert lab.command("audit", "seal")[0] == 0
    lab.sql("UPDATE audit_log SET actor = 'mallory' WHERE sequence = 2")
    with Store(lab.database) as store:

        def work(tx: Any) -> None:
            from pextra.store import audit

            found = [audit._timed(item["row"]) for item in tx.query(
                "SELECT row_to_json(t) AS row FROM audit_log AS t ORDER BY sequence")]  # fmt: skip
            for seal in sealed(found, START):
                tx.query(
                    "UPDATE audit_log SET previous = %s, hash = %s WHERE id = %s RETURNING id",
                    [seal.previous, seal.hash, seal.id],
                )
            tx.query("UPDATE audit_chains SET hash = %s RETURNING chain", [seal.hash])

        store.transact(work)
    assert ("rewritten", last, last) in findings(lab)
    several(lab, 2)
    assert lab.command("audit", "seal")[0] == 0
    assert ("rewritten", last, last) in findings(lab)


def test_a_checkpoint_from_a_journal_is_enough_where_the_node_is_gone(lab: Lab) -> None:
    last = several(lab)
    assert lab.command("audit", "seal")[0] == 0
    kept = Path(lab.directories[0], "audit", "checkpoint.json")
    seen = lab.directory / "seen.json"
    seen.write_bytes(kept.read_bytes())
    kept.unlink()
    lab.sql("DELETE FROM audit_log WHERE sequence > 3")
    lab.sql(
        "UPDATE audit_chains SET sequence = 3, checkpoint = NULL,"
        " hash = (SELECT hash FROM audit_log WHERE sequence = 3)"
    )
    assert verified(lab)["whole"]
    assert findings(lab, "--checkpoint", str(seen)) == {("cut", 4, last)}
    forged = json.loads(seen.read_text())
    forged["at"] = "2020-01-01T00:00:00.000000Z"
    seen.write_text(json.dumps(forged))
    assert findings(lab, "--checkpoint", str(seen)) == {("forged", None, None)}
    for text in ("[]", "{", "{}"):
        seen.write_text(text)
        assert lab.command("audit", "verify", "--checkpoint", str(seen))[0] == 1


def test_another_node_finds_what_was_done_to_this_nodes_chain(lab: Lab) -> None:
    last = several(lab)
    assert lab.command("audit", "seal")[0] == 0
    other = {
        "machine_id": str(lab.file("machine", b"%032x\n" % 7)),
        "directories": [f"{lab.directory}/other-{name}" for name in ("lib", "etc", "log")],
    }
    assert lab.command("audit", "seal", **other)[0] == 0
    lab.sql("DELETE FROM audit_log WHERE sequence > 2")
    lab.sql(
        "UPDATE audit_chains SET sequence = 2, public_key = repeat('0', 64), checkpoint = NULL,"
        " hash = (SELECT hash FROM audit_log WHERE sequence = 2) WHERE sequence > 0"
    )
    assert lab.command("audit", "seal", **other)[0] == 0
    status, out, _err = lab.command("audit", "verify", "--json", **other)
    assert status == 1
    found = {(item["what"], item["first"], item["last"]) for item in json.loads(out)["findings"]}
    assert found == {("cut", 3, last), ("forged", None, None)}


# Keys and files


def test_the_nodes_key_is_its_own_alone(lab: Lab) -> None:
    several(lab, 1)
    directory = Path(lab.directories[0], "audit")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for name in ("key.pem", "checkpoint.json"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600
    assert sorted(path.name for path in directory.iterdir()) == [
        "checkpoint.json", "key.pem", "lock",
    ]  # fmt: skip
    key = (directory / "key.pem").read_bytes()
    everything = json.dumps(lab.sql("SELECT * FROM audit_chains"))
    assert key.decode().splitlines()[1] not in everything
    (directory / "key.pem").chmod(0o644)
    status, _out, err = lab.command("audit", "verify")
    assert (status, "not this user's alone" in err) == (1, True)
    (directory / "key.pem").chmod(0o600)
    several(lab, 1)
    assert (directory / "key.pem").read_bytes() == key


def test_a_link_in_place_of_the_key_is_not_followed(lab: Lab, tmp_path: Path) -> None:
    several(lab, 1)
    path = Path(lab.directories[0], "audit", "key.pem")
    path.rename(tmp_path / "key.pem")
    path.symlink_to(tmp_path / "key.pem")
    assert lab.command("audit", "verify")[0] == 1
    assert lab.run("organization", name="goes-on").changed


# Retention


def test_what_was_pruned_is_gone_and_the_rest_is_whole(lab: Lab) -> None:
    last = several(lab)
    name = chain(lab)["chain"]
    assert lab.command("audit", "seal")[0] == 0
    lab.sql(f"{OLD} WHERE sequence <= 3")
    # The rows are as if they had been written then.
    reseal(lab)
    status, out, _err = lab.command("audit", "prune", "--older-than", "365d", "--check")
    assert (status, out) == (0, f"{name}: rows 1 to 3 would be removed\n")
    assert len(rows(lab)) == last
    assert lab.command("audit", "prune", "--older-than", "365d")[0] == 0
    assert findings(lab) == set()
    left = sorted(row["sequence"] for row in rows(lab) if row["sequence"])
    assert left[0] == 4
    (row,) = rows(lab, kind="audit")
    assert (row["action"], row["before"]) == ("prune", {"first": 1, "last": 3})
    several(lab, 2)
    assert lab.command("audit", "seal")[0] == 0
    assert verified(lab)["whole"]
    lab.sql("DELETE FROM audit_log WHERE sequence = 4")
    assert ("removed", 4, 4) in findings(lab)


def reseal(lab: Lab) -> None:
    """Seal all rows anew, and forget what was seen: they were so from the beginning."""
    lab.sql("UPDATE audit_log SET sequence = NULL, previous = NULL, hash = NULL")
    lab.sql("DELETE FROM audit_chains")
    Path(lab.directories[0], "audit", "checkpoint.json").unlink()
    assert lab.command("audit", "seal")[0] == 0


def test_a_record_of_pruning_that_nobody_signed_is_found(lab: Lab) -> None:
    several(lab)
    lab.sql(f"{OLD} WHERE sequence <= 3")
    reseal(lab)
    assert lab.command("audit", "prune", "--older-than", "365d")[0] == 0
    lab.sql("DELETE FROM audit_log WHERE sequence = 4")
    lab.sql(
        "UPDATE audit_chains SET pruned = pruned || jsonb_build_object('sequence', 4, 'hash',"
        " (SELECT previous FROM audit_log WHERE audit_log.sequence = 5)) WHERE pruned IS NOT NULL"
    )
    assert "forged" in {what for what, _first, _last in findings(lab)}


def test_pruning_killed_anywhere_is_finished_by_the_next(lab: Lab) -> None:
    several(lab)
    lab.sql(f"{OLD} WHERE sequence <= 3")
    reseal(lab)
    arguments = ("audit", "prune", "--older-than", "365d")
    for at in range(1, 60):
        status, _out, _err = lab.command(*arguments, die_at=at)
        assert verified(lab)["whole"], at
        if status == 0:
            break
    assert at > 4
    assert lab.command(*arguments)[0] == 0
    assert min(row["sequence"] for row in rows(lab) if row["sequence"]) > 3


def test_a_chain_that_is_not_whole_is_not_pruned(lab: Lab) -> None:
    several(lab)
    lab.sql(f"{OLD} WHERE sequence <= 3")
    arguments = ("audit", "prune", "--older-than", "365d")
    status, _out, err = lab.command(*arguments)
    assert (status, "not whole" in err) == (1, True)
    assert lab.command(*arguments, "--force")[0] == 0
    assert min(row["sequence"] for row in rows(lab) if row["sequence"]) == 4


def test_a_node_prunes_by_age_where_its_settings_say_so(lab: Lab) -> None:
    several(lab)
    lab.sql(f"{OLD} WHERE sequence <= 3")
    reseal(lab)
    settings = Path(lab.directories[1], "audit.toml")
    settings.parent.mkdir(exist_ok=True)
    settings.write_text("retention_days = 500\n")
    assert lab.command("audit", "seal")[0] == 0
    assert rows(lab)[-1]["sequence"] is not None
    before = len(rows(lab))
    settings.write_text("retention_days = 365\n")
    assert lab.command("audit", "seal")[0] == 0
    assert len(rows(lab)) == before - 3 + 1
    assert verified(lab)["whole"]
    settings.write_text("retention_days = 1\n")
    lab.sql("UPDATE audit_log SET at = at - interval '2 days' WHERE sequence = 4")
    assert lab.command("audit", "seal")[0] == 0
    pruned = Path(lab.directories[0], "audit", "pruned")
    os.utime(pruned, (0, 0))
    for status in (1, 0):  # it is not whole, and looked at once a day
        assert lab.command("audit", "seal")[0] == status
    assert len(rows(lab)) == before - 3 + 1
    for text in ("retention_days = 0", "days = 3", "syslog = 'http://x'", "="):
        settings.write_text(f"{text}\n")
        status, _out, err = lab.command("audit", "seal")
        assert (status, "audit.toml" in err or "syslog" in err) == (1, True), text


# Where checkpoints go


def receive(server: socket.socket) -> Callable[[], str]:
    """What a server gets within some seconds, as text."""
    server.settimeout(20)

    def received() -> str:
        if server.type is socket.SOCK_STREAM:
            connection, _peer = server.accept()
            with connection:
                connection.settimeout(20)
                data = b""
                while chunk := connection.recv(65536):
                    data += chunk
            return data.decode()
        return server.recv(65536).decode()

    return received


@pytest.mark.parametrize("kind", ["udp", "tcp", "unix"])
def test_a_checkpoint_is_sent_to_the_syslog_server(lab: Lab, kind: str) -> None:
    several(lab, 1)
    family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
    with socket.socket(
        family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
    ) as server:
        if kind == "unix":
            where = str(lab.directory / "log.sock")
            server.bind(where)
        else:
            server.bind(("127.0.0.1", 0))
            where = f"{kind}://127.0.0.1:{server.getsockname()[1]}"
        if kind == "tcp":
            server.listen()
        settings = Path(lab.directories[1], "audit.toml")
        settings.parent.mkdir(exist_ok=True)
        settings.write_text(f'syslog = "{where}"\n')
        received = receive(server)
        lab.task("organization", {"name": "another"}, die_at="committed")
        assert lab.command("audit", "seal")[0] == 0
        text = received()
    size, _space, message = text.partition(" ") if kind == "tcp" else ("", "", text)
    assert message.startswith("<85>1 ")
    assert not size or int(size) == len(message.encode())
    record = json.loads(message[message.index("{") :])
    assert record == json.loads(Path(lab.directories[0], "audit", "checkpoint.json").read_text())
    assert record["heads"][chain(lab)["chain"]]["sequence"] == chain(lab)["sequence"]
    settings.write_text('syslog = "tcp://127.0.0.1:1"\n')
    lab.task("organization", {"name": "third"}, die_at="committed")
    assert lab.command("audit", "seal")[0] == 0


def test_the_timer_says_nothing_where_there_is_no_store(lab: Lab) -> None:
    nowhere = {"PEXTRA_CE_DATABASE": "host=/nonexistent dbname=x"}
    assert lab.command("audit", "seal", "--quiet", environment=nowhere) == (0, "", "")
    assert lab.command("audit", "seal", environment=nowhere)[0] == 1
