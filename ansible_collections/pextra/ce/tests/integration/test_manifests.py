# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole manifests: their order, their errors, what they purge and what they leave a trace of."""

from __future__ import annotations

import getpass
import itertools
import random
import socket
from collections.abc import Callable

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import BASE, Args, Lab, Node, agrees


def everything(node: Node) -> list[Args]:
    """A manifest that begins with nothing."""
    return [
        *BASE,
        {"kind": "user", "username": "ann", "password": "correct horse"},
        node.pool_entry(),
        *node.network_entries(),
        {"kind": "volume", **node.volume("spare")},
        {"kind": "instance", **node.instance(node.name("vm"))},
        {
            "kind": "volume",
            **node.volume("data", state="attached", instance=node.name("vm")),
        },
    ]


@pytest.mark.parametrize("seed", range(3))
def test_order_of_the_manifest_does_not_matter(
    make_lab: Callable[..., Node], migrated: str, seed: int
) -> None:
    node = make_lab(Node, migrated)
    manifest = everything(node)
    random.Random(seed).shuffle(manifest)  # noqa: S311 - the same order each time
    said = node.apply(*manifest, check=True)
    done = node.apply(*manifest)
    assert agrees(said["plan"], done["plan"])
    assert agrees(said["resources"], done["resources"])
    assert not node.apply(*reversed(manifest)).changed
    gone = [absent(entry) for entry in manifest]
    said = node.apply(*gone, check=True)
    done = node.apply(*gone)
    assert agrees(said["plan"], done["plan"])
    assert node.left() == []
    assert node.sql("SELECT id FROM organizations") == []
    assert not node.apply(*gone).changed


def absent(entry: Args) -> Args:
    """The entry that removes what another one makes."""
    identity = {key: entry[key] for key in ("kind", "name", "username") if key in entry}
    if entry["kind"] == "volume":
        identity["storage_pool"] = entry["storage_pool"]
    if entry["kind"] == "instance":
        identity["destroy_volumes"] = True
    return {**identity, "state": "absent"}


def test_each_resource_has_its_own_result_in_the_manifests_order(node: Node) -> None:
    name = node.name("vm")
    entries = [
        {"kind": "instance", **node.instance(name)},
        {"kind": "port_group", "name": "lan", "description": "for all"},
        {"kind": "organization", "name": "org"},
        {"kind": "volume", **node.volume("never"), "state": "absent"},
    ]
    shown = node.apply(*entries)["resources"]
    assert [item["kind"] for item in shown] == [item["kind"] for item in entries]
    assert [item["changed"] for item in shown] == [True, True, False, False]
    assert shown[0]["actions"] == ["create", "define"]
    assert shown[0]["resource"]["networks"][0]["name"] == "net0"
    assert shown[2]["id"] == node.row("organizations", "org")["id"]
    assert shown[3]["resource"] is None


def test_one_bad_resource_fails_all_before_anything_is_changed(node: Node) -> None:
    before = node.host()
    result = node.apply_refused(
        {"kind": "volume", **node.volume("good")},
        {"kind": "volume", **node.volume("large", "100EiB")},
        {"kind": "instance", "name": node.name("vm"), "memory": "1GiB", "colour": "red"},
        {"kind": "switch", "name": "x"},
    )
    assert node.host() == before
    assert [item["code"] for item in result["errors"]] == ["invalid_input"] * 3
    for part in ("large", "100EiB", "colour", "switch", "3 errors, nothing was changed"):
        assert part in result.message


def test_all_that_cannot_be_planned_is_listed(node: Node) -> None:
    before = node.host()
    result = node.apply_refused(
        {"kind": "volume", **node.volume("good")},
        {"kind": "port_group", "name": "dmz", "vswitch": "svswitch999"},
        {"kind": "instance", "name": node.name("vm")},
        {"kind": "volume", "name": "lost", "size": "4MiB", "storage_pool": "nowhere"},
    )
    assert node.host() == before
    assert sorted(item["code"] for item in result["errors"]) == [
        "invalid_input", "not_found", "not_found",
    ]  # fmt: skip
    for part in ("svswitch999", "memory must be given", "nowhere"):
        assert part in result.message


def test_same_resource_twice_is_refused(node: Node) -> None:
    entry = {"kind": "volume", **node.volume("twin")}
    result = node.apply_refused(entry, {"kind": "organization", "name": "org"}, entry)
    assert "listed twice" in result.message
    assert "[0]" in result.message
    assert "[2]" in result.message


def test_same_resource_by_name_and_by_id_is_refused(node: Node) -> None:
    id = node.row("organizations", "org")["id"]
    result = node.apply_refused(
        {"kind": "organization", "name": "org", "description": "one"},
        {"kind": "organization", "id": id, "description": "two"},
    )
    assert "twice" in result.message


