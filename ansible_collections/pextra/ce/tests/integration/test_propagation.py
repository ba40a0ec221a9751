# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Propagation of storage pools: every branch, on real libvirt, and what interrupts it."""

from __future__ import annotations

import itertools
import secrets
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Args, Lab, Result, kill_points

PROPAGATE = "storage_pool_propagation"


@pytest.fixture
def machine(lab: Lab) -> str:
    """The machine id of another node of the lab's cluster, which is registered."""
    path = str(lab.file("machine-id", f"{secrets.token_hex(16)}\n".encode()))
    result = lab.task("node", {"name": "node2"}, machine_id=path)
    assert not result.failed, result.message
    return path


def pool(lab: Lab, stem: str = "pool", **more: Any) -> Args:
    """Options of a directory pool."""
    return {"name": lab.name(stem), "options": {"path": str(lab.directory / stem)}, **more}


def branches(result: Result) -> dict[str, str]:
    """The branch that each pool took, by its name."""
    return {item["name"]: item["branch"] for item in result["storage_pools"]}


def enabled_from_elsewhere(lab: Lab, machine: str, *stems: str) -> list[str]:
    """Pools that are enabled on node1 by a task on another node; their names."""
    for stem in stems:
        result = lab.task("storage_pool", pool(lab, stem, nodes=["node1"]), machine_id=machine)
        assert not result.failed, result.message
    return [lab.name(stem) for stem in stems]


def association(lab: Lab, name: str) -> Args:
    """The row of a pool on node1."""
    (found,) = lab.sql(
        "SELECT a.* FROM storage_pool_nodes a JOIN nodes n ON n.id = a.node_id"
        " WHERE a.name = %s AND n.name = 'node1'",
        name,
    )
    return found


def status(lab: Lab, name: str) -> tuple[str, str | None]:
    """What storage_pool_info says of a pool."""
    (found,) = lab.run("storage_pool_info", name=name)["storage_pools"]
    return found["status"], found["status_reason"]


def predicted(lab: Lab, **args: Any) -> Result:
    """A run whose prediction came true, and which leaves nothing to do."""
    before = lab.rows_of_all()
    said = lab.task(PROPAGATE, args, check=True)
    assert lab.rows_of_all() == before, "check mode wrote to the store"
    done = lab.task(PROPAGATE, args)
    for key in ("changed", "plan", "storage_pools"):
        assert said[key] == done[key], key
    assert said.failed == done.failed
    return done


def test_a_pool_enabled_from_another_node_is_only_written_down(lab: Lab, machine: str) -> None:
    (name,) = enabled_from_elsewhere(lab, machine, "pool")
    assert lab.pools() == []
    assert association(lab, name)["status"] == "pending"
    assert status(lab, name) == ("pending", "node1: the node has not made it yet")


def test_not_realised_is_defined_noted_and_started(lab: Lab, machine: str) -> None:
    (name,) = enabled_from_elsewhere(lab, machine, "pool")
    result = predicted(lab)
    assert branches(result) == {name: "realise"}
    assert result.actions == ["storage_pool_node define", "storage_pool_node update"]
    assert lab.libvirt()["pools"][name]["active"]
    assert lab.libvirt()["pools"][name]["autostart"]
    row = association(lab, name)
    assert row["internal_id"] in lab.libvirt()["pools"][name]["xml"]
    assert (row["status"], row["error"]) == ("ready", None)
    assert status(lab, name) == ("available", None)


def test_enabled_and_available_is_left_alone(lab: Lab) -> None:
    lab.run("storage_pool", **pool(lab, nodes=["node1"]))
    before = lab.host()
    result = predicted(lab)
    assert not result.changed
    assert branches(result) == {lab.name("pool"): "available"}
    assert lab.host() == before


