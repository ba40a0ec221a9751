# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies, roles, who has which, AI providers, and what policies decide, on the real store."""

from __future__ import annotations

import datetime as dt
import getpass
import http.server
import json
import os
import re
import threading
from collections.abc import Iterator

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Args, Lab, agrees
from ansible_collections.pextra.ce.tests.integration.postgres import Postgres
from pextra.access import predefined
from pextra.licensing.token import issue

READ = {"effect": "allow", "actions": ["instance.read"], "resources": ["*"]}
ALL = {"effect": "allow", "actions": ["*"], "resources": ["*"]}
SUNDAY = {**READ, "rule": "env.day_of_week == 0"}
KEY = "sk-planted-7d1f0c9a5e"
LIFE: tuple[tuple[str, Args, Args], ...] = (
    ("policy", {"name": "own", "statements": [READ]}, {"statements": [ALL], "enabled": False}),
    ("role", {"name": "mine", "policies": ["viewer"]}, {"policies": ["storage"], "purge": True}),
    ("user", {"username": "ann", "roles": ["viewer"]}, {"roles": ["operator"], "purge": True}),
    (
        "ai_provider",
        {"name": "ai", "type": "openai", "api_key": KEY},
        {"api_key": "sk-another", "model": "m", "base_url": "http://127.0.0.1:1"},
    ),
)
TABLES = (
    "user_roles", "role_policies", "policy_versions", "roles", "policies", "ai_providers",
)  # fmt: skip
NAME = {"user": "username"}


@pytest.mark.parametrize(("kind", "made", "changed"), LIFE, ids=[item[0] for item in LIFE])
def test_check_says_what_then_happens_and_nothing_is_left_to_do(
    lab: Lab, kind: str, made: Args, changed: Args
) -> None:
    key = NAME.get(kind, "name")
    before = lab.rows_of_all()
    for args in (made, {key: made[key], **changed}, {key: made[key], "state": "absent"}):
        start = lab.rows_of_all()
        predicted = lab.run(kind, check=True, diff=True, **args)
        assert lab.rows_of_all() == start
        done = lab.run(kind, diff=True, **args)
        assert done.changed
        assert predicted.actions == done.actions
        assert agrees(predicted[kind], done[kind])
        again = lab.run(kind, **args)
        assert not again.changed
        assert again[kind] == done[kind]
    left = [line for line in json.loads(lab.rows_of_all()) if line["kind"] != "audit_log"]
    assert left == [line for line in json.loads(before) if line["kind"] != "audit_log"]


def test_every_organization_sees_the_predefined_beside_its_own(lab: Lab) -> None:
    lab.run("organization", name="other")
    lab.run("policy", name="own", organization="org", statements=[READ])
    lab.run("role", name="mine", organization="org", policies=["own"])
    for organization, more in (("org", True), ("other", False)):
        found = lab.run("policy_info", organization=organization)["policies"]
        named = {item["name"]: item for item in found}
        assert set(named) == {*predefined.POLICIES, *(["own"] if more else [])}
        for name, policy in predefined.POLICIES.items():
            assert named[name]["statements"] == [item.as_dict() for item in policy.statements]
            assert named[name]["id"] == predefined.POLICY_IDS[name]
            assert (named[name]["predefined"], named[name]["organization"]) == (True, None)
            assert "document" not in named[name]
        roles = lab.run("role_info", organization=organization)["roles"]
        policies = {item["name"]: item["policies"] for item in roles}
        wanted = {name: [name] for name in predefined.POLICIES}
        assert policies == wanted | ({"mine": ["own"]} if more else {})
    (one,) = lab.run("role_info", organization="other", name="viewer")["roles"]
    assert one["id"] == predefined.ROLE_IDS["viewer"]
    assert lab.run("role_info", organization="other", name="mine")["roles"] == []


def test_a_policy_goes_from_one_organization_to_another_as_a_document(lab: Lab) -> None:
    lab.run("organization", name="other")
    lab.run("policy", name="own", organization="org", description="text", statements=[READ, ALL])
    (found,) = lab.run("policy_info", organization="org", name="own", fields=["document"])[
        "policies"
    ]
    document = {"policies": [found["document"]]}
    done = lab.run("policy", organization="other", document=document)
    assert done["policy"]["document"] == found["document"]
    assert not lab.run("policy", organization="other", document=json.dumps(document)).changed


