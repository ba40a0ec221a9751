# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations: several at once in one process, looked up, cancelled, and told after a crash."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Args, Lab, Node

SECRET = "correct horse battery"


def by(user: str, name: str, args: Args, **more: Any) -> Args:
    """A call of a user."""
    organization = more.pop("organization_id", None)
    principal = {
        "user": user, "origin": f"{user}.example.com", "door": "test",
        "organization_id": organization, "request_id": f"req-{user}",
    }  # fmt: skip
    return {"name": name, "args": args, "principal": principal, **more}


def operations(lab: Lab) -> list[Args]:
    """What the command lists."""
    status, out, err = lab.command("operation", "list", "--json")
    assert status == 0, err
    found: list[Args] = json.loads(out)
    return found


def cloud(node: Node) -> Args:
    """Options of a manifest with a volume, a vSwitch and an instance."""
    more = {"kind": "vswitch", "name": node.vswitch, "mtu": 1400}
    return {"resources": [more, {"kind": "instance", **node.instance(node.name("vm"))}]}


def test_several_at_once_in_one_process_succeed_each_with_its_principal(node: Node) -> None:
    for name in ("acme", "globex"):
        node.run("organization", name=name)
    ids = {row["name"]: row["id"] for row in node.sql("SELECT id, name FROM organizations")}
    key = "f" * 32
    node.sql(
        "INSERT INTO nodes (id, organization_id, cluster_id, name, host_key, creation)"
        " SELECT 'node-' || repeat('b', 21), organization_id, id, 'node2', %s, now() FROM clusters",
        key,
    )
    elsewhere = {"name": "lan2", "vswitch": "svswitch77"}
    node.sql(
        "INSERT INTO vswitches (id, cluster_id, node_id, name, mtu, status, creation)"
        " SELECT 'svs-' || repeat('b', 21), id, 'node-' || repeat('b', 21), 'svswitch77', 1500,"
        " 'ready', now() FROM clusters"
    )
    calls = [
        by("ann", "user", {"username": "ann2", "organization": "acme"},
           organization_id=ids["acme"]),
        by("bob", "user", {"username": "bob2", "organization": "globex"},
           organization_id=ids["globex"]),
        by("cid", "instance", node.instance(node.name("one"))),
        by("dan", "volume", node.volume("data")),
        by("eve", "port_group", elsewhere, host_key=key),
        by("fay", "reconcile", {}),
    ]  # fmt: skip
    done = node.threads(*calls)
    assert [item["error"] for item in done] == [None] * len(calls)
    assert [item["kept"]["state"] for item in done] == ["succeeded"] * len(calls)
    assert node.domains() == [node.name("one")]
    rows = node.sql("SELECT actor, origin, door, organization_id, request_id, kind FROM audit_log")
    for user, kind in (
        ("ann", "user"), ("bob", "user"), ("cid", "instance"), ("dan", "volume"),
        ("eve", "port_group"),
    ):  # fmt: skip
        mine = [row for row in rows if row["actor"] == user]
        assert kind in {row["kind"] for row in mine}
        assert {row["request_id"] for row in mine} == {f"req-{user}"}
        assert {row["origin"] for row in mine} == {f"{user}.example.com"}
    (org,) = {row["organization_id"] for row in rows if row["actor"] == "ann"}
    assert org == ids["acme"]


def test_an_operation_is_kept_with_progress_log_and_result(node: Node) -> None:
    (done,) = node.threads(by("ann", "apply", cloud(node)))
    kept = done["kept"]
    assert (kept["state"], kept["progress"], kept["error"]) == ("succeeded", 1.0, None)
    assert kept["result"]["plan"] == done["answer"]["plan"]
    texts = [line["text"] for line in kept["log"]]
    assert f'bridge vswitch "{node.vswitch}"' in texts
    assert f'define instance "{node.name("vm")}"' in texts
    assert kept["line"] == texts[-1]
    status, out, _err = node.command("operation", "show", done["id"])
    assert status == 0
    assert all(text in out for text in texts)


def test_a_secret_is_in_no_operation(lab: Lab) -> None:
    options = {"username": "ann", "password": SECRET, "description": f"it is {SECRET}"}
    (done,) = lab.threads(by("root", "user", options))
    assert done["error"] is None
    for table in ("operations", "operation_lines"):
        assert SECRET not in json.dumps(lab.sql(f"SELECT * FROM {table}"))
    (kept,) = operations(lab)
    assert kept["options"] == {
        "username": "ann", "password": "********", "description": "it is ********",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("user", {"username": "ann", "pasword": SECRET}),
        ("user", {"username": {"password": SECRET}}),
        ("apply", {"resources": [{"kind": "usr", "password": SECRET}]}),
        ("apply", {"resources": [f"kind=user username=ann passwort={SECRET}"]}),
        ("apply", {"resources": f'[{{"password": "{SECRET}"}}]'}),
        ("instance", {"name": "vm", "cloud_init": {"user_data": {"chpasswd": [SECRET]}}}),
        ("instance", {"name": "vm", "cloud_init": {"userdata": SECRET}}),
        ("instance", {"name": "vm", "cloud_init": SECRET}),
    ],
)
def test_a_secret_at_a_wrong_place_is_in_no_operation_and_no_answer(
    lab: Lab, name: str, options: Args
) -> None:
    (done,) = lab.threads(by("root", name, options))
    assert done["error"] is not None
    assert SECRET not in json.dumps(done)
    for table in ("operations", "operation_lines"):
        assert SECRET not in json.dumps(lab.sql(f"SELECT * FROM {table}"))


