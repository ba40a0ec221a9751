# SPDX-License-Identifier: Apache-2.0
"""Roles, who holds them, root users, and changes that would lock their author out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.access import predefined
from pextra.calls.apply import manifest
from pextra.engine.planner import Drafted, Planner
from pextra.engine.world import World
from pextra.kinds import rights
from pextra.kinds.registry import KINDS
from pextra.model.errors import AggregateError, each
from pextra.model.principal import Principal
from pextra.tests.rows import Rows
from pextra.tests.test_planning import BASE, NOW, SPECS, Cloud
from pextra.tests.test_policies import READ, policy, row, seeded

ALL = {"effect": "allow", "actions": ["*"], "resources": ["*"]}
_OF_ORGANIZATION = ("datacenter", "user", "policy")
PAST, LATER = "2020-01-01", "2090-01-01"


@pytest.fixture
def cloud() -> Cloud:
    """A cloud with a node, a policy and a user."""
    made = seeded(Cloud())
    made.apply(*BASE, policy(statements=[READ]))
    return made


def role(name: str = "mine", **options: Any) -> dict[str, Any]:
    """An entry of a manifest."""
    return {"kind": "role", "name": name, **options}


def user(name: str = "ann", **options: Any) -> dict[str, Any]:
    """An entry of a manifest."""
    return {"kind": "user", "username": name, **options}


def plan(cloud: Cloud, *entries: dict[str, Any], by: Principal | None = None) -> Drafted:
    """The plan of a manifest that somebody asks for."""
    world = World(SPECS, Rows(cloud.rows), cloud.host, principal=by)
    return Planner(KINDS, NOW).plan(manifest(entries), world, cloud.host)


def told(cloud: Cloud, *entries: dict[str, Any], by: Principal | None = None) -> list[str]:
    """Why a manifest is refused."""
    with pytest.raises(AggregateError) as caught:
        plan(cloud, *entries, by=by)
    return [error.message for error in each(caught.value)]


def policies_of(cloud: Cloud, name: str = "mine") -> Any:
    """The policies of a role, as they are returned."""
    world = World(SPECS, Rows(cloud.rows), cloud.host)
    return KINDS["role"].present(row(cloud, "role", name), world)["policies"]


def roles_of(cloud: Cloud, name: str = "ann") -> Any:
    """The roles of a user, as they are returned."""
    world = World(SPECS, Rows(cloud.rows), cloud.host)
    (found,) = (item for item in cloud.rows["user"] if item["username"] == name)
    return KINDS["user"].present(found, world)["roles"]


def test_policies_come_in_the_order_given_and_others_stay_behind(cloud: Cloud) -> None:
    cloud.apply(role(policies=["viewer", "own"]))
    assert policies_of(cloud) == ["viewer", "own"]
    cloud.apply(role(policies=["storage", "own"]))
    assert policies_of(cloud) == ["storage", "own", "viewer"]
    assert not cloud.plan(role(policies=["storage", "own"])).plan
    assert not cloud.plan(role()).plan
    cloud.apply(role(policies=["own", "storage"], purge=True))
    assert policies_of(cloud) == ["own", "storage"]
    cloud.apply(role(policies=[], purge=True))
    assert policies_of(cloud) == []


names = st.lists(st.sampled_from(["own", "viewer", "storage", "network", "auditor"]), max_size=6)


@given(st.lists(st.tuples(names, st.booleans()), max_size=4))
def test_a_plan_that_was_carried_out_has_nothing_left(steps: list[tuple[list[str], bool]]) -> None:
    cloud = seeded(Cloud())
    cloud.apply(*BASE, policy(statements=[READ]))
    have: list[str] = []
    for wanted, purge in steps:
        entry = role(policies=wanted, purge=purge)
        cloud.apply(entry)
        once = list(dict.fromkeys(wanted))
        have = [*once, *([] if purge else [name for name in have if name not in once])]
        assert policies_of(cloud) == have
        assert not cloud.plan(entry).plan


def test_steps_name_what_they_tie_together(cloud: Cloud) -> None:
    steps = cloud.plan(role(policies=["own"]), user(roles=["mine"])).plan
    assert {(step.kind, step.name) for step in steps} == {
        ("role", "mine"), ("role_policy", "mine: own"), ("user_role", "ann: mine"),
    }  # fmt: skip
    steps = cloud.plan(policy(statements=[ALL])).plan
    assert ("policy_version", "own version 2") in {(step.kind, step.name) for step in steps}


@pytest.mark.parametrize("name", predefined.POLICIES)
def test_a_predefined_role_can_be_copied_and_the_copy_changed(cloud: Cloud, name: str) -> None:
    cloud.apply(role(copy_of=name))
    assert policies_of(cloud) == [name]
    cloud.apply(role(policies=["own"], purge=True))
    assert not cloud.plan(role(copy_of=name)).plan
    assert policies_of(cloud) == ["own"]


def test_a_role_that_users_have_is_not_removed_and_they_are_told(cloud: Cloud) -> None:
    cloud.apply(role(policies=["own"]), user(roles=["mine"]), user("bob", roles=["mine"]))
    assert told(cloud, role(state="absent")) == ["users have it: ann, bob"]
    cloud.apply(user(roles=[], purge=True), user("bob", state="absent"), role(state="absent"))
    assert not cloud.rows["user_role"]
    assert {item["role_id"] for item in cloud.rows["role_policy"]} == {
        *predefined.ROLE_IDS.values()
    }


def test_to_refuse_it_a_few_of_many_users_are_read(cloud: Cloud) -> None:
    cloud.apply(role(), user(roles=["mine"]))
    link, first = cloud.rows["user_role"][0], cloud.rows["user"][0]
    for number in range(100):
        id = f"user-{number:021}"
        cloud.rows["user"].append({**first, "id": id, "username": f"u{number}"})
        cloud.rows["user_role"].append({**link, "id": f"usrrol-{number}", "user_id": id})
    rows = Rows(cloud.rows)
    with pytest.raises(AggregateError, match="users have it: "):
        Planner(KINDS, NOW).plan(
            manifest([role(state="absent")]), World(SPECS, rows, cloud.host), cloud.host
        )
    assert rows.read["user_role"] < 10
    assert rows.read["user"] < 10


def test_queries_do_not_grow_with_the_users_who_get_roles(cloud: Cloud) -> None:
    def queries(count: int) -> Any:
        rows = Rows(cloud.rows)
        entries = [
            user(f"u{number}", organization="org", roles=[f"r{number}", "viewer"])
            for number in range(count)
        ]
        Planner(KINDS, NOW).plan(manifest(entries), World(SPECS, rows, cloud.host), cloud.host)
        return rows.queries

    cloud.apply(*(role(f"r{number}") for number in range(100)))
    assert queries(2) == queries(100)
    cloud.apply(*(user(f"u{number}", roles=["storage"]) for number in range(100)))
    assert queries(2) == queries(100)


def test_roles_of_a_user_are_added_and_only_purge_takes_them(cloud: Cloud) -> None:
    cloud.apply(user(roles=["viewer", "storage"]))
    cloud.apply(user(roles=["network"]))
    assert roles_of(cloud) == ["network", "viewer", "storage"]
    assert not cloud.plan(user(description="")).plan
    cloud.apply(user(roles=["network"], purge=True))
    assert roles_of(cloud) == ["network"]


def test_what_a_user_holds_is_in_the_order_of_its_roles_and_their_policies(cloud: Cloud) -> None:
    cloud.apply(role(policies=["viewer", "own"]), user(roles=["storage", "mine", "viewer"]))
    id = cloud.rows["user"][0]["id"]
    held = rights.held(id, World(SPECS, Rows(cloud.rows), cloud.host))
    assert held.roles == ("storage", "mine", "viewer")
    assert [item.name for item in held.policies] == ["storage", "viewer", "own"]
    assert held.through == {"storage": "storage", "viewer": "mine", "own": "mine"}


# Root users


@pytest.fixture
def rooted(cloud: Cloud) -> Cloud:
    """A cloud with a root user."""
    cloud.apply(user("root", is_root=True))
    return cloud


WORSE: tuple[dict[str, Any], ...] = (
    {"enabled": False}, {"expiry": PAST}, {"expiry": LATER}, {"state": "absent"},
)  # fmt: skip


@pytest.mark.parametrize("change", WORSE, ids=str)
def test_the_last_root_user_stays(rooted: Cloud, change: dict[str, Any]) -> None:
    (message,) = told(rooted, user("root", **change))
    assert message == "no other root user is enabled" or "never expires" in message
    rooted.apply(user("other", is_root=True))
    assert rooted.plan(user("root", **change)).plan


def test_the_last_root_user_is_not_demoted(rooted: Cloud) -> None:
    assert told(rooted, user("root", is_root=False)) == ["is_root cannot change from True to False"]


@pytest.mark.parametrize("change", WORSE, ids=str)
def test_both_of_two_root_users_do_not_go_in_one_run(rooted: Cloud, change: dict[str, Any]) -> None:
    rooted.apply(user("other", is_root=True))
    assert len(told(rooted, user("root", **change), user("other", **change))) == 2


@pytest.mark.parametrize("other", [{"enabled": False}, {"expiry": PAST}], ids=str)
def test_a_root_user_that_cannot_be_used_is_no_other(rooted: Cloud, other: dict[str, Any]) -> None:
    rooted.apply(user("other", is_root=True, **other))
    assert told(rooted, user("root", enabled=False)) == ["no other root user is enabled"]
    assert rooted.plan(user("other", state="absent")).plan


def test_the_last_root_user_goes_with_the_last_organization_alone(rooted: Cloud) -> None:
    keys = ("kind", "name", "username")
    everything = [{key: item[key] for key in keys if key in item} for item in BASE]
    gone = [
        {**item, "state": "absent"}
        for item in (*everything, {"kind": "policy", "name": "own"}, user("root"))
    ]
    assert rooted.plan(*gone).plan
    rooted.apply({"kind": "organization", "name": "further"})
    gone = [
        {**item, "organization": "org"} if item["kind"] in _OF_ORGANIZATION else item
        for item in gone
    ]
    assert told(rooted, *gone) == ["no other root user is enabled"]


def test_a_root_user_takes_over_in_the_same_run_whatever_the_order(rooted: Cloud) -> None:
    heir = user("heir", is_root=True)
    assert rooted.plan(user("root", state="absent"), heir).plan
    assert rooted.plan(heir, user("root", enabled=False)).plan


def test_the_last_root_user_can_be_changed_otherwise_and_be_made_better(rooted: Cloud) -> None:
    rooted.apply(user("root", description="text", linux_user="op"))
    rooted.rows["user"][-1]["expiry"] = dt.datetime(2090, 1, 1, tzinfo=dt.UTC)
    rooted.apply(user("root", expiry=None))


# Locked out


@pytest.fixture
def author(cloud: Cloud) -> Principal:
    """Who asks: a user whose rights come from a policy and a role of the organization."""
    cloud.apply(policy("power", statements=[ALL]), role("boss", policies=["power"]),
                user(linux_user="ann", roles=["boss"]))  # fmt: skip
    return Principal("ann", "192.0.2.1", "ansible")


LOCKING: tuple[dict[str, Any], ...] = (
    policy("power", statements=[READ]),
    policy("power", enabled=False),
    policy("power", statements=[ALL, {**ALL, "effect": "deny", "actions": ["policy.update"]}]),
    role("boss", policies=["own"], purge=True),
    user(roles=["viewer"], purge=True),
)


@pytest.mark.parametrize("entry", LOCKING, ids=lambda entry: entry["kind"])
def test_nobody_locks_themselves_out_without_force(
    cloud: Cloud, author: Principal, entry: dict[str, Any]
) -> None:
    (message,) = told(cloud, entry, by=author)
    assert message.startswith("user ann, who asks for it, could no longer do ")
    assert "policy.update" in message
    assert plan(cloud, {**entry, "force": True}, by=author).plan
    assert plan(cloud, entry).plan
    assert plan(cloud, entry, by=Principal("somebody", "192.0.2.1", "ansible")).plan


@pytest.mark.parametrize("entry", LOCKING[:4], ids=lambda entry: entry["kind"])
def test_who_has_the_right_by_something_else_is_not_locked_out(
    cloud: Cloud, author: Principal, entry: dict[str, Any]
) -> None:
    if "deny" not in str(entry):
        assert plan(cloud, entry, user(roles=["administrator"]), by=author).plan


def test_a_user_of_the_service_is_known_by_its_organization(
    cloud: Cloud, author: Principal
) -> None:
    own = next(item["id"] for item in cloud.rows["organization"])
    by = Principal("ann", "192.0.2.1", "api", own)
    assert told(cloud, policy("power", enabled=False), by=by)
    assert plan(
        cloud, policy("power", enabled=False), by=Principal("ann", "x", "api", "org-x")
    ).plan


def test_root_and_who_never_could_are_not_asked(cloud: Cloud, author: Principal) -> None:
    cloud.rows["user"][0]["is_root"] = True
    assert plan(cloud, policy("power", enabled=False), by=author).plan
    cloud.rows["user"][0]["is_root"] = False
    cloud.apply(user(roles=["viewer"], purge=True))
    assert plan(cloud, policy("power", enabled=False), by=author).plan


def test_two_users_of_one_linux_user_are_nobody(cloud: Cloud, author: Principal) -> None:
    cloud.apply(user("bob", linux_user="ann"))
    assert plan(cloud, policy("power", enabled=False), by=author).plan


def test_a_run_that_changes_no_access_does_not_look_who_asks(
    cloud: Cloud, author: Principal
) -> None:
    rows = Rows(cloud.rows)
    world = World(SPECS, rows, cloud.host, principal=author)
    Planner(KINDS, NOW).plan(manifest([user(description="x")]), world, cloud.host)
    assert rows.queries["user"] == 1
    assert not rows.queries["role"]