def test_enabled_and_stopped_is_started(lab: Lab) -> None:
    lab.run("storage_pool", **pool(lab, nodes=["node1"]))
    name = lab.name("pool")
    lab.virsh("pool-destroy", name)
    assert status(lab, name) == ("error", "node1: it is not active")
    result = predicted(lab)
    assert branches(result) == {name: "start"}
    assert lab.libvirt()["pools"][name]["active"]
    assert status(lab, name) == ("available", None)
    assert not lab.run(PROPAGATE).changed


def test_a_pool_that_would_not_start_with_the_node_is_seen_to(lab: Lab) -> None:
    lab.run("storage_pool", **pool(lab, nodes=["node1"]))
    lab.virsh("pool-autostart", "--disable", lab.name("pool"))
    assert branches(predicted(lab)) == {lab.name("pool"): "start"}
    assert lab.libvirt()["pools"][lab.name("pool")]["autostart"]


def lose(lab: Lab) -> str:
    """A pool that somebody removed from libvirt; its name."""
    lab.run("storage_pool", **pool(lab, nodes=["node1"]))
    name = lab.name("pool")
    lab.virsh("pool-destroy", name)
    lab.virsh("pool-undefine", name)
    return name


def take_over(lab: Lab, name: str) -> None:
    """Somebody else's pool takes the name of a pool that is gone."""
    (lab.directory / "theirs").mkdir()
    lab.virsh("pool-define-as", name, "dir", "--target", str(lab.directory / "theirs"))


def test_enabled_but_lost_by_libvirt_is_made_again(lab: Lab) -> None:
    name = lose(lab)
    result = predicted(lab)
    assert branches(result) == {name: "realise"}
    assert result.actions == ["storage_pool_node define"]
    assert status(lab, name) == ("available", None)
    assert lab.libvirt()["pools"][name]["active"]
    assert not lab.run(PROPAGATE).changed


def test_enabled_but_lost_to_another_s_pool_loses_its_association(lab: Lab) -> None:
    name = lose(lab)
    take_over(lab, name)
    theirs = lab.libvirt()["pools"]
    result = predicted(lab)
    assert branches(result) == {name: "forget"}
    assert status(lab, name) == ("disabled", "it is not enabled on any node")
    assert lab.libvirt()["pools"] == theirs
    lab.virsh("pool-undefine", name)
    assert lab.run("storage_pool", **pool(lab, nodes=["node1"])).changed
    assert status(lab, name) == ("available", None)


def test_a_pool_with_volumes_is_not_forgotten_for_another_s(lab: Lab) -> None:
    lab.run("storage_pool", **pool(lab, nodes=["node1"]))
    name = lab.name("pool")
    lab.run("volume", name="data", size="1MiB", storage_pool=name)
    lab.virsh("pool-destroy", name)
    lab.virsh("pool-undefine", name)
    take_over(lab, name)
    result = predicted(lab)
    assert result.failed
    assert branches(result) == {name: "realise"}
    assert "not ours" in result.message
    lab.virsh("pool-undefine", name)
    assert branches(lab.run(PROPAGATE)) == {name: "realise"}
    assert status(lab, name) == ("available", None)


def test_disabled_elsewhere_is_destroyed_here_and_then_forgotten(lab: Lab, machine: str) -> None:
    lab.run("storage_pool", **pool(lab, nodes=["node1"]))
    away = pool(lab, nodes=[], purge_nodes=True)
    assert not lab.task("storage_pool", away, machine_id=machine).failed
    assert lab.pools() == [lab.name("pool")]
    assert association(lab, lab.name("pool"))["status"] == "deleting"
    result = predicted(lab)
    assert branches(result) == {lab.name("pool"): "remove"}
    assert lab.pools() == []
    assert not (lab.directory / "pool").exists()
    assert status(lab, lab.name("pool")) == ("disabled", "it is not enabled on any node")


def test_disabled_before_it_was_made_is_only_forgotten(lab: Lab, machine: str) -> None:
    (name,) = enabled_from_elsewhere(lab, machine, "pool")
    away = pool(lab, nodes=[], purge_nodes=True)
    assert not lab.task("storage_pool", away, machine_id=machine).failed
    assert branches(predicted(lab)) == {name: "remove"}
    assert lab.sql("SELECT 1 FROM storage_pool_nodes") == []


