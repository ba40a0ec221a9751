# SPDX-License-Identifier: Apache-2.0
"""Planning over rows in memory: pure, complete, in order, and with nothing left to do after it."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pextra.calls.apply import manifest
from pextra.engine.planner import Drafted, Planner
from pextra.engine.store_steps import UNKNOWN, hide_new
from pextra.engine.world import World
from pextra.host.machine import Host
from pextra.host.network import links
from pextra.host.network.snapshot import Link, Snapshot
from pextra.host.network.switch import BridgeState
from pextra.kinds.instance.files import StaleWork
from pextra.kinds.registry import KINDS
from pextra.kinds.vswitch.kind import BridgeWork, wanted
from pextra.model import ids
from pextra.model.errors import AggregateError, ConflictError, NotFoundError, PextraError
from pextra.model.fields import Row
from pextra.model.plan import Phase, Step
from pextra.tests.rows import Rows

NOW = dt.datetime(2030, 1, 31, 12, tzinfo=dt.UTC)
SPECS = {name: kind.spec for name, kind in KINDS.items()}


class Links:
    """Interfaces that are kept in memory."""

    def __init__(self) -> None:
        self.bridges: dict[str, BridgeState] = {}
        self.vlan_filtering = self.bonding = self.filters = True
        self.cards: dict[str, Any] = {}
        self.guards: list[dict[str, Any]] = []
        self._confirms = False
        self.now = Snapshot({name: Link(name) for name in ("eth0", "eth1", "eth2")})

    def look(self) -> None:
        pass

    def bridge(self, want: BridgeState) -> BridgeState | None:
        return self.bridges.get(want.name)

    def units_match(self, bridge: BridgeState) -> bool:
        return True

    def units_gone(self, bridge: BridgeState) -> bool:
        return True

    check_confirmed = links.Links.check_confirmed


def machine() -> Host:
    """A machine with a key of its own and no interfaces."""
    host = Host("/nonexistent/lib", "/nonexistent/etc", "/nonexistent/log")
    host.__dict__.update(key="k" * 32, links=Links())
    return host


class Cloud:
    """Rows, and a host on which plans are carried out at once."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {}
        self.host = machine()

    def plan(self, *entries: dict[str, Any], purge: Iterable[str] = ()) -> Drafted:
        """The plan of a manifest; nothing changes by it."""
        world = World(SPECS, Rows(self.rows), self.host)
        return Planner(KINDS, NOW).plan(manifest(entries), world, self.host, tuple(purge))

    def apply(self, *entries: dict[str, Any], purge: Iterable[str] = ()) -> Drafted:
        """Carry a plan out."""
        drafted = self.plan(*entries, purge=purge)
        for step in drafted.plan.of(Phase.HOST):
            bridges = self.host.links.bridges
            if step.action == "bridge":
                bridges[step.name] = step.work_as(BridgeWork).want
            else:
                del bridges[step.name]
        for change in drafted.world.changes():
            rows = self.rows.setdefault(change.spec.name, [])
            rows[:] = [row for row in rows if row["id"] != change.id]
            if change.after is not None and change.after.get("status") != "deleting":
                ready = {"status": "ready"} if "status" in change.after else {}
                rows.append({**change.after, **ready})
        return drafted


BASE = (
    {"kind": "organization", "name": "org"},
    {"kind": "datacenter", "name": "dc", "location": {"latitude": 1, "longitude": 2}},
    {"kind": "cluster", "name": "cluster"},
    {"kind": "node", "name": "node1"},
    {"kind": "user", "username": "ann"},
    {"kind": "vswitch", "name": "svswitch1"},
    {"kind": "vswitch", "name": "svswitch2", "mtu": 9000},
    {"kind": "port_group", "name": "lan", "vswitch": "svswitch1"},
    {"kind": "port_group", "name": "dmz", "vswitch": "svswitch2", "vlan_id": 7},
)


def shown(drafted: Drafted) -> list[dict[str, Any]]:
    """The plan's steps as a task returns them."""
    return [step.as_dict() for step in drafted.plan]


@pytest.fixture
def cloud() -> Cloud:
    """A cloud with a node, vSwitches and port groups."""
    made = Cloud()
    made.apply(*BASE)
    return made


# Order


@given(st.permutations(BASE))
def test_plan_does_not_depend_on_the_order_of_the_manifest(entries: list[dict[str, Any]]) -> None:
    steps = shown(Cloud().plan(*entries))
    same = shown(Cloud().plan(*BASE))
    assert sorted(map(str, steps)) == sorted(map(str, same))
    assert [step["kind"] for step in steps] == [step["kind"] for step in same]


