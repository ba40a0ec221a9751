# SPDX-License-Identifier: Apache-2.0
"""Policies: their two shapes in JSON, their limits, and what is said of what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.access.actions import Actions
from pextra.access.statements import (
    Effect,
    Policy,
    Statement,
    parse_policies,
    parse_policy,
    parse_statements,
    stored_statements,
)
from pextra.kinds.registry import KINDS
from pextra.model.errors import InputError

ALL = Actions(kind.spec for kind in KINDS.values())
READ = {"effect": "allow", "actions": ["organization.read"], "resources": ["org-*"]}


def policy(*statements: dict[str, Any], **further: Any) -> Policy:
    """A policy of some statements."""
    return parse_policy({"name": "example", "statements": list(statements), **further})


def test_the_vendors_shape_is_read() -> None:
    document = {
        "policies": [
            {
                "name": "Web",
                "enabled": False,
                "description": "Web servers",
                "policy": [
                    {**READ, "rule": "env.day_of_week != 0"},
                    {"effect": "deny", "actions": ["*"], "resources": ["*"], "rule": None},
                ],
            },
            {"name": "Empty", "policy": []},
        ]
    }
    web, empty = parse_policies(document)
    assert web == Policy(
        "Web",
        (
            Statement(Effect.ALLOW, ("organization.read",), ("org-*",), "env.day_of_week != 0"),
            Statement(Effect.DENY, ("*",), ("*",)),
        ),
        enabled=False,
        description="Web servers",
    )
    assert empty == Policy("Empty", ())
    assert parse_policies(document["policies"]) == (web, empty)
    assert parse_policies(document["policies"][0]) == (web,)


def test_ours_has_an_id_and_a_description_besides() -> None:
    found = policy({**READ, "id": "see", "description": "What everybody needs"})
    assert found.statements[0].id == "see"
    assert found.as_dict()["statements"] == [
        {"id": "see", "description": "What everybody needs", **READ}
    ]
    assert found.as_vendor()["policy"] == [READ]


def test_what_ansible_accepts_for_a_list_is_a_list_and_what_is_there_twice_is_there_once() -> None:
    found = policy({"effect": "allow", "actions": "a.b, a.b,c.**", "resources": "org-*"})
    assert found.statements[0].actions == ("a.b", "c.*")
    assert found.statements[0].resources == ("org-*",)


@pytest.mark.parametrize("rule", ["", "  ", None])
def test_an_empty_rule_is_none(rule: str | None) -> None:
    assert policy({**READ, "rule": rule}).statements[0].rule is None


NAMES = st.from_regex(r"[A-Za-z0-9]{1,20}", fullmatch=True)
STATEMENTS = st.builds(
    Statement,
    st.sampled_from(Effect),
    st.lists(st.sampled_from(["*", "instance.*", "*.list", "user.read"]), min_size=1, unique=True)
    .map(tuple),
    st.lists(st.sampled_from(["*", "org-*", "inst-*"]), min_size=1, unique=True).map(tuple),
    st.sampled_from([None, "env.day_of_week == 1", 'id == "x"']),
    st.none(),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
)  # fmt: skip
POLICIES = st.builds(
    Policy, NAMES, st.lists(STATEMENTS, max_size=5).map(tuple), st.booleans(), st.just("x")
)


@given(st.lists(POLICIES, max_size=3, unique_by=lambda item: item.name.casefold()))
def test_what_is_written_is_read_again(policies: list[Policy]) -> None:
    ours = json.loads(json.dumps([item.as_dict() for item in policies]))
    assert parse_policies(ours) == tuple(policies)
    vendors = json.loads(json.dumps({"policies": [item.as_vendor() for item in policies]}))
    assert [item.as_vendor() for item in parse_policies(vendors)] == vendors["policies"]
    for item in policies:
        kept = json.loads(json.dumps([one.as_dict() for one in item.statements]))
        assert stored_statements(kept) == item.statements


# What is wrong


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ({}, "statement 2: effect is missing"),
        ({**READ, "effect": "permit"}, "statement 2: effect: 'permit' is not possible"),
        ({**READ, "effect": "Allow"}, "statement 2: effect: 'Allow' is not possible"),
        ({**READ, "actions": []}, "statement 2: actions: a statement needs actions"),
        ({**READ, "resources": []}, "statement 2: resources: a statement needs resources"),
        ({"effect": "deny", "actions": ["*"]}, "statement 2: resources is missing"),
        ({**READ, "actions": [{"a": 1}]}, "statement 2: actions"),
        ({**READ, "actions": ["Ínstance.read"]}, "is not possible in actions"),
        ({**READ, "actions": ["instance.re\u0430d"]}, "is not possible in actions"),
        ({**READ, "actions": ["a" * 129]}, "is not possible in actions"),
        ({**READ, "resources": ["inst-[a]"]}, "is not possible in resources"),
        ({**READ, "resources": ["inst-\n"]}, "is not possible in resources"),
        ({**READ, "resources": ["../x"]}, "is not possible in resources"),
        ({**READ, "rule": "id == "}, "statement 2: rule: the rule ends too early"),
        ({**READ, "rule": 'id == "' + "a" * (100 << 10) + '"'}, "statement 2: rule: the rule has"),
        ({**READ, "rule": ["a"]}, "statement 2: rule"),
        ({**READ, "id": "a b"}, "statement 2: id"),
        ({**READ, "description": "a" * 1025}, "statement 2: description"),
        ({**READ, "action": ["x"]}, "statement 2: unknown option: action"),
        ("allow all", "statement 2: 'allow all' is not an object"),
        (None, "statement 2: None is not an object"),
    ],
)
def test_the_message_names_the_policy_and_the_statement(statement: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        policy(READ, statement)
    assert caught.value.resource == 'policy "example"'


def test_a_misspelt_key_gets_a_hint() -> None:
    with pytest.raises(InputError) as caught:
        policy({"efect": "allow"})
    assert caught.value.hint == "Did you mean effect?"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (5, "is not an object"),
        ({}, "name is missing"),
        ({"name": "a"}, "needs statements, or policy"),
        ({"name": "a", "policy": [], "statements": []}, "needs statements, or policy"),
        ({"name": "a", "policy": {}}, "is not a list"),
        ({"name": "a", "policy": "x"}, "is not a list"),
        ({"name": "\u0430dmin", "policy": []}, "is not an acceptable name"),
        ({"name": "a", "policy": [], "enabled": "perhaps"}, "enabled"),
        ({"name": "a", "policy": [], "organization": "x"}, "unknown option"),
        ({"policies": [], "more": 1}, "beside policies there is more"),
        ([{"name": "a", "policy": []}, {"name": "A", "policy": []}], "two policies of the name"),
        ([{"name": "a", "policy": []}, {"policy": []}], "policy 2: name is missing"),
        ([None] * 1025, "1025 policies, at most 1024"),
    ],
)
def test_a_document_that_is_no_policy_is_refused(document: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_policies(document)
    assert words in str(caught.value)


def test_1024_statements_are_a_policy_and_1025_are_none() -> None:
    assert len(policy(*[READ] * 1024).statements) == 1024
    with pytest.raises(InputError, match="1025 statements, at most 1024") as caught:
        policy(*[READ] * 1025)
    assert caught.value.hint == "Divide it into several policies; a role can have them all"


def test_patterns_and_rules_of_a_policy_have_a_bound_together() -> None:
    many = [f"inst-{number}" for number in range(200)]
    with pytest.raises(InputError, match="at most 16384"):
        policy(*[{**READ, "resources": many}] * 100)
    long = [f'id == "{number:04000}"' for number in range(40)]
    with pytest.raises(InputError, match="at most 131072"):
        policy(*[{**READ, "rule": rule} for rule in long])
    assert policy(*[{**READ, "rule": long[0]}] * 100)
    expressions = [f"/{'a' * 240}/.test(id) || id == '{number}'" for number in range(18)]
    with pytest.raises(InputError, match="at most 4096"):
        policy(*[{**READ, "rule": rule} for rule in expressions])
    assert policy(*[{**READ, "rule": expressions[0]}] * 100)


def test_two_statements_do_not_have_one_id() -> None:
    with pytest.raises(InputError, match="statements 1 and 3 have one id, 'a'"):
        policy({**READ, "id": "a"}, READ, {**READ, "id": "a"})


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("actions", "organization.raed", "Did you mean organization.read?"),
        ("actions", "instances.*", "Did you mean instance.*?"),
        ("resources", "organization-*", "Did you mean org-*?"),
    ],
)
def test_an_unknown_action_or_resource_is_refused_with_the_nearest(
    key: str, value: str, hint: str
) -> None:
    found = policy(READ, {**READ, key: ["*", value]})
    with pytest.raises(InputError, match=f"statement 2: .*{value[:5]}") as caught:
        found.check(ALL)
    assert caught.value.resource == 'policy "example"'
    assert caught.value.hint == hint
    policy(READ).check(ALL)


def test_what_the_store_has_stays_as_it_is() -> None:
    """Another version may have written it: nothing is checked, and nothing is lost."""
    newer = {"effect": "deny", "actions": ["moon.land"], "resources": ["mo-*"], "rule": "a ?? b"}
    assert stored_statements([newer])[0].as_dict() == newer


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10),
        st.sampled_from(["allow", "deny", "*", "org-*", 'id == "x"']),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from([
                "name", "policy", "statements", "policies", "enabled", "effect", "actions",
                "resources", "rule", "id", "description",
            ]),
            inner,
        ),
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_any_json_is_policies_or_refused(document: Any) -> None:
    try:
        found = parse_policies(document)
    except InputError:
        return
    assert all(isinstance(item, Policy) for item in found)


@given(JSON)
def test_any_json_is_a_statement_or_refused(document: Any) -> None:
    try:
        (found,) = parse_statements([document])
    except InputError:
        return
    assert parse_statements([found.as_dict()]) == (found,)
