# SPDX-License-Identifier: Apache-2.0
"""Policies as a kind: where statements come from, versions, what is refused, and rows read."""

from __future__ import annotations

import copy
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.access import predefined
from pextra.access.statements import MOST_STATEMENTS, parse_policies
from pextra.calls.apply import manifest
from pextra.engine.planner import Planner
from pextra.engine.world import World
from pextra.kinds.registry import KINDS
from pextra.model.errors import AggregateError, ConflictError, InputError, NotFoundError, each
from pextra.model.fields import normalise
from pextra.tests.rows import Rows
from pextra.tests.test_planning import BASE, NOW, SPECS, Cloud

READ = {"effect": "allow", "actions": ["instance.read"], "resources": ["*"]}
START = {"effect": "allow", "actions": ["instance.start"], "resources": ["inst-*"]}
SUNDAY = {**READ, "rule": "env.day_of_week == 0"}


def seeded(cloud: Cloud) -> Cloud:
    """The cloud with what is predefined, as the migration makes it."""
    for name, policy in predefined.POLICIES.items():
        role, own = predefined.ROLE_IDS[name], predefined.POLICY_IDS[name]
        common = {"organization_id": None, "name": name, "description": policy.description}
        cloud.rows.setdefault("policy", []).append(
            {"id": own, **common, "enabled": True, "statements": [], "version": 1, "creation": NOW}
        )
        cloud.rows.setdefault("role", []).append({"id": role, **common, "creation": NOW})
        cloud.rows.setdefault("role_policy", []).append(
            {"id": f"rolpol-{name}", "role_id": role, "policy_id": own, "place": 1, "creation": NOW}
        )
    return cloud


def licensed(cloud: Cloud, edition: str) -> None:
    """Have a licence of an edition on the cloud's node."""
    now = dt.datetime.now(dt.UTC)
    cloud.rows["node_license"] = [{
        "id": "lic-1", "node_id": cloud.rows["node"][0]["id"], "key": "k", "edition": edition,
        "customer": "c", "not_before": now - dt.timedelta(1), "expiry": now + dt.timedelta(1),
        "creation": now,
    }]  # fmt: skip


@pytest.fixture
def cloud() -> Cloud:
    """A cloud with a node."""
    made = seeded(Cloud())
    made.apply(*BASE)
    return made


def policy(name: str = "own", **options: Any) -> dict[str, Any]:
    """An entry of a manifest."""
    return {"kind": "policy", "name": name, **options}


def row(cloud: Cloud, kind: str = "policy", name: str = "own") -> Any:
    """The row of that name."""
    return next(item for item in cloud.rows[kind] if item["name"] == name)


