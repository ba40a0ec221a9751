# SPDX-License-Identifier: Apache-2.0
"""Decisions: any that denies, else the first that allows, else denied; and what no policy gives."""

from __future__ import annotations

import datetime as dt
import fnmatch
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.access.actions import Actions
from pextra.access.attributes import Environment, Resource, Subject
from pextra.access.decisions import Decision, PolicySet, Rights, may
from pextra.access.index import Index
from pextra.access.statements import Effect, Policy, Statement, parse_policy
from pextra.kinds.registry import KINDS

ROOT = Path(__file__).parents[2]
ALL = Actions(kind.spec for kind in KINDS.values())
ANN = Subject("user-ann", "ann", "org-1", roles=("operator",))
CHAIN = ("dc-1", "cls-1", "node-1")
WEB = Resource("instance", "inst-web", "org-1", CHAIN, name="web", tags={"env": "test"})
NOW = Environment(dt.datetime(2026, 11, 29, 9, tzinfo=dt.UTC), "10.0.0.1", "api")


def says(
    effect: str, actions: str = "*", resources: str = "*", rule: str | None = None
) -> dict[str, Any]:
    """A statement."""
    return {"effect": effect, "actions": actions, "resources": resources, "rule": rule}


def policy(*statements: dict[str, Any], name: str = "first", enabled: bool = True) -> Policy:
    """A policy."""
    return parse_policy({"name": name, "statements": list(statements), "enabled": enabled})


def decide(
    *policies: Policy,
    action: str = "instance.read",
    resource: Resource = WEB,
    subject: Subject = ANN,
    environment: Environment = NOW,
) -> Decision:
    """What is decided on Ann reading a web server, unless something else is said."""
    return may(Rights(subject, PolicySet(policies)), action, resource, environment)


def test_without_a_statement_it_is_denied() -> None:
    assert decide() == Decision(False, "no statement allows it")
    assert not decide(policy(says("allow", "volume.*"))).allowed


def test_the_first_statement_that_allows_decides_and_is_named() -> None:
    found = decide(
        policy(says("allow", "volume.*"), says("allow", "instance.*"), says("allow")),
        policy(says("allow"), name="second"),
    )
    assert (found.allowed, found.policy, found.number) == (True, "first", 2)
    assert found.why == 'statement 2 of the policy "first" allows it'
    assert found.statement == Statement(Effect.ALLOW, ("instance.*",), ("*",))


def test_a_statement_that_denies_wins_wherever_it_is() -> None:
    found = decide(
        policy(says("allow"), says("allow", "instance.read", "inst-web")),
        policy(says("deny", "*.read", "inst-w*"), says("deny"), name="second"),
    )
    assert (found.allowed, found.policy, found.number) == (False, "second", 1)
    assert found.why == 'statement 1 of the policy "second" denies it'


def test_the_order_of_policies_is_the_order_in_which_they_are_asked() -> None:
    one, other = policy(says("allow"), name="one"), policy(says("allow"), name="other")
    assert decide(one, other).policy == "one"
    assert decide(other, one).policy == "other"


def test_a_disabled_policy_neither_allows_nor_denies() -> None:
    assert not decide(policy(says("allow"), enabled=False)).allowed
    denying = policy(says("deny"), name="off", enabled=False)
    assert decide(policy(says("allow")), denying).allowed


# What a pattern reaches


@pytest.mark.parametrize(
    "pattern",
    [
        "*", "inst-web", "inst-*", "*web", "node-1", "node-*", "cls-1", "dc-1", "dc-*", "org-1",
        "org-*", "o*1", "*-1",
    ],
)  # fmt: skip
def test_a_pattern_on_what_it_is_in_reaches_a_resource(pattern: str) -> None:
    assert decide(policy(says("allow", resources=pattern))).allowed
    assert not decide(policy(says("allow"), says("deny", resources=pattern))).allowed