def test_marked_for_removal_stays_while_it_holds_a_volume(lab: Lab) -> None:
    lab.run("storage_pool", **pool(lab, nodes=["node1"]))
    name = lab.name("pool")
    lab.run("volume", name="data", size="1MiB", storage_pool=name)
    lab.sql("UPDATE storage_pool_nodes SET status = 'deleting'")
    result = predicted(lab)
    assert result.failed
    assert branches(result) == {name: "held"}
    assert "still holds volumes" in result.message
    assert lab.pools() == [name]
    assert "still holds volumes" in str(association(lab, name)["error"])
    assert not lab.task(PROPAGATE, {})["changed"]


def test_a_pool_is_taken_back_by_the_nodes_that_have_not_let_go(lab: Lab, machine: str) -> None:
    lab.run("storage_pool", **pool(lab, nodes=["node1", "node2"]))
    name = lab.name("pool")
    for back in (True, False):
        assert not lab.task("storage_pool", pool(lab, state="absent"), machine_id=machine).failed
        assert status(lab, name)[0] == "deleting"
        if back:
            made = lab.run("storage_pool", **pool(lab))["storage_pool"]
            assert [node["name"] for node in made["nodes"]] == ["node1"]
            assert status(lab, name)[0] == "available"
            assert lab.pools() == [name]
    assert branches(lab.run(PROPAGATE)) == {name: "remove"}
    assert lab.run("storage_pool_info", name=name)["storage_pools"] == []
    assert lab.run("storage_pool", **pool(lab)).changed


def test_the_last_of_two_nodes_removes_the_pool(lab: Lab, machine: str) -> None:
    lab.run("storage_pool", **pool(lab, nodes=["node1", "node2"]))
    name = lab.name("pool")
    lab.run("storage_pool", **pool(lab, state="absent"))
    assert lab.pools() == []
    assert status(lab, name) == ("deleting", "node2: it is being removed from the node")
    lab.run(PROPAGATE)
    assert status(lab, name)[0] == "deleting"
    result = lab.task(PROPAGATE, {}, machine_id=machine)
    assert branches(result) == {name: "remove"}
    assert result.actions == ["storage_pool_node delete", "storage_pool delete"]
    assert lab.sql("SELECT 1 FROM storage_pools") == []


def test_a_pool_without_association_here_is_none_of_this_node_s(lab: Lab) -> None:
    lab.run("storage_pool", **pool(lab))
    assert branches(lab.run(PROPAGATE)) == {}
    named = lab.run(PROPAGATE, storage_pools=[lab.name("pool")])
    assert branches(named) == {lab.name("pool"): "none"}
    assert not named.changed


def test_an_unknown_pool_and_an_unknown_machine_are_clear_errors(lab: Lab) -> None:
    result = lab.refused(PROPAGATE, storage_pools=["nowhere"])
    assert result.code == "not_found"
    stranger = str(lab.file("stranger", f"{secrets.token_hex(16)}\n".encode()))
    result = lab.task(PROPAGATE, {}, machine_id=stranger)
    assert result.failed
    assert "not registered as a node" in result.message


def test_one_pool_s_trouble_stops_no_other_and_is_written_down(lab: Lab, machine: str) -> None:
    names = enabled_from_elsewhere(lab, machine, "a", "b", "c")
    (lab.directory / "b").write_text("in the way")
    result = predicted(lab)
    assert result.failed
    assert lab.pools() == [names[0], names[2]]
    assert [item["error"] is None for item in result["storage_pools"]] == [True, False, True]
    text = f"{lab.directory / 'b'} is no directory"
    assert text in result.message
    assert status(lab, names[1]) == ("error", f"node1: {text}")
    assert not lab.task(PROPAGATE, {})["changed"], "the same error is written once"
    (lab.directory / "b").unlink()
    repaired = lab.run(PROPAGATE)
    assert branches(repaired) == {names[0]: "available", names[1]: "realise", names[2]: "available"}
    assert status(lab, names[1]) == ("available", None)


