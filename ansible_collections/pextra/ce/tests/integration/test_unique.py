# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is unique changes hands in one run, or check mode and the run refuse it alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.guest import READY
from ansible_collections.pextra.ce.tests.integration.lab import Args, Lab, Node, Result, agrees

TABLES = {
    "organization": "organizations",
    "datacenter": "datacenters",
    "cluster": "clusters",
    "node": "nodes",
    "port_group": "port_groups",
}
"""The kinds whose names can change, and their tables."""


@pytest.fixture(scope="module")
def shared(make_module_lab: Callable[..., Node]) -> Node:
    """A node; each test uses names of its own."""
    made = make_module_lab(Node)
    made.prepare()
    return made


def predicted(lab: Lab, *entries: Args, **more: Any) -> Result:
    """Apply a manifest after check mode has said the same, and once more without a change."""
    before = lab.rows_of_all()
    said = lab.apply(*entries, check=True, **more)
    assert lab.rows_of_all() == before
    done = lab.apply(*entries, **more)
    assert agrees(said["plan"], done["plan"])
    assert agrees(said["resources"], done["resources"])
    return done


def told(lab: Lab, *entries: Args) -> str:
    """What check mode and the run refuse, in the same words."""
    said = lab.apply_refused(*entries, check=True)
    done = lab.apply_refused(*entries)
    assert said.message == done.message
    assert "duplicate key" not in done.message
    return done.message


def several(node: Node, kind: str, names: list[str]) -> tuple[Args, dict[str, str]]:
    """What new ones of a kind need besides; and the ids of new ones by name."""
    more: Args = {
        "datacenter": {"organization": "org"}, "cluster": {"datacenter": "dc"},
        "node": {"cluster": "cluster"}, "port_group": {"vswitch": node.vswitch},
    }.get(kind, {})  # fmt: skip
    for number, name in enumerate(names):
        machine = node.file(f"machine-{number}-{name}", f"{hash(name) % 10**9:032x}\n".encode())
        job = node.job(kind, {"name": name, **more})
        if kind == "node":
            job["machine_id"] = str(machine)
        (made,) = node.together([job])
        assert not made.failed, made.message
    rows = node.sql(f"SELECT id, name FROM {TABLES[kind]}")
    return {"kind": kind, **more}, {row["name"]: row["id"] for row in rows}


def names_of(node: Node, kind: str, ids: dict[str, str]) -> dict[str, str]:
    """How those that had these names are called now."""
    rows = {row["id"]: row["name"] for row in node.sql(f"SELECT id, name FROM {TABLES[kind]}")}
    return {name: rows[id] for name, id in ids.items()}


@pytest.mark.parametrize("kind", TABLES)
def test_names_change_hands_in_one_run(shared: Node, kind: str) -> None:
    one, two, three = (f"{kind.replace('_', '-')}-{number}" for number in ("1", "2", "3"))
    entry, ids = several(shared, kind, [one, two, three])
    kept = {name: ids[name] for name in (one, two, three)}

    def to(pairs: dict[str, str]) -> list[Args]:
        return [{"kind": kind, "id": kept[old], "name": new} for old, new in pairs.items()]

    predicted(shared, *to({one: two, two: one}))
    assert names_of(shared, kind, kept) == {one: two, two: one, three: three}
    predicted(shared, *to({one: three, two: two, three: one}))
    assert names_of(shared, kind, kept) == {one: three, two: two, three: one}
    for order in (1, -1):
        chain = list({one: f"{one}-{order}", two: three, three: two}.items())[::order]
        predicted(shared, *to(dict(chain)))
        assert names_of(shared, kind, kept) == dict(chain)
        predicted(shared, *to({one: three, two: two, three: one}))
    if kind != "node":  # a machine is one node
        fresh = {**entry, "name": three}
        predicted(shared, *to({one: f"{one}-away"}), fresh)
        assert names_of(shared, kind, kept)[one] == f"{one}-away"
        assert shared.sql(f"SELECT id FROM {TABLES[kind]} WHERE name = %s", three) != []


@pytest.mark.parametrize("kind", ["organization", "port_group"])
def test_name_of_what_stays_or_goes_is_told_before_any_change(shared: Node, kind: str) -> None:
    names = [f"{kind.replace('_', '-')}-{stem}" for stem in ("x", "y")]
    entry, ids = several(shared, kind, names)
    rename = {"kind": kind, "id": ids[names[0]], "name": names[1]}
    assert f"the name is taken by {ids[names[1]]}" in told(shared, rename)
    told(shared, rename, {**entry, "name": names[1], "state": "absent"})
    gone = {"kind": kind, "id": ids[names[1]], "state": "absent"}
    assert f"the name is taken by {ids[names[1]]}" in told(shared, rename, gone)


def test_licence_key_of_another_node_is_told_before_any_change(lab: Lab) -> None:
    made = lab.run("node_license", evaluation=True)["node_license"]
    assert made["edition"] == "evaluation"
    (key,) = (row["key"] for row in lab.sql("SELECT key FROM node_licenses"))
    machine = str(lab.file("machine", b"%032x\n" % 77))
    assert not lab.task("node", {"name": "node2"}, machine_id=machine).failed
    for check in (True, False):
        result = lab.task("node_license", {"key": key}, machine_id=machine, check=check)
        assert result.failed
        assert 'the key is that of node "node1"' in result.message
        assert key not in result.text


