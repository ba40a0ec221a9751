# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind from its creation to its end: what check mode says is what then happens, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import BASE, Args, Lab, Node, agrees


@dataclass(frozen=True)
class Life:
    """How one resource is made, changed and ended.

    Attributes:
        kind: The module.
        make: Options of a new one.
        change: Options that change it; its identity is added.
        changed: What the module then returns of it, among other things.
        end: More options of its end.
        before: What must exist, as a manifest.
        base: Whether organization, datacenter, cluster and node exist already.
    """

    kind: str
    make: Args
    change: Args
    changed: Args
    end: Args = field(default_factory=dict)
    before: tuple[Args, ...] = ()
    base: bool = True


def lives(node: Node) -> dict[str, Life]:
    """The cases by name."""
    pool, bridge = node.pool_entry(), {"kind": "vswitch", "name": node.vswitch}
    group = {"kind": "port_group", "name": "lan", "vswitch": node.vswitch}
    machine = {"kind": "instance", "name": node.name("vm"), "memory": 32}
    return {
        "organization": Life(
            "organization", {"name": "tenant", "description": "first"}, {"description": "second"},
            {"name": "tenant", "description": "second"},
        ),
        "datacenter": Life(
            "datacenter", {"name": "south", "location": {"latitude": 48.1, "longitude": 11.5}},
            {"location": {"latitude": -33.9, "longitude": 18}},
            {"location": {"latitude": -33.9, "longitude": 18.0}, "description": ""},
        ),
        "cluster": Life(
            "cluster", {"name": "other"}, {"description": "of the other kind"},
            {"name": "other", "description": "of the other kind"},
        ),
        "node": Life(
            "node", {"name": "first", "wol_mac": "52-54-00-AA-BB-CC"}, {"ip_address": "192.0.2.1"},
            {"ip_address": "192.0.2.1", "wol_mac": "52:54:00:aa:bb:cc"},
            before=BASE[:3], base=False,
        ),
        "user": Life(
            "user", {"username": "ann", "password": "correct horse", "expiry": "2040-01-31"},
            {"enabled": False, "linux_user": "ann"},
            {"enabled": False, "linux_user": "ann", "expiry": "2040-01-31T00:00:00Z"},
        ),
        "node_license": Life(
            "node_license", {"evaluation": True}, {}, {"edition": "evaluation"},
        ),
        "storage_pool": Life(
            "storage_pool", {key: pool[key] for key in pool if key != "kind"},
            {"description": "fast"}, {"description": "fast", "type": "directory"},
        ),
        "volume": Life(
            "volume", node.volume("data"), {"size": "8MiB"}, {"size": 8 << 20, "format": "qcow2"},
            before=(pool,),
        ),
        "volume, raw": Life(
            "volume", node.volume("data", format="raw"), {"grow_by": "4MiB"},
            {"size": 8 << 20, "format": "raw"}, before=(pool,),
        ),
        "volume, attached": Life(
            "volume", node.volume("data", state="attached", instance=machine["name"]),
            {"state": "detached"}, {"instance_id": None, "device_path": None},
            before=(pool, machine),
        ),
        "vswitch": Life(
            "vswitch", {"name": node.vswitch}, {"mtu": 9000}, {"mtu": 9000},
        ),
        "port_group": Life(
            "port_group", {"name": "lan", "vswitch": node.vswitch}, {"description": "for all"},
            {"description": "for all", "vlan_id": None}, before=(bridge,),
        ),
        "instance": Life(
            "instance", node.instance(machine["name"]),
            {"memory": "48MiB", "autostart": True, "cpu": {"cores": 2}},
            {"memory": 48, "vcpus": 2, "autostart": True},
            {"destroy_volumes": True}, before=(pool, bridge, group),
        ),
        "instance, running": Life(
            "instance",
            node.instance(machine["name"], state="started", cloud_init={"user_data": "#!x"}),
            {"state": "killed", "networks": [{"name": "net1", "port_group": "lan"}]},
            {"memory": 32},
            {"destroy_volumes": True}, before=(pool, bridge, group),
        ),
        "instance, with devices": Life(
            "instance",
            node.instance(
                machine["name"],
                volumes=[node.volume("root"), node.volume("data", bus="scsi", read_only=True)],
                devices=[
                    {"name": "one", "type": "cdrom", "medium": str(node.image("a.iso", "raw"))},
                    {"name": "two", "type": "cdrom", "bus": "usb", "tray": "open"},
                    {"name": "tpm0", "type": "tpm", "model": "tis", "version": 1.2},
                    {"name": "rng0", "type": "rng"},
                    {"name": "key", "type": "usb", "usb_id": "1d6b:0002"},
                ],
            ),
            {
                "devices": [
                    {"name": "one", "medium": None},
                    {"name": "rng0", "source": "random"},
                    {"name": "three", "type": "cdrom", "bus": "scsi"},
                    {"name": "key", "startup_policy": "optional"},
                ],
                "boot_order": ["three", "key", "disk-vda"],
            },
            {"boot_order": ["three", "key", "disk-vda"]},
            {"destroy_volumes": True}, before=(pool, bridge, group),
        ),
    }  # fmt: skip