def test_versions_are_kept_listed_and_restored(lab: Lab) -> None:
    for statements in ([READ], [ALL], []):
        lab.run("policy", name="own", statements=statements)
    done = lab.run("policy", name="own", restore=1)
    assert (done["policy"]["version"], done["policy"]["statements"]) == (4, [READ])
    (found,) = lab.run("policy_info", organization="org", name="own", fields=["versions"])[
        "policies"
    ]
    assert [(item["number"], item["statements"]) for item in found["versions"]] == [
        (1, [READ]), (2, [ALL]), (3, []), (4, [READ]),
    ]  # fmt: skip
    assert "There are versions 1 to 4" in lab.refused("policy", name="own", restore=5).message


def test_two_administrators_who_change_one_policy_at_once_lose_nothing(lab: Lab) -> None:
    lab.run("policy", name="own", statements=[READ])
    changes = [[{**ALL, "id": f"by{number}"}] for number in range(6)]
    done = lab.together(
        [lab.job("policy", {"name": "own", "statements": change}) for change in changes]
    )
    assert not [item.message for item in done if item.failed]
    row = lab.row("policies", "own")
    kept = lab.sql("SELECT number, statements FROM policy_versions ORDER BY number")
    assert [item["number"] for item in kept] == list(range(1, 8))
    assert kept[-1]["statements"] == row["statements"]
    assert sorted(item["statements"][0]["id"] for item in kept[1:]) == [
        f"by{number}" for number in range(6)
    ]


def test_all_wrong_statements_are_told_at_once(lab: Lab) -> None:
    wrong = [{**READ, "actions": [name]} for name in ("instance.raed", "volume.cretae")]
    result = lab.refused("policy", name="own", statements=[*wrong, READ])
    assert [item["hint"] for item in result["errors"]] == [
        "Did you mean instance.read?", "Did you mean volume.create?",
    ]  # fmt: skip
    unknown = [{**READ, "effect": "x"}, {**READ, "rule": "("}]
    entry = {"kind": "policy", "name": "own", "statements": unknown}
    assert len(lab.apply_refused(entry)["errors"]) == 2


def test_what_is_in_use_is_not_removed_and_who_uses_it_is_told(lab: Lab) -> None:
    lab.apply(
        {"kind": "policy", "name": "own", "statements": [READ]},
        {"kind": "role", "name": "mine", "policies": ["own"]},
        {"kind": "user", "username": "ann", "roles": ["mine"]},
    )
    assert "roles have it: mine" in lab.refused("policy", name="own", state="absent").message
    assert "users have it: ann" in lab.refused("role", name="mine", state="absent").message
    gone = [
        {"kind": "policy", "name": "own", "state": "absent"},
        {"kind": "role", "name": "mine", "state": "absent"},
        {"kind": "user", "username": "ann", "state": "absent"},
    ]
    lab.apply(*gone)
    (count,) = lab.sql("SELECT count(*) AS links FROM user_roles")
    assert count["links"] == 0


def test_the_last_root_user_stays(lab: Lab) -> None:
    lab.run("user", username="root", is_root=True)
    for change in ({"enabled": False}, {"expiry": "2020-01-01"}, {"state": "absent"}):
        assert lab.refused("user", username="root", **change).code == "conflict"
        assert lab.refused("user", username="root", check=True, **change).code == "conflict"
    lab.run("user", username="other", is_root=True)
    results = lab.together(
        [lab.job("user", {"username": name, "enabled": False}) for name in ("root", "other")]
    )
    assert [item.failed for item in results].count(True) == 1
    assert lab.sql("SELECT count(*) AS left FROM users WHERE is_root AND enabled") == [{"left": 1}]


def test_the_last_root_user_goes_with_all_there_is(lab: Lab) -> None:
    lab.run("user", username="root", is_root=True)
    names = {"node": "node1", "cluster": "cluster", "datacenter": "dc", "organization": "org"}
    places = [{"kind": kind, "name": name, "state": "absent"} for kind, name in names.items()]
    lab.apply({"kind": "user", "username": "root", "state": "absent"}, *places)
    assert lab.sql("SELECT id FROM users") == lab.sql("SELECT id FROM organizations") == []


