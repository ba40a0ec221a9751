# SPDX-License-Identifier: Apache-2.0
"""What planning reads: many at a time, nothing twice, and no more where others have more."""

from __future__ import annotations

from typing import Any

import pytest

from pextra.calls.apply import manifest
from pextra.engine.planner import Planner
from pextra.engine.rows import SEVERAL
from pextra.engine.world import World
from pextra.model.errors import AggregateError, ConflictError
from pextra.model.fields import Row
from pextra.tests.rows import Rows
from pextra.tests.test_planning import BASE, KINDS, NOW, SPECS, Cloud, machine


def planned(cloud: Cloud, *entries: dict[str, Any]) -> Rows:
    """What planning a manifest reads; it fails nowhere."""
    rows = Rows(cloud.rows)
    Planner(KINDS, NOW).plan(manifest(entries), World(SPECS, rows, cloud.host), cloud.host)
    return rows


@pytest.fixture
def cloud() -> Cloud:
    """A cloud with a node, vSwitches and port groups."""
    made = Cloud()
    made.apply(*BASE)
    return made


def others(cloud: Cloud, count: int) -> None:
    """Add other nodes to the cluster, with what each has under the names that ours has."""
    cluster = cloud.rows["cluster"][0]["id"]
    node = cloud.rows["node"][0]
    for number in range(count):
        id = f"node-{number:021}"
        cloud.rows["node"].append(
            {**node, "id": id, "name": f"other{number}", "host_key": f"other{number}"}
        )
        for row in [row for row in cloud.rows["port_group"] if row["node_id"] == node["id"]]:
            cloud.rows["port_group"].append(
                {**row, "id": f"pgrp-{row['name']}{number:018}", "node_id": id, "vswitch_id": id}
            )
        cloud.rows["vswitch"].append({
            **cloud.rows["vswitch"][0], "id": id, "node_id": id, "cluster_id": cluster,
            "name": f"svswitch{1000 + number}",
        })  # fmt: skip
        cloud.rows["user"].append(
            {**cloud.rows["user"][0], "id": f"user-{number:021}", "organization_id": id}
        )


ENTRIES: tuple[dict[str, Any], ...] = (
    {"kind": "organization", "name": "org", "description": "new"},
    {"kind": "user", "username": "ann", "organization": "org"},
    {"kind": "user", "username": "bob", "organization": "org"},
    {"kind": "vswitch", "name": "svswitch1"},
    {"kind": "port_group", "name": "lan", "vlan_id": 5},
    {"kind": "port_group", "name": "dmz", "state": "absent"},
    {"kind": "port_group", "name": "new", "vswitch": "svswitch1"},
)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.get("name", entry["kind"]))
def test_rows_read_do_not_depend_on_other_nodes(cloud: Cloud, entry: dict[str, Any]) -> None:
    before = planned(cloud, entry).read
    others(cloud, 50)
    assert planned(cloud, entry).read == before


def test_queries_do_not_grow_with_the_manifest(cloud: Cloud) -> None:
    def users(count: int) -> list[dict[str, Any]]:
        return [
            {"kind": "user", "username": f"user{n}", "organization": "org"} for n in range(count)
        ]

    few, many = planned(cloud, *users(2)), planned(cloud, *users(100))
    assert few.queries == many.queries


def test_pool_of_many_nodes_takes_few_queries(cloud: Cloud) -> None:
    others(cloud, 50)
    nodes = [row["name"] for row in cloud.rows["node"] if row["name"] != "node1"]
    rows = planned(cloud, {"kind": "storage_pool", "name": "shared", "nodes": nodes,
                           "options": {"path": "/nonexistent/pool"}})  # fmt: skip
    assert max(rows.queries.values()) <= 3


def test_what_was_read_by_some_columns_is_not_read_again_by_more() -> None:
    rows = Rows({"port_group": [{"id": "pgrp-1", "name": "lan", "node_id": "n", "vlan_id": 5}]})
    world = World(SPECS, rows, machine())
    assert world.where("port_group", {"name": "lan", "node_id": "n"})
    assert world.where("port_group", {"name": "lan", "node_id": "n", "vlan_id": 5})
    assert not world.where("port_group", {"name": "lan", "node_id": "n", "vlan_id": 6})
    assert rows.queries["port_group"] == 1


def many(kind: str, count: int, **columns: Any) -> list[Row]:
    """Rows of a kind that all have these values."""
    return [{"id": f"{kind}-{number}", "name": f"{number}", **columns} for number in range(count)]