@given(st.permutations(BASE))
def test_rows_come_after_those_that_they_refer_to(entries: list[dict[str, Any]]) -> None:
    drafted = Cloud().plan(*entries)
    seen = set[str]()
    for change in drafted.world.changes():
        assert change.after is not None
        for item in change.spec.stored:
            if item.ref:
                assert change.after[item.column] in seen
        seen.add(change.id)


@given(st.permutations(BASE))
def test_whole_tree_goes_in_one_plan_children_first(entries: list[dict[str, Any]]) -> None:
    cloud = Cloud()
    cloud.apply(*BASE)
    keys = ("kind", "name", "username")
    gone = [
        {key: item[key] for key in keys if key in item} | {"state": "absent"} for item in entries
    ]
    cloud.apply(*gone)
    assert not any(cloud.rows.values())
    assert cloud.host.links.bridges == {}
    assert not cloud.plan(*gone).plan


def test_store_comes_before_host_and_host_before_power() -> None:
    phases = [step.phase for step in Cloud().plan(*BASE).plan]
    assert phases == sorted(phases)


# Nothing twice, nothing for nothing


@given(st.permutations(BASE))
def test_second_run_has_nothing_to_do(entries: list[dict[str, Any]]) -> None:
    cloud = Cloud()
    assert cloud.apply(*entries).plan
    assert not cloud.plan(*BASE).plan


@settings(max_examples=50)
@given(st.lists(st.sampled_from(BASE), unique_by=str), st.sets(st.sampled_from(["vswitch"])))
def test_planning_changes_nothing_and_says_the_same_each_time(
    entries: list[dict[str, Any]], purge: set[str]
) -> None:
    cloud = Cloud()
    cloud.apply(*BASE)
    before = copy.deepcopy(cloud.rows)
    bridges = dict(cloud.host.links.bridges)
    changed = [{**item, "description": "new"} for item in entries]
    try:
        plans = [shown(cloud.plan(*changed, purge=purge)) for _index in range(2)]
    except AggregateError:
        plans = [[], []]
    assert plans[0] == plans[1]
    assert cloud.rows == before
    assert cloud.host.links.bridges == bridges


def test_only_what_is_given_is_compared(cloud: Cloud) -> None:
    assert not cloud.plan({"kind": "vswitch", "name": "svswitch2"}).plan
    steps = shown(cloud.plan({"kind": "vswitch", "name": "svswitch2", "mtu": 1400}))
    assert [(step["action"], step["before"], step["after"]) for step in steps] == [
        ("update", {"mtu": 9000}, {"mtu": 1400}),
        (
            "bridge",
            {"mtu": 9000, "up": True, "persistent": True},
            {"mtu": 1400, "up": True, "persistent": True},
        ),
    ]


def test_vswitch_does_not_go_before_its_removal_is_confirmed(cloud: Cloud) -> None:
    world, kind = World(SPECS, Rows(cloud.rows), cloud.host), KINDS["vswitch"]
    first, second = cloud.rows["vswitch"]
    cloud.host.links.guards += [
        {"vswitch": first["name"], "removal": False},
        {"vswitch": second["name"], "removal": True},
    ]
    assert kind.realised(first, world)
    assert not kind.realised(second, world)


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "vswitch", "mtu": 1400},
        {"kind": "vswitch", "state": "absent", "management": "migrate"},
        {"kind": "port_group", "name": "tagged", "vlan_id": 9},
    ],
    ids=["change", "removal", "vlan"],
)
def test_what_would_be_undone_is_refused_unless_the_caller_confirms(
    cloud: Cloud, entry: dict[str, Any]
) -> None:
    host: Any = cloud.host.links
    cloud.apply({"kind": "vswitch", "name": "svswitch3", "uplinks": ["eth0"]})
    row = next(item for item in cloud.rows["vswitch"] if item["name"] == "svswitch3")
    row["addressing"] = {"addresses": ["10.0.0.2/24"], "routes": [], "dns": [], "domains": []}
    host.bridges["svswitch3"] = wanted(row, World(SPECS, Rows(cloud.rows), cloud.host))
    named = {"name" if entry["kind"] == "vswitch" else "vswitch": "svswitch3"}
    assert not cloud.plan({"kind": "vswitch", "name": "svswitch3"}).plan
    with pytest.raises(PextraError, match="unless the caller confirms it") as caught:
        cloud.plan({**entry, **named})
    assert "without async" in str(caught.value)
    host._confirms = True
    assert cloud.plan({**entry, **named}).plan