def test_nobody_locks_themselves_out_without_force(lab: Lab) -> None:
    """The one who asks is known by the Linux user, here that of the tests."""
    me = os.environ.get("SUDO_USER") or getpass.getuser()
    lab.apply(
        {"kind": "policy", "name": "power", "statements": [ALL]},
        {"kind": "role", "name": "boss", "policies": ["power"]},
        {"kind": "user", "username": "ann", "linux_user": me, "roles": ["boss"]},
    )
    result = lab.refused("policy", name="power", enabled=False)
    assert "user ann, who asks for it, could no longer do policy.update" in result.message
    assert lab.refused("role", name="boss", policies=[], purge=True).code == "conflict"
    assert lab.run("policy", name="power", enabled=False, force=True).changed


# Licences


def test_rules_need_an_edition_that_has_them_and_what_is_there_stays(
    lab: Lab, seller: bytes
) -> None:
    now = dt.datetime.now(dt.UTC)

    def set_license(edition: str) -> None:
        key = issue(seller, "Example", edition, now, now + dt.timedelta(days=9))
        lab.run("node_license", key=key)

    result = lab.refused("policy", name="own", statements=[SUNDAY])
    assert (result.code, "IAM_ABAC_RULES" in result.message) == ("license_feature", True)
    set_license("standard")
    assert "standard" in lab.refused("policy", name="own", statements=[SUNDAY]).message
    set_license("enterprise")
    lab.run("policy", name="own", statements=[SUNDAY])
    set_license("standard")
    lab.run("policy", name="own", statements=[SUNDAY, ALL])
    lab.run("role", name="mine", policies=["own"])
    lab.run("user", username="ann", roles=["mine"])
    asked = {"user": "ann", "action": "instance.read"}
    assert lab.run("policy_decision_info", **asked)["allowed"] is True


# Decisions


def test_decisions_are_explained_by_module_and_command(lab: Lab) -> None:
    lab.apply(
        {
            "kind": "policy", "name": "own",
            "statements": [ALL, {**READ, "effect": "deny", "actions": ["datacenter.delete"]}],
        },
        {"kind": "role", "name": "mine", "policies": ["viewer", "own"]},
        {"kind": "user", "username": "ann", "roles": ["mine"]},
    )  # fmt: skip
    asked = {"user": "ann", "action": "datacenter.delete", "resource": "dc"}
    found = lab.run("policy_decision_info", **asked)
    assert (found["allowed"], found["role"], found["policy"], found["number"]) == (
        False, "mine", "own", 2,
    )  # fmt: skip
    assert found["resource"]["name"] == "dc"
    status, out, _err = lab.command("policy", "test", "ann", "datacenter.delete", "dc")
    said = 'denied: statement 2 of the policy "own" denies it (by the role mine)\n'
    assert (status, out) == (3, said)
    status, out, _err = lab.command("policy", "test", "ann", "datacenter.update", "dc", "--json")
    assert (status, json.loads(out)["allowed"]) == (0, True)
    status, _out, err = lab.command("policy", "test", "ann", "datacenter.dleete")
    assert (status, "Did you mean datacenter.delete?" in err) == (1, True)


# AI providers


class Provider(http.server.BaseHTTPRequestHandler):
    """Lists two models to who has the key."""

    def do_GET(self) -> None:
        known = self.headers.get("Authorization") == f"Bearer {KEY}"
        body = json.dumps({"data": [{"id": "small"}, {"id": "large"}]} if known else {"e": KEY})
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
        asked.append(self.path)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


asked: list[str] = []


