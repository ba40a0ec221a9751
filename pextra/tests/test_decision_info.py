# SPDX-License-Identifier: Apache-2.0
"""May a user do something to a resource, and why: names are found, and decisions explained."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pextra.access import predefined
from pextra.calls import decision, registry
from pextra.kinds import rights
from pextra.kinds.registry import MANIFEST_KINDS
from pextra.kinds.view import View
from pextra.model import units
from pextra.model.errors import ConflictError, InputError, NotFoundError, PextraError
from pextra.tests.info.cloud import NOW, Node
from pextra.tests.rows import Rows


@pytest.fixture
def cloud(tmp_path: Any) -> Node:
    """One of everything; anna has the role backup, whose policy is about instances on Sundays."""
    made = Node(str(tmp_path))
    for name in predefined.POLICIES:
        made.add("policy", id=predefined.POLICY_IDS[name], name=name, organization_id=None)
        made.add("role", id=predefined.ROLE_IDS[name], name=name, organization_id=None)
        made.add("role_policy", role_id=predefined.ROLE_IDS[name],
                 policy_id=predefined.POLICY_IDS[name])  # fmt: skip
    return made


def ask(cloud: Node, action: str, resource: str | None = None, **options: Any) -> dict[str, Any]:
    """The answer, anna being asked about unless somebody else is named."""
    given = {"user": "anna", "action": action, "resource": resource, **options}
    if "at" in given:
        given["at"] = units.parse_time(given["at"])
    return decision.decided(View(Rows(cloud.rows), cloud.host, NOW), given)


def give(cloud: Node, *roles: str) -> None:
    """Have anna hold these predefined roles and no others."""
    cloud.rows["user_role"] = []
    for place, name in enumerate(roles, 1):
        cloud.add("user_role", user_id=cloud.user, role_id=predefined.ROLE_IDS[name], place=place)


def test_it_names_what_decided(cloud: Node) -> None:
    give(cloud, "storage", "operator")
    found = ask(cloud, "instance.start", "web1")
    assert found["allowed"] is True
    assert (found["role"], found["policy"], found["number"]) == ("operator", "operator", 1)
    assert found["why"] == 'statement 1 of the policy "operator" allows it'
    assert found["statement"]["effect"] == "allow"
    assert found["user"]["roles"] == ["storage", "operator"]
    assert found["resource"]["id"] == cloud.instance
    assert found["resource"]["containers"] == [cloud.node, cloud.cluster, cloud.datacenter]
    assert found["resource"]["organization_id"] == cloud.organization


def test_what_nothing_allows_is_denied_by_nothing(cloud: Node) -> None:
    give(cloud, "viewer")
    found = ask(cloud, "instance.start", "web1")
    assert found["allowed"] is False
    assert found["why"] == "no statement allows it"
    assert [found[key] for key in ("role", "policy", "number", "statement")] == [None] * 4


@pytest.mark.parametrize(("at", "allowed"), [("2031-01-26", True), ("2031-01-27", False)])
def test_a_moment_can_be_asked_about(cloud: Node, at: str, allowed: bool) -> None:
    assert ask(cloud, "instance.start", "web1", at=at)["allowed"] is allowed


def test_address_and_door_can_be_asked_about(cloud: Node) -> None:
    rule = 'env.source_address == "192.0.2.7" && env.door == "api"'
    cloud.rows["policy"][0]["statements"] = [  # type: ignore[index]
        {"effect": "allow", "actions": ["volume.create"], "resources": ["*"], "rule": rule}
    ]
    known = {"source_address": "192.0.2.7", "door": "api"}
    assert ask(cloud, "volume.create", **known)["allowed"] is True
    assert ask(cloud, "volume.create", **{**known, "door": "cli"})["allowed"] is False
    assert ask(cloud, "volume.create")["allowed"] is False
    with pytest.raises(InputError, match="is no IP address"):
        ask(cloud, "volume.create", source_address="somewhere")


def test_a_disabled_policy_and_disabled_or_expired_users_are_seen(cloud: Node) -> None:
    give(cloud, "administrator")
    (user,) = cloud.rows["user"]
    assert ask(cloud, "instance.start", "web1")["allowed"] is True
    for columns, why in (
        ({"enabled": False}, "the user is disabled"),
        ({"expiry": NOW}, "the user has expired"),
        ({"enabled": False, "is_root": True}, "the user is disabled"),
    ):
        cloud.rows["user"] = [{**user, **columns}]
        found = ask(cloud, "instance.start", "web1")
        assert (found["allowed"], found["why"], found["policy"]) == (False, why, None)
    cloud.rows["user"] = [{**user, "expiry": NOW}]
    assert ask(cloud, "instance.start", "web1", at=(NOW - dt.timedelta(1)).isoformat())["allowed"]


def test_root_is_not_bound(cloud: Node) -> None:
    cloud.rows["user"] = [{**cloud.rows["user"][0], "is_root": True}]
    found = ask(cloud, "database.update")
    assert (found["allowed"], found["why"]) == (True, "policies do not bind root")


def test_what_another_organization_has_is_denied(cloud: Node) -> None:
    give(cloud, "administrator")
    other = cloud.add("organization", name="Other")
    cloud.add("datacenter", name="Far", organization_id=other, location=None)
    found = ask(cloud, "datacenter.read", "Far")
    assert (found["allowed"], found["why"]) == (False, "it is of another organization")
    assert ask(cloud, "organization.read", "Other")["allowed"] is False
    assert ask(cloud, "organization.read", "Example")["allowed"] is True
    assert ask(cloud, "organization.create")["allowed"] is False


def test_a_name_is_of_the_users_own_organization_first(cloud: Node) -> None:
    other = cloud.add("organization", name="Other")
    cloud.add("datacenter", name="Berlin", organization_id=other, location=None)
    assert ask(cloud, "datacenter.read", "Berlin")["resource"]["id"] == cloud.datacenter


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"action": "instance.strat"}, InputError, "Did you mean instance.start?"),
        ({"action": "instance.*"}, InputError, "is no action"),
        ({"user": "ana"}, NotFoundError, 'Did you mean "anna"?'),
        ({"resource": "web2"}, NotFoundError, 'Did you mean "web1"?'),
        ({"organization": "Nowhere"}, NotFoundError, 'There are: "?Example'),
        ({"action": "database.read"}, InputError, "is about no resource"),
    ],
)
def test_what_does_not_exist_is_told_with_the_nearest(
    cloud: Node, options: dict[str, Any], error: type[PextraError], words: str
) -> None:
    with pytest.raises(error, match=words.replace("?", r"\?").replace('"\\?', '"?')):
        ask(cloud, **{"action": "instance.start", "resource": "web1", **options})


def test_a_user_of_another_organization_does_not_exist_there(cloud: Node) -> None:
    cloud.add("organization", name="Other")
    for ref in ("anna", cloud.user):
        with pytest.raises(NotFoundError):
            ask(cloud, "instance.read", user=ref, organization="Other")


def test_a_name_that_several_have_is_told(cloud: Node) -> None:
    other = cloud.add("organization", name="Other")
    cloud.add("user", username="anna", organization_id=other)
    with pytest.raises(ConflictError, match="2 of that name exist"):
        ask(cloud, "instance.read")
    found = ask(cloud, "instance.read", organization="Example")
    assert found["user"]["id"] == cloud.user


@pytest.mark.parametrize("kind", MANIFEST_KINDS)
def test_every_kind_of_resource_is_found_with_its_organization(kind: str, cloud: Node) -> None:
    own = next(row for row in cloud.rows[kind] if row.get("organization_id", "x") is not None)
    found = ask(cloud, f"{kind}.read", own["id"])["resource"]
    assert (found["kind"], found["id"]) == (kind, own["id"])
    assert found["organization_id"] == cloud.organization


def test_rows_read_do_not_depend_on_what_others_have(cloud: Node) -> None:
    def read() -> Any:
        rows = Rows(cloud.rows)
        given = {"user": cloud.user, "action": "instance.start", "resource": cloud.instance}
        decision.decided(View(rows, cloud.host, NOW), given)
        return rows.read

    give(cloud, "operator", "viewer")
    before = read()
    for number in range(50):
        other = cloud.add("user", username=f"u{number}", organization_id=cloud.organization)
        cloud.add("user_role", user_id=other, role_id=predefined.ROLE_IDS["operator"])
        cloud.add("policy", name=f"p{number}", organization_id=cloud.organization)
    assert read() == before


def test_it_is_called_by_its_name() -> None:
    assert registry.find(decision.NAME).fields == decision.FIELDS


def test_the_resource_of_an_organization_is_itself(cloud: Node) -> None:
    view = View(Rows(cloud.rows), cloud.host, NOW)
    row = next(item for item in cloud.rows["organization"])
    assert rights.resource_of("organization", row, view).organization_id == cloud.organization