def test_a_few_of_many_are_enough_to_refuse() -> None:
    rows = Rows({"volume": many("volume", 100, storage_pool_id="p", status="ready")})
    world = World(SPECS, rows, machine())
    assert len(world.staying("volume", {"storage_pool_id": "p"})) == SEVERAL
    assert rows.read["volume"] == SEVERAL
    assert world.staying("volume", {"storage_pool_id": "q"}) == []


def test_what_is_about_to_go_does_not_hide_what_stays() -> None:
    going = many("going", 50, storage_pool_id="p", status="deleting")
    rows = Rows({"volume": [*going, *many("staying", 2, storage_pool_id="p", status="ready")]})
    world = World(SPECS, rows, machine())
    assert len(world.staying("volume", {"storage_pool_id": "p"})) == 2
    world.get("volume", "staying-0")
    world.retire("volume", "staying-0")
    assert [row["id"] for row in world.staying("volume", {"storage_pool_id": "p"})] == ["staying-1"]
    world.put("volume", {"id": "new", "name": "n", "storage_pool_id": "p", "status": "pending"})
    assert len(world.staying("volume", {"storage_pool_id": "p"})) == 2


def test_name_that_many_have_is_not_read_for_all_of_them() -> None:
    rows = Rows({"node": [{**row, "name": "node1"} for row in many("node", 100)]})
    with pytest.raises(ConflictError, match="more than 5 of that name exist"):
        World(SPECS, rows, machine()).require("node", "node1")
    assert rows.read["node"] == SEVERAL


def test_what_was_missed_and_is_written_is_not_looked_for_again() -> None:
    world = World(SPECS, Rows({"organization": []}), machine())
    assert world.find("organization", "new") is None
    world.put("organization", {"id": "org-1", "name": "new"})
    rows = Rows({"organization": [{"id": "org-2", "name": "new"}]})
    assert world.is_still_in(rows)  # the unique constraint sees to it
    assert rows.queries["organization"] == 0


@pytest.mark.parametrize("there", [[], [{"id": "org-1", "name": "new"}]])
def test_what_was_missed_and_is_not_written_is_looked_for_again(there: list[Row]) -> None:
    world = World(SPECS, Rows({"organization": []}), machine())
    assert world.find("organization", "new") is None
    rows = Rows({"organization": there})
    assert world.is_still_in(rows) is not bool(there)
    assert rows.queries["organization"] == 1


def test_what_was_missed_may_also_be_what_a_row_is_renamed_to() -> None:
    rows = Rows({"organization": [{"id": "org-1", "name": "old"}]})
    world = World(SPECS, rows, machine())
    assert world.find("organization", "new") is None
    world.put("organization", {**world.require("organization", "old"), "name": "new"})
    queries = rows.queries["organization"]
    assert world.is_still_in(rows)
    assert rows.queries["organization"] == queries + 1


def test_rows_that_were_changed_removed_or_added_since_are_noticed() -> None:
    volumes = many("volume", 3, storage_pool_id="p", status="ready")
    other = {"id": "volume-9", "name": "9", "storage_pool_id": "p", "status": "ready"}
    for now in (volumes[1:], [*volumes, other], [{**volumes[0], "status": "x"}, *volumes[1:]]):
        world = World(SPECS, Rows({"volume": volumes}), machine())
        assert len(world.by("volume", "storage_pool_id", "p")) == 3
        assert world.is_still_in(Rows({"volume": [*reversed(volumes)]}))
        assert not world.is_still_in(Rows({"volume": now}))
    world = World(SPECS, Rows({"volume": volumes}), machine())
    world.put("volume", {**volumes[0], "status": "updating"})
    assert world.get("volume", "volume-0") is not None
    assert world.is_still_in(Rows({"volume": volumes}))


def test_pool_that_is_there_is_not_compared_with_the_others_again(cloud: Cloud) -> None:
    pool = {"kind": "storage_pool", "name": "one", "options": {"path": "/nonexistent/one"}}
    cloud.apply(pool)
    row = cloud.rows["storage_pool"][0]
    cloud.rows["storage_pool"] += [
        {**row, "id": f"pool-{number:021}", "name": f"n{number}",
         "options": {"path": f"/nonexistent/n{number}"}} for number in range(50)
    ]  # fmt: skip
    assert planned(cloud, pool).read["storage_pool"] == 1
    with pytest.raises(AggregateError, match="conflicts with pool"):
        planned(cloud, {**pool, "name": "two"})