NAMES = (
    "organization", "datacenter", "cluster", "node", "user", "node_license", "storage_pool",
    "volume", "volume, raw", "volume, attached", "vswitch", "port_group", "instance",
    "instance, running", "instance, with devices",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_check_mode_says_what_then_happens_and_the_second_run_changes_nothing(
    name: str, make_lab: Callable[..., Node], migrated: str, based: str
) -> None:
    node = make_lab(Node, migrated if name == "node" else based)
    life = lives(node)[name]
    if life.before:
        node.apply(*life.before)
    empty = node.host()
    key = "username" if life.kind == "user" else "name"
    identity = {item: life.make[item] for item in (key, "storage_pool") if item in life.make}

    made = predicted(node, life.kind, life.make)
    assert made.changed
    assert again(node, life.kind, life.make) == made[life.kind]

    if life.change:
        changed = predicted(node, life.kind, {**identity, **life.change})
        assert changed.changed
        shown = changed[life.kind]
        assert {item: shown[item] for item in life.changed} == life.changed
        assert shown["id"] == made[life.kind]["id"]
        same = {item: value for item, value in life.change.items() if item != "grow_by"}
        assert again(node, life.kind, {**identity, **same}) == shown

    end = {**identity, **life.end, "state": "absent"}
    ended = predicted(node, life.kind, end)
    assert ended.changed
    assert ended[life.kind] is None
    assert again(node, life.kind, end) is None
    left = node.host()
    left["files"] = {path: time for path, time in left["files"].items() if "license" not in path}
    assert left == empty


def predicted(node: Lab, kind: str, args: Args) -> Any:
    """Run a task for real, after check mode has said the same and done nothing."""
    rows, host = node.rows_of_all(), node.host()
    said = node.run(kind, check=True, diff=True, **args)
    assert node.rows_of_all() == rows
    assert node.host() == host
    done = node.run(kind, diff=True, **args)
    for part in ("changed", "plan", "diff"):
        assert agrees(said[part], done[part]), f"{part}:\n{said[part]}\n{done[part]}"
    assert agrees(said[kind], done[kind]), f"{said[kind]}\n{done[kind]}"
    assert done.changed == (node.rows_of_all() != rows)
    return done


def again(node: Lab, kind: str, args: Args) -> Any:
    """What a task returns that has nothing to do."""
    rows, host = node.rows_of_all(), node.host()
    done = node.run(kind, diff=True, **args)
    assert not done.changed
    assert done["plan"] == []
    assert done["diff"] == []
    assert node.rows_of_all() == rows
    assert node.host() == host
    return done[kind]


def test_logs_that_libvirt_has_put_aside_go_with_their_instance(node: Node) -> None:
    name = node.name("vm")
    node.run("instance", **node.instance(name))
    log = Path(node.directories[2], "console", f"{node.row('instances', name)['id']}.log")
    for path in (log, Path(f"{log}.0"), Path(f"{log}.1")):
        path.write_text("booted\n")
    node.run("instance", name=name, state="absent")
    assert list(log.parent.iterdir()) == []