@pytest.mark.parametrize("state", ["present", "started"])
def test_mac_address_goes_to_a_device_of_another_name(node: Node, state: str) -> None:
    mac, name = "52:54:00:12:34:56", node.name("vm")
    entry = node.guest(name, state=state)
    if state == "started":
        entry |= {"wait_console": READY, "timeout": 30}
    old = {**entry, "networks": [{"name": "net0", "port_group": "lan", "mac": mac}]}
    node.run("instance", **old)
    new = {**entry, "networks": [{"name": "net1", "port_group": "lan", "mac": mac}]}
    assert f'MAC address {mac} is taken by instance "{name}"' in told(
        node, {"kind": "instance", **new}
    )
    new["purge"] = ["networks"]
    predicted(node, {"kind": "instance", **new})
    (card,) = node.sql("SELECT name, mac FROM network_devices")
    assert card == {"name": "net1", "mac": mac}
    assert len(node.domain(name).findall("devices/interface")) == 1
    assert not node.run("instance", **new).changed


def test_mac_address_goes_from_an_instance_that_is_removed_to_a_new_one(node: Node) -> None:
    card = {"name": "net0", "port_group": "lan", "mac": "52:54:00:12:34:56"}
    node.run("instance", name=node.name("a"), memory=32, networks=[card])
    predicted(
        node,
        {"kind": "instance", "name": node.name("b"), "memory": 32, "networks": [card]},
        {"kind": "instance", "name": node.name("a"), "state": "absent"},
    )
    assert node.domains() == [node.name("b")]


@pytest.mark.parametrize("state", ["present", "started"])
def test_volume_at_a_device_path_is_swapped_in_one_run(node: Node, state: str) -> None:
    name = node.name("vm")
    guest = node.guest(name, state=state)
    if state == "started":
        guest |= {"wait_console": READY, "timeout": 30}
    root, place = guest["volumes"][0], {"device_path": "/dev/vdb", "device_name": "data"}
    node.run("instance", **{**guest, "volumes": [root, {**node.volume("old"), **place}]})
    swapped = {**guest, "volumes": [root, {**node.volume("new"), **place}]}
    message = told(node, {"kind": "instance", **swapped})
    assert 'device path /dev/vdb is used by volume "old"' in message
    swapped["purge"] = ["volumes"]
    predicted(node, {"kind": "instance", **swapped})
    new = str(node.image_of("new"))
    trees = [node.domain(name), *([node.live(name)] if state == "started" else [])]
    for tree in trees:
        (disk,) = (
            item
            for item in tree.findall("devices/disk")
            if (target := item.find("target")) is not None and target.get("dev") == "vdb"
        )
        source = disk.find("source")
        assert source is not None
        assert source.get("file") == new
    assert node.row("volumes", "old")["instance_id"] is None
    assert not node.run("instance", **swapped).changed


def test_purge_of_an_instance_leaves_what_another_entry_attaches(node: Node) -> None:
    name = node.name("vm")
    entry = {"kind": "instance", **node.instance(name), "purge": ["volumes"]}
    data = {"kind": "volume", **node.volume("data"), "state": "attached", "instance": name}
    for manifest in ([entry, data], [data, entry]):
        predicted(node, *manifest)
        assert node.row("volumes", "data")["instance_id"] is not None
        again = node.apply(*manifest)
        assert not again.changed, again["plan"]
    predicted(node, entry, {**data, "state": "absent", "instance": None})
    assert node.sql("SELECT id FROM volumes WHERE name = 'data'") == []


def test_missing_data_is_begun_anew_where_its_own_entry_says_so(node: Node) -> None:
    name = node.name("vm")
    entry = {"kind": "instance", **node.instance(name)}
    node.apply(entry)
    node.image_of(f"{name}-root").unlink()
    assert "its data is missing" in told(node, entry)
    own = {"kind": "volume", **node.volume(f"{name}-root"), "recreate_missing": True}
    for manifest in ([entry, own], [own, entry]):
        node.image_of(f"{name}-root").unlink(missing_ok=True)
        assert predicted(node, *manifest).actions == ["volume allocate"]
        assert node.image_of(f"{name}-root").exists()
        assert not node.apply(*manifest).changed


def test_what_is_made_and_removed_at_the_same_time_is_never_called_missing(node: Node) -> None:
    disk = node.volume("data", "1MiB")
    jobs = [
        node.job("volume", {**disk, "state": state})
        for _round in range(15)
        for state in ("present", "absent")
    ]
    for result in node.together(jobs):
        assert not result.failed, result.message
    node.run("volume", **disk)
    job = node.job("volume", disk, meanwhile_at=0, meanwhile={})
    points = node.together([job])[0].raw["points"]
    for at in range(1, points.index("read") + 1):
        crossing = {
            "meanwhile_at": at,
            "meanwhile": node.job("volume", {**disk, "state": "absent"}),
        }
        (result,) = node.together([{**job, **crossing}])
        assert not result.failed, result.message
        assert node.image_of("data").exists()


def test_what_another_run_has_made_since_is_removed_on_the_host_too(node: Node) -> None:
    name = node.vswitch_name()
    manifest = [
        {"kind": "organization", "name": "new"},
        {"kind": "vswitch", "name": name, "state": "absent"},
    ]
    job = node.job("apply", {"resources": manifest}, meanwhile_at=0, meanwhile={})
    points = node.together([{**job, "check": True}])[0].raw["points"]
    crossing = {
        **job,
        "meanwhile_at": points.index("read-over") + 1,
        "meanwhile": node.job("vswitch", {"name": name}),
    }
    (result,) = node.together([crossing])
    assert not result.failed, result.message
    assert "vswitch remove" in result.actions
    assert node.bridges() == {node.vswitch: 1500}
    assert node.sql("SELECT id FROM vswitches WHERE name = %s", name) == []
    assert not node.apply(*manifest).changed
