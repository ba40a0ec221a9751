# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log: every attempt has its rows, and they are found again."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.audit_log import (
    rows,
    verified,
)
from ansible_collections.pextra.ce.tests.integration.lab import Args, Lab, Node, succeeded
from pextra.store.connection import Store

SECRET = "correct horse battery"


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


def test_an_attempt_that_somebody_may_not_make_is_denied(lab: Lab) -> None:
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
    with Store(lab.database) as store, Host(*lab.directories) as host:
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
