# SPDX-License-Identifier: Apache-2.0
"""Every action that there is, and what is said to who writes another."""

from __future__ import annotations

import dataclasses

import pytest

from pextra.access import actions, predefined
from pextra.access.actions import Actions
from pextra.access.attributes import Environment, Resource, Subject
from pextra.access.decisions import PolicySet, Rights, may
from pextra.calls import registry
from pextra.kinds.registry import KINDS, MANIFEST_KINDS
from pextra.model.errors import InputError
from pextra.model.spec import KindSpec

SPECS = tuple(kind.spec for kind in KINDS.values())
ALL = Actions(SPECS)
SECRET = (
    "cluster.secrets.read",
    "cluster.joinkey.read",
)
"""What shows a secret."""
PLATFORM = ("cockroach_license.read", "database.read")
"""What is about no organization."""


@pytest.mark.parametrize("kind", MANIFEST_KINDS)
def test_each_kind_that_users_name_has_the_usual_actions(kind: str) -> None:
    there = set(ALL.all)
    assert {f"{kind}.{verb}" for verb in ("list", "read", "create", "update", "delete")} <= there


@pytest.mark.parametrize("kind", MANIFEST_KINDS)
def test_each_state_that_a_kind_has_is_an_action(kind: str) -> None:
    for state in KINDS[kind].spec.states:
        action = actions.of_state(kind, state)
        assert action in ALL.all if action else state in ("present", "absent")


def test_parts_of_other_kinds_have_no_actions() -> None:
    kinds = {name.partition(".")[0] for name in ALL.all}
    assert not kinds & (KINDS.keys() - set(MANIFEST_KINDS))


def test_a_new_kind_has_actions_without_a_line_for_them() -> None:
    spec = KindSpec("balloon", "balloons", "bal", (), states=("present", "started", "absent"))
    assert {name for name in Actions((*SPECS, spec)).all if name not in ALL.all} == {
        "balloon.list", "balloon.read", "balloon.create", "balloon.update", "balloon.delete",
        "balloon.start",
    }  # fmt: skip


def test_a_state_that_nobody_gave_an_action_is_noticed() -> None:
    spec = dataclasses.replace(KINDS["volume"].spec, states=("present", "melted"))
    with pytest.raises(KeyError, match="melted"):
        Actions([spec])


def test_every_action_says_what_it_is() -> None:
    for name, action in ALL.all.items():
        assert action.name == name
        assert action.doc.endswith(".")
        assert "{" not in action.doc


def test_every_call_that_is_no_kind_is_an_action() -> None:
    lists = {f"{kind}_info" for kind in MANIFEST_KINDS}
    others = set(registry.names()) - set(MANIFEST_KINDS) - lists - {"apply"}
    assert others == actions.OF_PROCEDURE.keys()
    assert set(actions.OF_PROCEDURE.values()) <= ALL.all.keys()


@pytest.mark.parametrize(
    "name",
    [
        "organization.list", "organization.read", "user.import", "cluster.joinkey.read",
        "cluster.hardware.read", "cluster.events.stream",
    ],
)  # fmt: skip
def test_the_actions_that_the_guide_names_are_there(name: str) -> None:
    ALL.check_action(name)


@pytest.mark.parametrize("pattern", ["*", "*.list", "instance.*", "*.joinkey.*", "i*.re*t"])
def test_a_pattern_of_some_action_is_accepted(pattern: str) -> None:
    ALL.check_action(pattern)
    assert ALL.matching(pattern)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("instance.raed", "Did you mean instance.read?"),
        ("instances.list", "Did you mean instance.list?"),
        ("orgnization.*", "Did you mean organization.*?"),
        ("vswitch.frobnicate", "Of vswitch there are: create, delete, list"),
        ("x", "An action is a kind and a verb, such as instance.read"),
        ("", "An action is a kind and a verb, such as instance.read"),
    ],
)
def test_an_unknown_action_is_refused_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        ALL.check_action(name)
    assert repr(name) in caught.value.message
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize("pattern", ["*", "org-*", "inst-A*", "i*", f"vol-{'x' * 21}", "*-x"])
def test_a_resource_that_can_be_is_accepted(pattern: str) -> None:
    ALL.check_resource(pattern)


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("orgs-*", "Did you mean org-*?"),
        ("instance-*", "Did you mean inst-*?"),
        ("zzzzzzz-*", "Possible are: cls, dc"),
        ("web", "One is such as org- and 21 characters"),
        ("inst-1", "One is such as inst- and 21 characters"),
    ],
)
def test_a_resource_that_cannot_be_is_refused_with_a_hint(pattern: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        ALL.check_resource(pattern)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(hint)


# What users find at the beginning


def able(role: str) -> set[str]:
    """The actions that a predefined role may do on an instance of its organization."""
    rights = Rights(Subject("user-1", "ann", "org-1"), PolicySet([predefined.POLICIES[role]]))
    instance = Resource("instance", "inst-1", "org-1")
    return {name for name in ALL.all if may(rights, name, instance, Environment()).allowed}


def test_the_predefined_roles_are_those_of_the_platform_and_name_what_there_is() -> None:
    assert list(predefined.POLICIES) == [
        "administrator", "operator", "viewer", "network", "storage", "auditor",
    ]  # fmt: skip
    for name, policy in predefined.POLICIES.items():
        assert policy.name == name
        policy.check(ALL)


def test_an_administrator_may_do_everything_in_the_organization() -> None:
    assert able("administrator") == set(ALL.all)


def test_a_viewer_sees_everything_but_secrets_and_the_audit_log() -> None:
    seen = {name for name in ALL.all if name.endswith((".list", ".read", ".stream"))}
    hidden = {name for name in ALL.all if ".audit." in name or ".lockouts." in name}
    assert able("viewer") == seen - hidden - {*SECRET, *PLATFORM}


def test_an_auditor_sees_what_a_viewer_does_and_the_audit_log() -> None:
    more = {name for name in ALL.all if ".audit." in name or ".lockouts." in name}
    assert able("auditor") == able("viewer") | more | {"policy.test"}


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        ("operator", ("instance", "instance_snapshot", "volume", "volume_snapshot")),
        ("network", ("vswitch", "port_group")),
        ("storage", ("storage_pool", "volume", "volume_snapshot")),
    ],
)
def test_a_role_changes_its_own_kinds_and_sees_of_the_others(
    role: str, kinds: tuple[str, ...]
) -> None:
    may_do = able(role)
    own = {name for name in ALL.all if name.partition(".")[0] in kinds}
    assert own <= may_do
    assert may_do - own <= able("viewer")


@pytest.mark.parametrize("role", predefined.POLICIES)
def test_with_any_role_the_web_interface_can_be_used(role: str) -> None:
    assert {"organization.list", "organization.read"} <= able(role)