@pytest.mark.parametrize(
    "pattern", ["inst-other", "inst-w", "node-2", "cls-*2", "org-2", "vol-*", "web", "ORG-1"]
)
def test_a_pattern_on_something_else_does_not(pattern: str) -> None:
    assert not decide(policy(says("allow", resources=pattern))).allowed


def test_a_pattern_on_a_node_does_not_reach_the_cluster_that_it_is_in() -> None:
    cluster = Resource("cluster", "cls-1", "org-1", ("dc-1",))
    reached = policy(says("allow", resources="node-1"))
    assert not decide(reached, action="cluster.read", resource=cluster).allowed


def test_what_has_no_identifier_yet_is_reached_by_what_it_will_be_in() -> None:
    new = Resource("instance", None, "org-1", CHAIN)
    for pattern, allowed in (("*", True), ("cls-1", True), ("org-*", True), ("inst-*", False)):
        allowing = policy(says("allow", resources=pattern))
        assert decide(allowing, action="instance.create", resource=new).allowed is allowed


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("*", True), ("instance.*", True), ("*.read", True), ("instance.read", True),
        ("i*.r*d", True), ("instance.rea", False), ("instance.reads", False), ("nstance.*", False),
        ("instance.*.read", False), ("instance", False),
    ],
)  # fmt: skip
def test_a_pattern_of_actions_is_those_actions(pattern: str, allowed: bool) -> None:
    assert decide(policy(says("allow", pattern))).allowed is allowed


def test_a_wildcard_reaches_the_parts_of_a_kind() -> None:
    for pattern in ("cluster.*", "*.read", "cluster.joinkey.*"):
        cluster = Resource("cluster", "cls-1", "org-1", ("dc-1",))
        found = decide(
            policy(says("allow", pattern)), action="cluster.joinkey.read", resource=cluster
        )
        assert found.allowed


# Rules


def test_a_rule_narrows_a_statement() -> None:
    weekdays = policy(says("allow", rule="env.day_of_week >= 1 && env.day_of_week <= 5"))
    monday = Environment(dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC))
    assert not decide(weekdays).allowed
    assert decide(weekdays, environment=monday).allowed


def test_a_statement_whose_rule_does_not_hold_leaves_it_to_the_next() -> None:
    found = decide(
        policy(
            says("allow", "instance.read", "inst-web", 'resource.tags.env == "prod"'),
            says("allow", "*", "*", 'id == "x"'),
            says("allow", "instance.read", "inst-web", 'resource.tags.env == "test"'),
            says("allow"),
        )
    )
    assert found.number == 3


@pytest.mark.parametrize("negated", ["{}", "!({})", "!(!({}))"])
def test_what_is_not_known_denies_also_when_it_is_negated(negated: str) -> None:
    rule = negated.format('resource.tags.owner == "x"')
    assert not decide(policy(says("allow", rule=rule))).allowed
    found = decide(policy(says("allow"), says("deny", rule=rule)))
    assert not found.allowed
    assert found.why == (
        'statement 2 of the policy "first" denies it, since its rule looks at what is not known:'
        " resource.tags.owner"
    )


def test_why_is_told_anew_for_each_case() -> None:
    policies = PolicySet([policy(says("deny", rule='resource.tags.owner == "x"'))])
    tagged = Resource("instance", "inst-1", "org-1", tags={"owner": "x"})
    for resource, known in ((WEB, False), (tagged, True), (WEB, False)):
        why = policies.decide("instance.read", ANN, resource, NOW).why
        assert ("not known" not in why) is known


def test_a_rule_that_only_another_version_can_read_denies() -> None:
    def stored(effect: Effect) -> Policy:
        return Policy("newer", (Statement(effect, ("*",), ("*",), "moon.phase ?? full"),))

    assert not decide(stored(Effect.ALLOW)).allowed
    found = decide(policy(says("allow")), stored(Effect.DENY))
    assert not found.allowed
    assert found.why.endswith("not known: a rule that cannot be read")


