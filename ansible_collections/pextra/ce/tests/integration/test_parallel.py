# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fifty runs at once: no duplicates, no failures."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Lab, Node, Result, succeeded

MANY = 50


def at_once(lab: Lab, module: str, args: list[dict[str, Any]]) -> list[Result]:
    """The results of tasks that begin at the same moment, all of them successful."""
    return [succeeded(item) for item in lab.together([lab.job(module, each) for each in args])]


def test_different_instances_with_volumes(node: Node) -> None:
    names = [node.name(f"vm{number}") for number in range(MANY)]
    results = at_once(node, "instance", [node.instance(name) for name in names])
    assert all(result.changed for result in results)
    assert node.domains() == sorted(names)
    shown = [result["instance"] for result in results]
    assert len({item["id"] for item in shown}) == MANY
    assert len({device["mac"] for item in shown for device in item["networks"]}) == MANY
    assert len(list((node.directory / "pool").glob("vol-*.qcow2"))) == MANY
    manifest = [{"kind": "instance", **node.instance(name)} for name in names]
    assert not node.apply(*manifest).changed
    gone = [{"name": name, "state": "absent", "destroy_volumes": True} for name in names]
    assert all(result.changed for result in at_once(node, "instance", gone))
    assert node.domains() == []
    assert list((node.directory / "pool").iterdir()) == []


def test_same_instance(node: Node) -> None:
    name = node.name("vm")
    results = at_once(node, "instance", [node.instance(name)] * MANY)
    assert sum(result.changed for result in results) == 1
    assert len({result["instance"]["id"] for result in results}) == 1
    assert node.domains() == [name]
    assert len(node.sql("SELECT id FROM volumes")) == 1
    gone = [{"name": name, "state": "absent", "destroy_volumes": True}] * MANY
    assert sum(result.changed for result in at_once(node, "instance", gone)) == 1
    assert node.domains() == []


@pytest.mark.parametrize("same", [True, False])
def test_volumes(node: Node, same: bool) -> None:
    names = ["data" if same else f"data{number}" for number in range(MANY)]
    results = at_once(node, "volume", [node.volume(name, "1MiB") for name in names])
    assert sum(result.changed for result in results) == len(set(names))
    assert len(node.sql("SELECT id FROM volumes")) == len(set(names))
    assert len(list((node.directory / "pool").glob("vol-*.qcow2"))) == len(set(names))


def test_volumes_at_one_instance_get_places_of_their_own(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", name=name, memory=32)
    attached = {"state": "attached", "instance": name}
    at_once(node, "volume", [node.volume(f"data{n}", "1MiB", **attached) for n in range(20)])
    targets = [item.get("dev") for item in node.domain(name).findall("devices/disk/target")]
    assert len(set(targets)) == 20


@pytest.mark.parametrize("same", [True, False])
def test_what_is_in_the_store_alone(lab: Lab, same: bool) -> None:
    names = ["ann" if same else f"user{number}" for number in range(MANY)]
    results = at_once(lab, "user", [{"username": name} for name in names])
    assert sum(result.changed for result in results) == len(set(names))
    assert len(lab.sql("SELECT id FROM users")) == len(set(names))


def test_migration_of_one_database(lab: Lab, postgres: Any) -> None:
    database = postgres.create(f"parallel_{lab.prefix}")
    try:
        results = at_once(lab, "database", [{"database": database}] * 10)
        assert sum(result.changed for result in results) == 1
    finally:
        postgres.drop(f"parallel_{lab.prefix}")


def test_name_of_a_vswitch_is_unique_in_the_cluster_whatever_nodes_do_at_once(lab: Lab) -> None:
    machines = []
    for number in (1, 2):
        path = lab.file(f"machine-{number}", f"{number:032x}\n".encode())
        machines.append({"machine_id": str(path)})
        made = lab.task("node", {"name": f"twin{number}"}, **machines[-1])
        assert not made.failed, made.message
    for _round in range(5):
        name = lab.vswitch_name()
        jobs = [lab.job("vswitch", {"name": name}, **machine) for machine in machines]
        results = lab.together(jobs)
        assert sorted(result.failed for result in results) == [False, True]
        (loser,) = (result for result in results if result.failed)
        assert loser.code in ("conflict", "foreign"), loser.message
        rows = lab.sql("SELECT node_id, status FROM vswitches WHERE name = %s", name)
        assert [row["status"] for row in rows] == ["ready"]
