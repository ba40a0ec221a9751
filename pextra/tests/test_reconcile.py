# SPDX-License-Identifier: Apache-2.0
"""What a node has to do without a request, planned over rows in memory."""

from __future__ import annotations

from typing import Any

from pextra.engine import repair
from pextra.engine.reconcile import Reconciler
from pextra.engine.repair import Found, Key, Looks, Repair
from pextra.engine.world import World
from pextra.kinds.instance.domain import DomainState
from pextra.kinds.instance_snapshot.kind import Seen
from pextra.kinds.registry import KINDS
from pextra.model.errors import HostError
from pextra.model.fields import Row
from pextra.tests.rows import Rows
from pextra.tests.test_planning import BASE, SPECS, Cloud


def cloud() -> Cloud:
    """A node with two vSwitches and a port group on each."""
    made = Cloud()
    made.apply(*BASE)
    return made


def world(made: Cloud) -> World:
    """The rows of a cloud as planning sees them."""
    return World(SPECS, Rows(made.rows), made.host, attended=False)


def drafted(made: Cloud, *keys: Key, looks: Looks | None = None) -> list[Repair]:
    """What these resources need, group by group."""
    there = world(made)
    seen = looks or repair.look(KINDS, keys, there, made.host)
    groups = repair.ordered(KINDS, keys, there)
    return [item for group in groups for item in repair.draft(KINDS, group, there, seen)]


def row(made: Cloud, kind: str, name: str) -> Row:
    """The row of that name."""
    return next(item for item in made.rows[kind] if item["name"] == name)


def add(made: Cloud, kind: str, **values: Any) -> Key:
    """A row with these values; its key."""
    spec = SPECS[kind]
    columns = {item.column: item.default for item in spec.stored}
    node = made.rows["node"][0]
    found = {
        **columns, "id": f"{spec.prefix}-{len(made.rows.get(kind, ())):021d}", "status": "ready",
        "node_id": node["id"], "cluster_id": node["cluster_id"], **values,
    }  # fmt: skip
    made.rows.setdefault(kind, []).append(found)
    return kind, found["id"]


def test_what_is_whole_needs_nothing() -> None:
    made = cloud()
    (item,) = drafted(made, ("vswitch", row(made, "vswitch", "svswitch1")["id"]))
    assert item.found is Found.WHOLE
    assert not item.needed


def test_a_bridge_that_is_gone_is_drift_and_one_never_made_is_unfinished() -> None:
    made = cloud()
    made.host.links.bridges.clear()
    row(made, "vswitch", "svswitch2")["status"] = "pending"
    keys = [("vswitch", item["id"]) for item in made.rows["vswitch"]]
    drift, unfinished = drafted(made, *keys)
    assert (drift.found, [step.action for step in drift.plan]) == (Found.DRIFTED, ["bridge"])
    assert unfinished.found is Found.UNFINISHED
    assert [step.action for step in unfinished.plan] == ["bridge", "finish"]


def test_a_bridge_with_the_node_s_own_addresses_is_only_told() -> None:
    made = cloud()
    made.host.links.bridges.clear()
    switch = row(made, "vswitch", "svswitch1")
    own = {"addresses": ["192.0.2.1/24"], "routes": [], "dns": [], "domains": []}
    switch.update(addressing=own, uplinks=["eth0"])
    (item,) = drafted(made, ("vswitch", switch["id"]))
    assert item.found is Found.DRIFTED
    assert not item.needed, "nobody would confirm the change, and the node would undo it"
    assert [left.step.action for left in item.left] == ["bridge"]


def test_a_vswitch_that_goes_takes_its_port_groups_along() -> None:
    made = cloud()
    switch = row(made, "vswitch", "svswitch1")
    switch["status"] = "deleting"
    (item,) = drafted(made, ("vswitch", switch["id"]))
    assert item.found is Found.LEAVING
    assert [(step.kind, step.action) for step in item.plan] == [
        ("vswitch", "remove"), ("port_group", "delete"), ("vswitch", "delete"),
    ]  # fmt: skip


def test_a_part_of_what_cannot_go_does_not_go_either() -> None:
    made = cloud()
    pool = add(made, "storage_pool", name="local", type="directory", options={}, secrets={})
    instance = add(made, "instance", name="vm", status="deleting", rootfs_archive=None)
    volume = add(
        made, "volume", name="root", status="deleting", instance_id=instance[1],
        storage_pool_id=pool[1], size=512, lun=None,
    )  # fmt: skip
    stuck = Looks({volume: None}, {instance: HostError("libvirt does not answer")})
    first, second = drafted(made, volume, instance, looks=stuck)
    assert (first.key, first.found) == (instance, Found.UNKNOWN)
    assert second.key == volume
    assert not second.needed, "its row would go while the instance still has it"
    free = Looks({instance: DomainState(), volume: None})
    assert [item.plan[-1].action for item in drafted(made, volume, instance, looks=free)] == [
        "delete", "delete",
    ]  # fmt: skip


def test_the_moment_of_a_snapshot_is_left_to_the_user() -> None:
    made = cloud()
    instance = add(made, "instance", name="vm")
    more = {"instance_id": instance[1], "volumes": [], "memory": False, "state": "stopped"}
    fresh = add(made, "instance_snapshot", name="a", status="pending", reverting=False,
                **{**more, "memory": True, "state": "running"})  # fmt: skip
    back = add(made, "instance_snapshot", name="b", status="updating", reverting=True, **more)
    seen = Seen("stopped", {}, saved=False, held=False)
    items = drafted(made, fresh, back, looks=Looks({fresh: seen, back: seen}))
    assert [left.step.action for item in items for left in item.left] == ["snapshot", "revert"]
    assert not any(item.needed for item in items), "a row that is told stays as it is"


def test_what_stays_is_made_before_what_goes_is_cleared() -> None:
    made = cloud()
    pool = add(made, "storage_pool", name="local")
    association = add(made, "storage_pool_node", name="local", storage_pool_id=pool[1])
    instance = add(made, "instance", name="vm")
    gone = add(made, "instance", name="gone", status="deleting")
    switch = ("vswitch", row(made, "vswitch", "svswitch2")["id"])
    row(made, "vswitch", "svswitch2")["status"] = "deleting"
    keys = [switch, gone, instance, association]
    order = [group[0] for group in repair.ordered(KINDS, keys, world(made))]
    assert order == [association, instance, gone, switch]


def test_a_look_that_fails_for_all_is_taken_at_each() -> None:
    made = cloud()
    keys = [("vswitch", item["id"]) for item in made.rows["vswitch"]]
    links = made.host.links
    look = links.bridge

    def bridge(want: Any) -> Any:
        if want.name == "svswitch1":
            raise HostError("the kernel refused")
        return look(want)

    links.bridge = bridge
    broken, whole = drafted(made, *keys)
    assert (broken.found, str(broken.error)) == (Found.UNKNOWN, "the kernel refused")
    assert whole.found is Found.WHOLE


def test_every_kind_that_users_name_and_a_host_shows_can_be_reconciled() -> None:
    possible = Reconciler.possible(KINDS)
    shown = {name for name, kind in KINDS.items() if kind.spec.on_host and not kind.spec.owned_by}
    assert shown | {"port_group"} == set(possible)