# What no policy gives


@pytest.mark.parametrize("action", ALL.all)
def test_nothing_reaches_another_organization(action: str) -> None:
    everything = PolicySet([policy(says("allow"), says("allow", "*", "org-2"))])
    for kind in KINDS.values():
        theirs = Resource(kind.spec.name, f"{kind.spec.prefix}-2", "org-2", ("cls-2", "org-1"))
        found = may(Rights(ANN, everything), action, theirs, NOW)
        assert found == Decision(False, "it is of another organization", hidden=True)


def test_what_is_of_no_organization_is_for_root() -> None:
    database = Resource("database", None, None)
    found = decide(policy(says("allow")), action="database.update", resource=database)
    assert (found.allowed, found.hidden) == (False, False)
    assert found.why == "it is of no organization, and only root may touch it"
    nobody = Subject("user-x", "x", None)
    assert not decide(policy(says("allow")), resource=database, subject=nobody).allowed
    root = Subject("user-root", "root", "org-1", root=True)
    assert decide(resource=database, subject=root).allowed
    for pattern, allowed in (("*", True), ("org-*", False)):
        token = PolicySet([policy(says("allow", resources=pattern))])
        assert may(Rights(root, limit=token), "database.read", database, NOW).allowed is allowed


def test_policies_do_not_bind_root_anywhere() -> None:
    root = Subject("user-root", "root", "org-1", root=True)
    found = decide(policy(says("deny")), subject=root)
    assert found == Decision(True, "policies do not bind root")
    theirs = Resource("instance", "inst-2", "org-2")
    assert decide(policy(says("deny")), subject=root, resource=theirs).allowed


def test_a_narrower_token_takes_away_and_gives_nothing() -> None:
    reads = PolicySet([policy(says("allow", "*.read"), name="token")])
    wide, none = PolicySet([policy(says("allow"))]), PolicySet([])
    root = Subject("user-root", "root", "org-1", root=True)
    for subject, policies in ((ANN, wide), (root, none)):
        rights = Rights(subject, policies, reads)
        assert may(rights, "instance.read", WEB, NOW).allowed
        assert not may(rights, "instance.delete", WEB, NOW).allowed
    assert not may(Rights(ANN, none, reads), "instance.read", WEB, NOW).allowed
    denying = PolicySet([policy(says("deny"), name="own")])
    assert may(Rights(ANN, denying, none), "instance.read", WEB, NOW).policy == "own"
    theirs = Resource("instance", "inst-2", "org-2")
    assert not may(Rights(ANN, wide, reads), "instance.read", theirs, NOW).allowed
    no_deletion = PolicySet([policy(says("allow"), says("deny", "*.delete"), name="token")])
    found = may(Rights(ANN, wide, no_deletion), "instance.delete", WEB, NOW)
    assert (found.policy, found.number) == ("token", 2)


# The index finds what asking each statement would


ACTIONS = ("instance.read", "instance.list", "volume.read", "cluster.joinkey.read")
PATTERNS = ("*", "instance.*", "*.read", "instance.read", "volume.read", "i*.*e*", "cluster.*.read")
KEYS = ("inst-a", "inst-ab", "node-1", "cls-1")
REACHES = ("*", "inst-*", "inst-a", "inst-a*", "*-1", "node-1", "cls-*", "*a*b", "org-1", "n*-1")
RULES = (None, None, 'id == "inst-a"', 'resource.tags.x == "1"', '!(resource.tags.x == "1")')