def test_purge_removes_only_the_kinds_that_it_names(node: Node) -> None:
    one, two = node.name("one"), node.name("two")
    node.apply(
        {"kind": "instance", **node.instance(one)},
        {"kind": "instance", **node.instance(two)},
        {"kind": "volume", **node.volume("spare")},
        {"kind": "port_group", "name": "dmz", "vswitch": node.vswitch},
    )
    kept = {"kind": "instance", **node.instance(one)}
    assert not node.apply(kept).changed
    said = node.apply(kept, purge=["instance"], check=True)
    assert node.domains() == sorted([one, two])
    done = node.apply(kept, purge=["instance"])
    assert agrees(said["plan"], done["plan"])
    assert node.domains() == [one]
    volumes = {row["name"] for row in node.sql("SELECT name FROM volumes")}
    assert volumes == {f"{one}-root", f"{two}-root", "spare"}
    node.apply(kept, *node.network_entries(), purge=["volume", "port_group"])
    volumes = {row["name"] for row in node.sql("SELECT name FROM volumes")}
    assert volumes == {f"{one}-root"}
    assert {row["name"] for row in node.sql("SELECT name FROM port_groups")} == {"lan"}


@pytest.mark.parametrize("state", ["present", "started"])
def test_purge_says_and_does_all_of_it_in_one_run(node: Node, state: str) -> None:
    name = node.name("vm")
    guest = node.guest(name, state="started")
    both = [*guest["volumes"], node.volume("data")]
    node.apply({"kind": "instance", **guest, "volumes": both, "state": state})
    image = node.image_of("data")
    kept = {"kind": "instance", **guest, "state": state, "purge": ["volumes"]}
    said = node.apply(kept, purge=["volume"], check=True)
    assert image.exists()
    done = node.apply(kept, purge=["volume"])
    assert agrees(said["plan"], done["plan"])
    assert "volume delete" in done.actions
    assert not image.exists()
    assert len(node.domain(name).findall("devices/disk")) == 1
    assert {row["name"] for row in node.sql("SELECT name FROM volumes")} == {f"{name}-root"}
    assert not node.apply(kept, purge=["volume"]).changed


def test_purge_does_not_destroy_what_a_guest_still_has_open(node: Node) -> None:
    name = node.name("vm")
    guest = node.guest(name, state="started")
    both = [*guest["volumes"], node.volume("data")]
    node.apply({"kind": "instance", **guest, "volumes": both})
    later = {"kind": "instance", **guest, "purge": ["volumes"], "hot_plug": False}
    result = node.apply_refused(later, purge=["volume"])
    assert "still has it open" in result.message
    assert node.image_of("data").exists()
    node.apply({**later, "purge": []}, {"kind": "volume", **node.volume("data")}, purge=["volume"])
    assert node.image_of("data").exists()


def test_purge_does_not_take_away_what_is_in_use(node: Node) -> None:
    node.run("instance", **node.instance(node.name("vm"), state="started"))
    before = node.host()
    result = node.apply_refused(purge=["instance"])
    assert "it is running" in result.message
    result = node.apply_refused(purge=["vswitch"])
    assert "port_group: lan" in result.message
    assert node.host() == before


def test_purge_leaves_other_nodes_alone(node: Node) -> None:
    other = node.file("machine-id", b"0" * 31 + b"1\n")
    elsewhere = {"machine_id": str(other)}
    vswitch = node.vswitch_name()
    there = {"resources": [
        {"kind": "node", "name": "node2"},
        {"kind": "vswitch", "name": vswitch},
    ]}  # fmt: skip
    result = node.task("apply", there, check=True, **elsewhere)
    assert not result.failed, result.message
    # Rows of a node whose host is not at hand.
    node.sql(
        "INSERT INTO nodes (id, organization_id, cluster_id, name, host_key, creation)"
        " SELECT 'node-' || repeat('a', 21), organization_id, id, 'node2', 'x', now() FROM clusters"
    )
    node.sql(
        "INSERT INTO vswitches (id, cluster_id, node_id, name, mtu, status, creation)"
        " SELECT 'vsw-' || repeat('a', 21), id, 'node-' || repeat('a', 21), %s, 1500,"
        " 'ready', now() FROM clusters",
        vswitch,
    )
    assert not node.apply(*node.network_entries(), purge=["vswitch"]).changed
    result = node.refused("vswitch", name=vswitch, node="node2", mtu=9000)
    assert "on node node2" in result.message
    assert "Run the task on that node" in result.message


# The audit log


def test_every_step_is_in_the_audit_log_with_who_and_from_where(lab: Lab) -> None:
    began = len(lab.sql("SELECT * FROM audit_log"))
    lab.run("organization", name="other", description="first")
    lab.run("organization", name="other", description="second")
    lab.run("organization", name="other", state="absent")
    rows = lab.sql("SELECT * FROM audit_log ORDER BY at")[began:]
    assert [row["action"] for row in rows] == ["create", "update", "delete"]
    assert {row["origin"] for row in rows} == {socket.gethostname()}
    assert {row["actor"] for row in rows} == {getpass.getuser()}
    assert {row["kind"] for row in rows} == {"organization"}
    assert len({row["resource_id"] for row in rows}) == 1
    assert rows[1]["before"] == {"description": "first"}
    assert rows[1]["after"] == {"description": "second"}
    assert rows[2]["before"]["name"] == "other"
    assert rows[2]["after"] is None