def problems(cloud: Cloud, *entries: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Why a manifest is refused: messages and hints."""
    with pytest.raises((AggregateError, InputError)) as caught:
        cloud.plan(*entries)
    return [(error.message, error.hint) for error in each(caught.value)]


def test_each_change_of_the_statements_is_a_version_and_others_are_none(cloud: Cloud) -> None:
    cloud.apply(policy(statements=[READ]))
    assert row(cloud)["version"] == 1
    assert not cloud.plan(policy(statements=[READ])).plan
    cloud.apply(policy(description="text", enabled=False))
    assert row(cloud)["version"] == 1
    cloud.apply(policy(statements=[READ, START]))
    assert row(cloud)["version"] == 2
    kept = {item["number"]: item["statements"] for item in cloud.rows["policy_version"]}
    assert kept == {1: [READ], 2: [READ, START]}


def test_a_version_is_restored_as_a_new_one_and_once(cloud: Cloud) -> None:
    cloud.apply(policy(statements=[READ]))
    cloud.apply(policy(statements=[START]))
    cloud.apply(policy(restore=1))
    assert (row(cloud)["statements"], row(cloud)["version"]) == ([READ], 3)
    assert not cloud.plan(policy(restore=1)).plan
    cloud.apply(policy(restore=2))
    assert (row(cloud)["statements"], row(cloud)["version"]) == ([START], 4)


def test_a_version_that_is_not_there_is_told_with_those_that_are(cloud: Cloud) -> None:
    cloud.apply(policy(statements=[READ]))
    cloud.apply(policy(statements=[START]))
    (told,) = problems(cloud, policy(restore=7))
    assert told == ("there is no version 7 to restore", "There are versions 1 to 2")
    assert "not there yet" in str(problems(cloud, policy("new", restore=1)))


def test_rows_read_to_restore_do_not_grow_with_the_versions(cloud: Cloud) -> None:
    def read() -> Rows:
        rows = Rows(cloud.rows)
        world = World(SPECS, rows, cloud.host)
        Planner(KINDS, NOW).plan(manifest([policy(restore=1)]), world, cloud.host)
        return rows

    for number in range(2):
        cloud.apply(policy(statements=[{**READ, "id": str(number)}]))
    few = read()
    for number in range(20):
        cloud.apply(policy(statements=[{**READ, "id": f"n{number}"}]))
    assert read().read == few.read
    assert few.read["policy_version"] == 1


def test_all_that_is_wrong_with_statements_is_told_at_once(cloud: Cloud) -> None:
    wrong = [
        {**READ, "actions": ["instance.raed", "volume.*"]},
        READ,
        {**READ, "resources": ["instance-*"], "actions": ["frobnicate"]},
    ]
    assert problems(cloud, policy(statements=wrong)) == [
        ("statement 1: 'instance.raed' is no action", "Did you mean instance.read?"),
        (
            "statement 3: 'frobnicate' is no action",
            "An action is a kind and a verb, such as instance.read",
        ),
        ("statement 3: no identifier begins with 'instance-', as in 'instance-*'",
         "Did you mean inst-*?"),
    ]  # fmt: skip


def test_statements_that_are_none_are_all_told_too(cloud: Cloud) -> None:
    wrong = [
        {**READ, "effect": "perhaps"},
        {"effect": "allow", "actions": []},
        READ,
        {**READ, "rule": "env.day_of_week =="},
        "text",
    ]
    told = problems(cloud, policy(statements=wrong))
    assert [message.partition(":")[0].partition(" ")[0] for message, _hint in told] == [
        "statements[0].effect", "statements[1].actions", "statements[3].rule", "statements[4]",
    ]  # fmt: skip


def test_1024_statements_go_and_1025_do_not(cloud: Cloud) -> None:
    many = [{**READ, "id": str(number)} for number in range(MOST_STATEMENTS + 1)]
    cloud.apply(policy(statements=many[:-1]))
    assert len(row(cloud)["statements"]) == MOST_STATEMENTS
    ((message, hint),) = problems(cloud, policy(statements=many))
    assert "it has 1025 statements, at most 1024 are possible" in message
    assert hint == "Divide it into several policies; a role can have them all"


# Documents


VENDOR = {"name": "own", "enabled": False, "description": "text", "policy": [READ, START]}


@pytest.mark.parametrize(
    "document",
    [VENDOR, [VENDOR], {"policies": [VENDOR]}, json.dumps({"policies": [VENDOR]}),
     {"policies": [VENDOR, {**VENDOR, "name": "other"}]}],
    ids=["one", "list", "policies", "text", "several"],
)  # fmt: skip
def test_a_document_of_the_vendor_is_imported_and_exported_as_it_was(
    cloud: Cloud, document: Any
) -> None:
    drafted = cloud.apply(policy(document=copy.deepcopy(document)))
    found = row(cloud)
    assert (found["enabled"], found["description"]) == (False, "text")
    assert found["statements"] == [READ, START]
    assert KINDS["policy"].present(found, drafted.world)["document"] == VENDOR
    assert not cloud.plan(policy(document=document)).plan


def test_the_name_of_a_document_is_taken_where_none_is_given(cloud: Cloud) -> None:
    cloud.apply({"kind": "policy", "document": VENDOR})
    assert row(cloud)["statements"] == [READ, START]
    assert not cloud.plan({"kind": "policy", "document": VENDOR}).plan


def test_several_documents_without_names_are_several_policies(cloud: Cloud) -> None:
    first, second = ({"kind": "policy", "document": {**VENDOR, "name": name}} for name in "ab")
    cloud.apply(first, second)
    assert {"a", "b"} <= {item["name"] for item in cloud.rows["policy"]}
    ((message, _hint),) = problems(cloud, first, first)
    assert message == "it is listed twice: resources[0] and [1]"


def test_what_a_document_leaves_out_stays(cloud: Cloud) -> None:
    cloud.apply(policy(description="kept", enabled=False))
    cloud.apply(policy(document={"name": "own", "policy": [READ]}))
    assert (row(cloud)["description"], row(cloud)["enabled"]) == ("kept", False)
    cloud.apply(policy(document=VENDOR, description="given", enabled=True))
    assert (row(cloud)["description"], row(cloud)["enabled"]) == ("given", True)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        (7, "is no policy"),
        ({"name": "own"}, "it needs statements, or policy as the vendor has it"),
        ({"policies": []}, "the document has 0 policies"),
        ({"policies": [{**VENDOR, "name": "a"}, {**VENDOR, "name": "b"}]}, "none is named 'own'"),
        ({**VENDOR, "policy": [{**READ, "effect": "x"}]}, "'x' is not possible"),
    ],
)
def test_a_document_that_is_none_is_refused(cloud: Cloud, document: Any, words: str) -> None:
    assert words in str(problems(cloud, policy(document=document)))


statements = st.lists(
    st.fixed_dictionaries(
        {"effect": st.sampled_from(["allow", "deny"]),
         "actions": st.lists(st.sampled_from(["*", "instance.*", "volume.read"]), min_size=1),
         "resources": st.lists(st.sampled_from(["*", "inst-*", "vol-*"]), min_size=1)},
        optional={"rule": st.sampled_from(["id == 'x'", 'env.door == "api"'])},
    ),
    max_size=5,
)  # fmt: skip


@given(st.lists(st.sampled_from(["a", "b", "c"]), unique=True, min_size=1), statements)
def test_what_is_exported_is_imported_as_the_same(names: list[str], some: list[Any]) -> None:
    exported = [item.as_vendor() for item in parse_policies(
        [{"name": name, "policy": some} for name in names]
    )]  # fmt: skip
    fields = SPECS["policy"].fields
    once = normalise(fields, {"document": {"policies": exported}}, "policy")
    assert normalise(fields, once, "policy") == once
    assert [item.as_vendor() for item in parse_policies(once["document"])] == exported


# What is predefined


@pytest.mark.parametrize("name", predefined.POLICIES)
def test_a_predefined_policy_can_be_copied_and_the_copy_changed(cloud: Cloud, name: str) -> None:
    cloud.apply(policy(copy_of=name))
    theirs = [item.as_dict() for item in predefined.POLICIES[name].statements]
    assert row(cloud)["statements"] == theirs
    cloud.apply(policy(statements=[READ]))
    assert not cloud.plan(policy(copy_of=name)).plan
    assert row(cloud)["statements"] == [READ]


def test_what_is_predefined_is_not_changed_removed_or_named_again(cloud: Cloud) -> None:
    id = predefined.POLICY_IDS["viewer"]
    for entry in (
        {"kind": "policy", "id": id, "description": "mine"},
        {"kind": "policy", "id": id, "statements": [READ]},
        {"kind": "policy", "id": id, "name": "seen"},
        {"kind": "policy", "id": id, "state": "absent"},
        {"kind": "role", "id": predefined.ROLE_IDS["viewer"], "policies": ["administrator"]},
        {"kind": "role", "id": predefined.ROLE_IDS["viewer"], "state": "absent"},
        policy("Viewer"),
        {"kind": "role", "name": "viewer", "organization": "org"},
    ):
        ((message, _hint),) = problems(cloud, entry)
        assert "predefined" in message, entry


def test_a_policy_that_a_role_has_is_not_removed_and_the_roles_are_told(cloud: Cloud) -> None:
    cloud.apply(policy(statements=[READ]), {"kind": "role", "name": "one", "policies": ["own"]},
                {"kind": "role", "name": "two", "policies": ["own", "viewer"]})  # fmt: skip
    (told,) = problems(cloud, policy(state="absent"))
    assert told == ("roles have it: one, two", "Take it from these roles first")
    gone = [{"kind": "role", "name": name, "state": "absent"} for name in ("one", "two")]
    cloud.apply(policy(state="absent"), *gone)
    assert [item["name"] for item in cloud.rows["policy"]] == list(predefined.POLICIES)
    assert not cloud.rows["policy_version"]


def test_one_source_of_statements_is_enough(cloud: Cloud) -> None:
    ((message, _hint),) = problems(cloud, policy(statements=[READ], copy_of="viewer"))
    assert message == "give one of statements, copy_of"


def test_what_another_organization_has_does_not_exist(cloud: Cloud) -> None:
    cloud.apply({"kind": "organization", "name": "other"})
    cloud.apply(policy("theirs", organization="other", statements=[READ]))
    id = row(cloud, name="theirs")["id"]
    for ref in ("theirs", id):
        for entry in (
            policy(organization="org", copy_of=ref),
            {"kind": "role", "name": "r", "organization": "org", "policies": [ref]},
        ):
            with pytest.raises(AggregateError) as caught:
                cloud.plan(entry)
            (error,) = caught.value.errors
            assert isinstance(error, NotFoundError)
            assert error.message == "does not exist"
            assert "theirs" not in (error.hint or "")


def test_a_misspelt_predefined_name_is_corrected(cloud: Cloud) -> None:
    (told,) = problems(cloud, policy(copy_of="viewr"))
    assert told == ("does not exist", 'Did you mean "viewer"?')


# Licences


@pytest.mark.parametrize("edition", [None, "standard", "evaluation"])
def test_a_new_rule_needs_an_edition_that_has_rules(cloud: Cloud, edition: str | None) -> None:
    if edition:
        licensed(cloud, edition)
    ((message, hint),) = problems(cloud, policy(statements=[SUNDAY]))
    assert message.startswith("it needs IAM_ABAC_RULES, which the edition in force here,")
    assert hint is not None


def test_a_rule_that_is_there_stays_when_the_edition_has_rules_no_more(cloud: Cloud) -> None:
    licensed(cloud, "enterprise")
    cloud.apply(policy(statements=[SUNDAY]))
    cloud.rows["node_license"] = []
    cloud.apply(policy(statements=[SUNDAY, START]))
    assert not cloud.plan(policy(statements=[SUNDAY, START])).plan
    more = {**READ, "rule": "env.day_of_week == 6"}
    assert "IAM_ABAC_RULES" in str(problems(cloud, policy(statements=[SUNDAY, more])))


def test_every_node_has_to_be_licensed_and_all_are_read_at_once(cloud: Cloud) -> None:
    licensed(cloud, "enterprise")
    node = cloud.rows["node"][0]
    for number in range(30):
        id = f"node-{number:021}"
        cloud.rows["node"].append({**node, "id": id, "name": f"n{number}", "host_key": id})
    assert "has no licence" in str(problems(cloud, policy(statements=[SUNDAY])))
    rows = Rows(cloud.rows)
    with pytest.raises(AggregateError):
        Planner(KINDS, NOW).plan(
            manifest([policy(statements=[SUNDAY])]), World(SPECS, rows, cloud.host), cloud.host
        )
    assert rows.queries["node_license"] == 1


def test_conflicts_of_two_sources_raise_what_they_are(cloud: Cloud) -> None:
    cloud.apply(policy(statements=[READ]))
    with pytest.raises(AggregateError) as caught:
        cloud.plan(policy(organization="org", state="absent"), {"kind": "role", "name": "r",
                   "policies": ["own"]})  # fmt: skip
    assert all(isinstance(error, ConflictError) for error in caught.value.errors)