def some(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    """One to three of some values."""
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(tuple)


STATEMENTS = st.builds(
    Statement, st.sampled_from(Effect), some(PATTERNS), some(REACHES), st.sampled_from(RULES)
)
POLICIES = st.builds(
    Policy, st.sampled_from("abc"), st.lists(STATEMENTS, max_size=6).map(tuple), st.booleans()
)


def matches(statement: Statement, action: str, resource: Resource) -> bool:
    """Whether a statement matches, told in the plainest way."""
    value = {None: True, 'id == "inst-a"': resource.id == "inst-a"}
    tag = resource.tags.get("x")
    unknown = statement.effect is Effect.DENY
    value['resource.tags.x == "1"'] = unknown if tag is None else tag == "1"
    value['!(resource.tags.x == "1")'] = unknown if tag is None else tag != "1"
    return (
        any(fnmatch.fnmatchcase(action, pattern) for pattern in statement.actions)
        and any(
            fnmatch.fnmatchcase(key, pattern)
            for key in resource.keys
            for pattern in statement.resources
        )
        and value[statement.rule]
    )


@given(
    st.lists(POLICIES, max_size=4),
    st.sampled_from(ACTIONS),
    st.sampled_from(KEYS),
    st.lists(st.sampled_from(KEYS), max_size=3).map(tuple),
    st.sampled_from([{}, {"x": "1"}, {"x": "2"}]),
)
def test_the_index_finds_what_asking_each_statement_would(
    policies: list[Policy], action: str, id: str, chain: tuple[str, ...], tags: dict[str, str]
) -> None:
    resource = Resource("instance", id, "org-1", chain, tags=tags)
    matching = [
        (item, number, statement)
        for item in policies
        if item.enabled
        for number, statement in enumerate(item.statements, 1)
        if matches(statement, action, resource)
    ]
    denying = [found for found in matching if found[2].effect is Effect.DENY]
    found = decide(*policies, action=action, resource=resource)
    if not matching:
        assert (found.allowed, found.statement) == (False, None)
        return
    first = (denying or matching)[0]
    assert found.allowed is not bool(denying)
    assert (found.policy, found.number, found.statement) == (first[0].name, *first[1:])
    again = PolicySet(policies)
    for _once_more in range(2):
        assert again.decide(action, ANN, resource, NOW) == found


def test_of_1024_statements_only_those_on_the_resource_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a decision costs does not depend on how many statements are about something else."""
    of_others = [says("allow", "instance.read", f"inst-{i}", f'id == "{i}"') for i in range(1022)]
    asked = []
    policies = PolicySet([
        policy(
            *of_others,
            says("allow", "instance.read", "inst-web", 'id == "x"'),
            says("allow", "instance.*", "node-1", "env.day_of_week == 0"),
        )
    ])  # fmt: skip
    from pextra.access.index import Entry

    asks = Entry.matches
    monkeypatch.setattr(
        Entry, "matches", lambda entry, *given: asked.append(entry.number) or asks(entry, *given)
    )
    assert policies.decide("instance.read", ANN, WEB, NOW).number == 1024
    assert sorted(asked) == [1023, 1024]


def test_a_rule_that_many_statements_have_is_asked_once() -> None:
    asked = []

    class Counting(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            asked.append(key)
            return super().get(key, default)

    tagged = Resource("instance", "inst-1", "org-1", tags=Counting(env="x"))
    rule = says("allow", rule='resource.tags.env == "prod"')
    policies = PolicySet([policy(*[rule] * 25, name=f"p{number}") for number in range(100)])
    assert not policies.decide("instance.read", ANN, tagged, NOW).allowed
    assert asked == ["env"]


def test_who_has_no_rules_does_not_wait_for_the_parser() -> None:
    code = """
import sys
from pextra.access import predefined
from pextra.access.attributes import Environment, Resource, Subject
from pextra.access.decisions import PolicySet, Rights, may
rights = Rights(Subject("user-1", "ann", "org-1"), PolicySet(predefined.POLICIES.values()))
assert may(rights, "volume.read", Resource("volume", "vol-1", "org-1"), Environment()).allowed
sys.exit("lark" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_actions_that_nobody_has_heard_of_do_not_fill_the_memory() -> None:
    index = Index([])
    for number in range(3000):
        assert index.first(f"x.{number}", ANN, WEB, NOW) is None
    assert len(index._found) <= 1024