def test_a_failure_is_kept_with_code_and_hint(lab: Lab) -> None:
    (done,) = lab.threads(by("ann", "instance", {"name": "vm", "memory": 1}))
    assert done["kept"]["state"] == "failed"
    assert done["kept"]["error"]["code"] == "invalid_input" == done["error"]["code"]
    assert done["kept"]["error"]["errors"][0]["hint"]


def test_cancelled_between_steps_it_stops_and_the_next_run_finishes(node: Node) -> None:
    (done,) = node.threads(by("ann", "apply", cloud(node), cancel_at=2))
    assert done["kept"]["state"] == "cancelled"
    assert done["error"]["code"] == "cancelled"
    assert 0 < done["kept"]["progress"] < 1
    assert node.domains() == []
    assert node.row("instances", node.name("vm"))["status"] == "pending"
    (again,) = node.threads(by("ann", "apply", cloud(node)))
    assert again["error"] is None
    assert node.domains() == [node.name("vm")]
    status, _out, err = node.command("operation", "cancel", done["id"])
    assert status == 1
    assert err.startswith("pextra: conflict: ")


def test_reconcile_stops_between_two_resources(node: Node) -> None:
    node.apply({"kind": "instance", **node.instance(node.name("vm"))})
    node.virsh("undefine", node.name("vm"))
    node.virsh("pool-destroy", node.pool)
    (done,) = node.threads(by("ann", "reconcile", {}, cancel_at=2))
    assert done["kept"]["state"] == "cancelled"
    assert node.libvirt()["pools"][node.pool]["active"]
    assert node.domains() == []


def test_cancelled_before_it_begins_it_changes_nothing(lab: Lab) -> None:
    before = lab.sql("SELECT * FROM organizations")
    (done,) = lab.threads(by("ann", "organization", {"name": "other"}, cancel_at=0))
    assert done["kept"]["state"] == "cancelled"
    assert done["error"]["code"] == "cancelled"
    assert lab.sql("SELECT * FROM organizations") == before


def test_after_a_crash_it_is_told_as_failed_and_what_it_began_is_finished(node: Node) -> None:
    options = json.dumps(cloud(node))
    points = node.points("call", "apply", "--options", options)
    assert "virConnect.defineXMLFlags" in points
    at = points.index("virConnect.defineXMLFlags") + 1
    name = node.name("vm")
    gone = {"name": name, "state": "absent", "destroy_volumes": True}
    node.run("instance", **gone)
    node.run("vswitch", name=node.vswitch, mtu=1500)
    status, _out, _err = node.command("call", "apply", "--options", options, die_at=at)
    assert status == -9
    assert len(node.sql("SELECT id FROM operations WHERE state = 'running'")) == 1
    newest = operations(node)[0]
    assert (newest["state"], newest["error"]["code"]) == ("failed", "interrupted")
    assert node.sql("SELECT state FROM operations WHERE state = 'running'") == []
    assert node.command("reconcile")[0] == 0
    assert node.domains() == [name]


def test_what_changed_nothing_is_not_kept(node: Node) -> None:
    assert node.command("reconcile")[0] == 0
    assert operations(node) == []
    node.virsh("pool-destroy", node.pool)
    assert node.command("reconcile")[0] == 0
    (kept,) = operations(node)
    assert (kept["name"], kept["state"], kept["door"]) == ("reconcile", "succeeded", "cli")


def test_old_operations_are_forgotten(lab: Lab) -> None:
    lab.threads(by("ann", "organization", {"name": "first"}))
    lab.sql("UPDATE operations SET creation = creation - interval '8 days'")
    (done,) = lab.threads(by("ann", "organization", {"name": "second"}))
    assert [item["id"] for item in operations(lab)] == [done["id"]]
    status, _out, err = lab.command("operation", "show", "op-" + "x" * 21)
    assert status == 1
    assert "not_found" in err


def test_what_another_node_marks_for_removal_meanwhile_stays_marked(lab: Lab) -> None:
    path = str(lab.directory / "pool")
    options = {"name": lab.name("pool"), "options": {"path": path}, "nodes": ["node1"]}
    mark = "UPDATE storage_pool_nodes SET status = 'deleting'"
    (done,) = lab.threads(by("ann", "storage_pool", options, meanwhile=mark))
    assert done["error"] is None
    assert [row["status"] for row in lab.sql("SELECT status FROM storage_pool_nodes")] == [
        "deleting"
    ]
    assert lab.command("reconcile")[0] == 0
    assert lab.pools() == []
    assert lab.sql("SELECT id FROM storage_pool_nodes") == []