def test_a_pool_of_somebody_else_is_not_touched(lab: Lab, machine: str) -> None:
    (lab.directory / "theirs").mkdir()
    name = lab.name("pool")
    lab.virsh("pool-define-as", name, "dir", "--target", str(lab.directory / "theirs"))
    before = lab.libvirt()
    enabled_from_elsewhere(lab, machine, "pool")
    result = predicted(lab)
    assert result.failed
    assert "not ours" in result.message
    assert lab.libvirt() == before


def test_only_the_named_pools_are_seen_to(lab: Lab, machine: str) -> None:
    one, two = enabled_from_elsewhere(lab, machine, "one", "two")
    lab.run(PROPAGATE, storage_pools=[one])
    assert lab.pools() == [one]
    id = lab.row("storage_pools", two)["id"]
    lab.run(PROPAGATE, storage_pools=[id])
    assert sorted(lab.pools()) == [one, two]


def test_what_was_done_is_in_the_audit_log(lab: Lab, machine: str) -> None:
    (name,) = enabled_from_elsewhere(lab, machine, "pool")
    lab.run(PROPAGATE)
    rows = lab.sql(
        "SELECT action FROM audit_log WHERE kind = 'storage_pool_node' AND name = %s", name
    )
    assert sorted(row["action"] for row in rows) == ["create", "define", "update"]


def test_killed_anywhere_the_next_run_finishes(lab: Lab, machine: str) -> None:
    enabled_from_elsewhere(lab, machine, "count")
    points = lab.task(PROPAGATE, {}, die_at=0).raw["points"]
    assert "virConnect.storagePoolDefineXML" in points
    assert "virStoragePool.create" in points
    for number in itertools.takewhile(len(points).__ge__, kill_points()):
        (name,) = enabled_from_elsewhere(lab, machine, f"kill{number}")
        killed = lab.task(PROPAGATE, {"storage_pools": [name]}, die_at=number)
        assert killed.raw["signal"] == 9, f"{points[number - 1]}: it ended by itself"
        lab.run(PROPAGATE)
        assert status(lab, name) == ("available", None), points[number - 1]
        assert association(lab, name)["internal_id"]
        assert not lab.run(PROPAGATE).changed, points[number - 1]


def test_killed_while_removing_the_next_run_finishes(lab: Lab, machine: str) -> None:
    def going(stem: str) -> str:
        lab.run("storage_pool", **pool(lab, stem, nodes=["node1"]))
        lab.task("storage_pool", pool(lab, stem, state="absent"), machine_id=machine)
        return lab.name(stem)

    going("count")
    points = lab.task(PROPAGATE, {}, die_at=0).raw["points"]
    assert "virStoragePool.undefine" in points
    for number in itertools.takewhile(len(points).__ge__, kill_points()):
        name = going(f"kill{number}")
        lab.task(PROPAGATE, {}, die_at=number)
        lab.run(PROPAGATE)
        assert lab.pools() == [], points[number - 1]
        assert lab.sql("SELECT 1 FROM storage_pools WHERE name = %s", name) == []


def test_any_number_at_once_is_safe(lab: Lab, machine: str) -> None:
    names = enabled_from_elsewhere(lab, machine, *(f"pool{number}" for number in range(4)))
    results = lab.together([lab.job(PROPAGATE, {}) for _index in range(4)])
    assert [result.message for result in results if result.failed] == []
    assert sorted(lab.pools()) == sorted(names)
    taken = [branch for result in results for branch in branches(result).values()]
    assert taken.count("realise") == len(names), "one of the runs made each"
    assert not lab.run(PROPAGATE).changed


def test_libvirt_that_does_not_answer_is_a_clear_error(lab: Lab) -> None:
    lab.run("storage_pool", **pool(lab, nodes=["node1"]))
    result = lab.task(PROPAGATE, {}, no_libvirt=True)
    assert result.failed
    assert result.code == "host"
    assert "Start libvirtd" in result.message