@pytest.fixture
def provider() -> Iterator[str]:
    """The base URL of a provider on this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    asked.clear()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_provider_is_asked_before_anything_changes_and_in_check_mode(
    lab: Lab, provider: str
) -> None:
    args: Args = {"name": "ai", "type": "openai", "base_url": provider, "test": True}
    for check in (True, False):
        wrong = lab.refused("ai_provider", check=check, api_key="sk-wrong-key-here", **args)
        assert "the provider refuses the key" in wrong.message
        assert KEY not in wrong.text
        assert "sk-wrong-key-here" not in wrong.text
    asked.clear()
    tried = lab.run("ai_provider", check=True, api_key=KEY, model="small", **args)
    done = lab.run("ai_provider", api_key=KEY, model="small", **args)
    for result in (tried, done):
        found = {"url": f"{provider}/models", "models": ["large", "small"]}
        assert result["ai_provider"]["test"] == found
        assert KEY not in result.text
    assert asked == ["/v1/models"] * 2
    # The key that is kept is used where none is given.
    assert lab.run("ai_provider", **args)["ai_provider"]["test"]["models"] == ["large", "small"]
    missing = lab.refused("ai_provider", model="huge", **args)
    assert "has no model 'huge'" in missing.message
    assert lab.run("ai_provider", name="ai")["ai_provider"]["test"] is None


def test_a_key_is_shown_nowhere_and_its_change_is_seen(lab: Lab) -> None:
    given = {"name": "ai", "type": "openai", "api_key": KEY}
    for by, args in (
        ("ai_provider", given),
        ("apply", {"resources": [{"kind": "ai_provider", **given, "name": "two"}]}),
    ):
        for check in (True, False, False):
            assert KEY not in lab.run(by, check=check, diff=True, **args).text
    another = lab.run("ai_provider", **{**given, "api_key": "sk-another"}, diff=True)
    assert another.changed
    assert "sk-another" not in another.text
    assert KEY not in json.dumps(lab.sql("SELECT * FROM audit_log"))
    listed = lab.run("ai_provider_info", organization="org")
    assert KEY not in listed.text
    assert all(item["has_api_key"] for item in listed["ai_providers"])


def test_removing_the_last_provider_warns_and_any_other_does_not(lab: Lab) -> None:
    local = {"type": "ollama", "base_url": "http://127.0.0.1:1"}
    for name in ("one", "two"):
        lab.run("ai_provider", name=name, **local)
    assert "warnings" not in lab.run("ai_provider", name="one", state="absent").values
    check = lab.run("ai_provider", name="two", state="absent", check=True)
    done = lab.run("ai_provider", name="two", state="absent")
    for result in (check, done):
        (warning,) = result["warnings"]
        assert "the last AI provider of the organization org" in str(warning)


# The store


def test_an_older_store_is_migrated_and_root_stays_root(postgres: Postgres, lab: Lab) -> None:
    lab.run("user", username="root", is_root=True)
    lab.run("user", username="ann")
    database = re.search(r"dbname=(\w+)", lab.database)
    assert database is not None
    for statement in (
        *(f"DROP TABLE {name}" for name in TABLES),
        "DROP INDEX users_root",
        "DROP INDEX users_linux_user",
        "DELETE FROM schema_migrations WHERE version >= 11",
    ):
        postgres.psql(statement, database[1])
    assert lab.task("user_info", {}).failed
    assert lab.run("database", state="migrated").changed
    users = lab.run("user_info", organization="org")["users"]
    assert [(item["username"], item["is_root"], item["roles"]) for item in users] == [
        ("ann", False, []), ("root", True, []),
    ]  # fmt: skip
    lab.run("user", username="ann", roles=["operator"])
    assert lab.refused("user", username="root", enabled=False).code == "conflict"


def test_the_cost_of_access_does_not_grow_with_what_others_have(lab: Lab) -> None:
    """Rows that statements return, with few and with many users, policies and roles."""
    jobs: tuple[tuple[str, Args], ...] = (
        ("user", {"username": "ann", "roles": ["mine"], "description": "x"}),
        ("role", {"name": "mine", "policies": ["own", "viewer"]}),
        ("policy", {"name": "own", "statements": [ALL]}),
        ("policy_decision_info", {"user": "ann", "action": "instance.create"}),
    )

    def read() -> list[int]:
        results = [lab.task(name, args, check=True, count_rows=True) for name, args in jobs]
        assert not [item.message for item in results if item.failed]
        return [sum(map(int, item.raw["points"])) for item in results]

    lab.run("policy", name="own", statements=[READ])
    lab.run("role", name="mine", policies=["own"])
    lab.run("user", username="ann", roles=["mine"])
    few = read()
    lab.apply(
        *({"kind": "policy", "name": f"p{n}", "statements": [READ]} for n in range(60)),
        *({"kind": "role", "name": f"r{n}", "policies": [f"p{n}", "own"]} for n in range(60)),
        *({"kind": "user", "username": f"u{n}", "roles": [f"r{n}", "mine"]} for n in range(60)),
    )
    assert read() == few