def test_null_clears_what_can_be_cleared(cloud: Cloud) -> None:
    (step,) = cloud.plan({"kind": "port_group", "name": "dmz", "vlan_id": None}).plan
    assert (step.before, step.after) == ({"vlan_id": 7}, {"vlan_id": None})
    assert not cloud.plan({"kind": "port_group", "name": "dmz", "vswitch": None}).plan


def test_new_ids_are_called_unknown() -> None:
    for step in shown(Cloud().plan(*BASE)):
        if step["action"] == "create":
            assert step["after"]["id"] == UNKNOWN
            assert step["after"]["creation"] == UNKNOWN
            references = [key for key in step["after"] if key.endswith("_id")]
            assert {step["after"][key] for key in references} <= {UNKNOWN, None, 7}


@given(st.text(max_size=5), st.text(max_size=5))
def test_new_ids_are_hidden_wherever_they_are(head: str, tail: str) -> None:
    id, old = ids.new_id("vol"), ids.new_id("vol")
    value = {"path": [f"{head}/{id}.raw{tail}", f"ua-pextra-{id}"], "old": old, "number": 7}
    assert hide_new(value, frozenset({id})) == {
        "path": [f"{head}/{UNKNOWN}.raw{tail}", f"ua-pextra-{UNKNOWN}"], "old": old, "number": 7,
    }  # fmt: skip
    assert hide_new(value, frozenset()) == value


def test_what_an_interrupted_run_left_is_finished(cloud: Cloud) -> None:
    for row in cloud.rows["vswitch"]:
        row["status"] = "pending"
    steps = shown(cloud.apply(*BASE))
    assert [step["action"] for step in steps] == ["finish", "finish"]
    assert not cloud.plan(*BASE).plan


def test_interrupted_deletion_goes_on_or_is_taken_back(cloud: Cloud) -> None:
    cloud.apply({"kind": "port_group", "name": "dmz", "state": "absent"})
    (row,) = (row for row in cloud.rows["vswitch"] if row["name"] == "svswitch2")
    row["status"] = "deleting"
    (kept,) = cloud.plan({"kind": "vswitch", "name": "svswitch2"}).plan.of(Phase.STORE)
    assert (kept.action, kept.before, kept.after) == (
        "keep", {"status": "deleting"}, {"status": "updating"},
    )  # fmt: skip
    actions = [step.action for step in cloud.plan(
        {"kind": "vswitch", "name": "svswitch2", "state": "absent"}
    ).plan]  # fmt: skip
    assert actions[-1] == "remove"


# Errors


def test_all_errors_are_listed(cloud: Cloud) -> None:
    with pytest.raises(AggregateError) as caught:
        cloud.plan(
            {"kind": "port_group", "name": "a", "vswitch": "svswitch9"},
            {"kind": "cluster", "name": "b", "datacenter": "nowhere"},
            {"kind": "organization", "name": "c"},
            {"kind": "organization", "name": "org", "state": "absent"},
        )
    kinds = [type(error) for error in caught.value.errors]
    assert kinds == [NotFoundError, NotFoundError, ConflictError]
    assert "3 errors, nothing was changed" in str(caught.value)


def test_name_that_is_taken_is_refused(cloud: Cloud) -> None:
    id = cloud.rows["port_group"][0]["id"]
    with pytest.raises(AggregateError, match="the name is taken"):
        cloud.plan({"kind": "port_group", "id": id, "name": "dmz"})


def test_resource_that_is_named_in_two_ways_is_refused(cloud: Cloud) -> None:
    id = cloud.rows["organization"][0]["id"]
    with pytest.raises(AggregateError, match="listed twice"):
        cloud.plan({"kind": "organization", "name": "org"}, {"kind": "organization", "id": id})


def test_two_changes_swap_names(cloud: Cloud) -> None:
    lan, dmz = (row["id"] for row in cloud.rows["port_group"])
    drafted = cloud.plan(
        {"kind": "port_group", "id": lan, "name": "dmz"},
        {"kind": "port_group", "id": dmz, "name": "lan"},
    )
    assert [(step.action, step.after) for step in drafted.plan] == [
        ("update", {"name": "dmz"}), ("update", {"name": "lan"}),
    ]  # fmt: skip


def test_second_node_on_one_machine_is_refused(cloud: Cloud) -> None:
    with pytest.raises(AggregateError, match="registered as node"):
        cloud.plan({"kind": "node", "name": "node2"})