def test_plan_is_what_is_in_the_audit_log(node: Node) -> None:
    node.sql("DELETE FROM audit_log")
    done = node.run("instance", **node.instance(node.name("vm")))
    rows = node.sql("SELECT kind, name, action, before, after FROM audit_log ORDER BY ctid")
    steps = [{key: step[key] for key in rows[0]} for step in done["plan"]]
    assert agrees(steps, rows)


def test_run_that_changes_nothing_leaves_no_trace(lab: Lab) -> None:
    before = lab.sql("SELECT * FROM audit_log ORDER BY id")
    lab.run("organization", name="org")
    lab.run("organization", name="new", check=True)
    lab.refused("organization", name="org", state="absent", check=True)
    lab.run("organization_info")
    assert lab.sql("SELECT * FROM audit_log ORDER BY id") == before


def test_change_and_its_audit_row_are_one_transaction(lab: Lab) -> None:
    lab.sql("REVOKE INSERT ON audit_log FROM pextra_ce")
    lab.sql("ALTER TABLE audit_log RENAME TO audit_log_away")
    result = lab.task("organization", {"name": "unseen"})
    assert result.failed
    assert result.code == "store"
    lab.sql("ALTER TABLE audit_log_away RENAME TO audit_log")
    assert lab.sql("SELECT id FROM organizations WHERE name = 'unseen'") == []


# Names and ids


def test_resource_is_renamed_by_its_id(lab: Lab) -> None:
    made = lab.run("organization", name="before")["organization"]
    done = lab.run("organization", id=made["id"], name="after")
    assert done["organization"] == {**made, "name": "after"}
    assert not lab.run("organization", id=made["id"]).changed
    assert lab.refused("organization", id=made["id"], name="org").code == "conflict"


def test_names_are_unique_within_their_parent_only(lab: Lab) -> None:
    lab.run("organization", name="second")
    for organization in ("org", "second"):
        for kind, name in (("datacenter", "twin"), ("user", "twin")):
            key = "username" if kind == "user" else "name"
            assert lab.run(kind, **{key: name, "organization": organization}).changed
    result = lab.refused("datacenter", name="twin")
    assert "organization is missing, and there are 2" in result.message
    result = lab.refused("cluster", name="c", datacenter="twin")
    assert "2 of that name exist" in result.message


def test_parent_that_holds_something_is_not_removed(node: Node) -> None:
    node.run("instance", **node.instance(node.name("vm")))
    for kind, name, held in (
        ("organization", "org", "datacenter: dc"),
        ("datacenter", "dc", "cluster: cluster"),
        ("cluster", "cluster", "node: node1"),
        ("node", "node1", f"storage_pool: {node.pool}"),
        ("vswitch", node.vswitch, "port_group: lan"),
        ("port_group", "lan", f"instance: {node.name('vm')}"),
    ):
        result = node.refused(kind, name=name, state="absent")
        assert result.code == "conflict"
        assert held in result.message


def test_unset_is_not_null(lab: Lab) -> None:
    place = {"latitude": 48.1, "longitude": 11.5}
    lab.run("datacenter", name="dc", location=place, description="here")
    assert not lab.run("datacenter", name="dc").changed
    assert not lab.run("datacenter", name="dc", description=None).changed
    assert lab.row("datacenters", "dc")["description"] == "here"
    assert lab.run("datacenter", name="dc", location=None).changed
    assert lab.row("datacenters", "dc")["location"] is None


def test_any_spelling_of_a_value_is_the_same_value(node: Node) -> None:
    sizes = (8388608, "8388608", "8MiB", "8M", " 8 mib ", "8192KiB", "8.0MiB")
    for one, two in itertools.pairwise(sizes):
        node.run("volume", **node.volume("data", one))
        assert not node.run("volume", **node.volume("data", two)).changed
    macs = ("52:54:00:AA:bb:0c", "52-54-00-aa-bb-0c", "525400AABB0C")
    for one, two in itertools.pairwise(macs):
        node.run("node", name="node1", wol_mac=one)
        assert not node.run("node", name="node1", wol_mac=two).changed


def test_an_organization_is_called_as_people_call_it(lab: Lab) -> None:
    for name in ("Kea & Sons", "Müller GmbH & Co. KG", "株式会社"):
        organization = {"kind": "organization", "name": name}
        user = {"kind": "user", "username": "ann", "organization": name}
        lab.apply(organization, user)
        assert not lab.apply(organization, user).changed
        found = lab.run("organization_info", name=name)["organizations"]
        assert [one["name"] for one in found] == [name]
    assert "acceptable name" in lab.apply_refused({"kind": "organization", "name": " a"}).message