def test_other_machine_does_not_change_what_is_on_this_one(cloud: Cloud) -> None:
    cloud.host.__dict__["key"] = "o" * 32
    with pytest.raises(AggregateError, match="not registered as a node"):
        cloud.plan({"kind": "vswitch", "name": "svswitch1", "mtu": 1400})
    with pytest.raises(AggregateError, match="on node node1"):
        cloud.plan({"kind": "vswitch", "name": "svswitch1", "node": "node1", "mtu": 1400})


def test_bridge_of_somebody_else_is_refused(cloud: Cloud) -> None:
    name = "svswitch3"
    cloud.host.links.bridges[name] = BridgeState(name, "52:54:00:00:00:01", 1500, True)
    with pytest.raises(AggregateError, match="not ours"):
        cloud.plan({"kind": "vswitch", "name": name})


# Purge


def test_purge_removes_what_is_left_out_of_that_kind_alone(cloud: Cloud) -> None:
    entries = [item for item in BASE if item.get("name") not in ("lan", "svswitch1")]
    drafted = cloud.apply(*entries, purge=["port_group"])
    removed = [(step.kind, step.name) for step in drafted.plan if step.action == "delete"]
    assert removed == [("port_group", "lan")]
    removed = cloud.apply(*entries, purge=["vswitch", "port_group"]).plan
    assert [(step.kind, step.action) for step in removed] == [
        ("vswitch", "delete"), ("vswitch", "remove"),
    ]  # fmt: skip
    assert not cloud.plan(*entries, purge=["vswitch", "port_group"]).plan


def test_purge_of_everything_is_not_asked_for_by_naming_nothing(cloud: Cloud) -> None:
    assert not cloud.plan(purge=["organization", "datacenter", "cluster", "user"]).plan


# The world


@st.composite
def changes(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """Puts and drops of rows with few ids, names and parents."""
    id, name = st.sampled_from("abcde"), st.sampled_from("xyz")
    row = st.fixed_dictionaries({"id": id, "name": name, "organization_id": name})
    return draw(st.lists(st.tuples(st.sampled_from(["put", "drop", "look"]), row), max_size=30))


@given(
    st.lists(
        st.fixed_dictionaries({
            "id": st.sampled_from("abcde"), "name": st.sampled_from("xyz"),
            "organization_id": st.sampled_from("xyz"),
        }),
        unique_by=lambda row: row["id"],
    ),
    changes(),
)  # fmt: skip
def test_world_finds_what_a_search_of_all_rows_finds(
    rows: list[Row], operations: list[tuple[str, Row]]
) -> None:
    world = World(SPECS, Rows({"datacenter": rows}), machine())
    model = {row["id"]: row for row in rows}
    begin = dict(model)
    for operation, row in operations:
        world.get("datacenter", row["id"])  # a row is looked for before it is planned
        if operation == "put":
            world.put("datacenter", row)
            model[row["id"]] = row
        elif operation == "drop" and row["id"] in model:
            world.drop("datacenter", row["id"])
            del model[row["id"]]
        for column in ("name", "organization_id"):
            found = world.by("datacenter", column, row[column])
            expected = [item for item in model.values() if item[column] == row[column]]
            assert {item["id"]: item for item in found} == {item["id"]: item for item in expected}
    net = {change.id: (change.before, change.after) for change in world.changes()}
    assert net == {
        id: (begin.get(id), model.get(id))
        for id in {*begin, *model}
        if begin.get(id) != model.get(id)
    }
    assert world.created_ids() >= set(model) - set(begin)


def test_near_name_is_suggested() -> None:
    rows = {"organization": [{"id": "org-1", "name": "Example"}]}
    world = World(SPECS, Rows(rows), machine())
    with pytest.raises(NotFoundError, match='Did you mean "Example"'):
        world.require("organization", "Exampel")
    with pytest.raises(NotFoundError, match="There are: Example"):
        world.require("organization", "other")


def test_kinds_are_made_in_an_order_in_which_references_exist() -> None:
    ranks = {name: spec.rank for name, spec in SPECS.items()}
    for spec in SPECS.values():
        for item in spec.stored:
            if item.ref:
                assert ranks[item.ref] < ranks[spec.name], f"{spec.name} refers to {item.ref}"


def test_a_step_gives_its_work_only_as_what_it_is() -> None:
    step = Step("volume", "vol-1", "data", "grow", Phase.HOST, work=StaleWork(("/tmp/a",)))
    assert step.work_as(StaleWork).paths == ("/tmp/a",)
    with pytest.raises(TypeError, match="volume grow: the work is StaleWork"):
        step.work_as(BridgeWork)
    assert "/tmp/a" not in repr(step)
