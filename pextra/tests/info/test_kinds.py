# SPDX-License-Identifier: Apache-2.0
"""What is worked out of each kind."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.host.network.switch import BridgeState
from pextra.kinds.instance.view import seconds_since_start
from pextra.kinds.view import usage
from pextra.kinds.vswitch.kind import mac_of
from pextra.model import ids
from pextra.tests.info.cloud import NOW, Cloud, Node, Pool, day


@given(st.integers(0, 1 << 62), st.floats(0, 1))
def test_usage_adds_up(capacity: int, share: float) -> None:
    found = usage(capacity, int(capacity * share))
    assert 0 <= found["percent_used"] <= 100
    assert found["allocated"] + found["available"] == pytest.approx(found["capacity"], abs=0.02)


# Organizations, datacenters, clusters


def test_an_organization_counts_what_it_owns(cloud: Node) -> None:
    cloud.add("organization", name="Empty")
    keys = ("datacenter_count", "cluster_count", "user_count")
    counts = [[item[key] for key in keys] for item in cloud.info("organization")]
    assert counts == [[0, 0, 0], [1, 1, 1]]


@pytest.mark.parametrize(
    ("nodes", "tolerance"), [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (7, 3)]
)
def test_a_majority_of_nodes_must_stay(nodes: int, tolerance: int) -> None:
    cloud = Cloud()
    id = cloud.add("cluster", name="c", organization_id="o", datacenter_id="d")
    for number in range(nodes):
        cloud.add("node", name=f"n{number}", cluster_id=id, organization_id="o")
    (found,) = cloud.info("cluster")
    assert found["node_count"] == nodes
    assert found["fault_tolerance"] == tolerance
    assert found["standalone"] is (nodes == 1)


def test_hardware_of_nodes_is_added_up_and_marked_where_some_is_unknown(cloud: Node) -> None:
    unknown = {"vcpus": 0, "memory_gb": 0.0, "storage_gb": 0.0, "partial": True}
    assert cloud.one("cluster", "hardware") == unknown
    disks = [{"size": 10**12}, {"size": 5 * 10**11}]
    for name in ("node2", "node3"):
        hardware = {"vcpus": 4, "memory_gb": 7.8, "disks": disks}
        cloud.add_node(name, hardware=hardware)
    found = cloud.one("cluster", "hardware")
    assert found == {"vcpus": 8, "memory_gb": 15.6, "storage_gb": 3000.0, "partial": True}


def test_a_cluster_complies_with_a_valid_licence_on_every_node(cloud: Node) -> None:
    (found,) = cloud.info("cluster")
    assert found["licensing"] == {
        "cluster": {"status": "compliant", "next_expiry": "2030-03-02T12:00:00Z"},
        "nodes": {cloud.node: {"ok": True, "expiry": "2030-03-02T12:00:00Z"}},
        "problems": [],
    }
    assert found["edition"] == "standard"


def test_a_cluster_with_an_unlicensed_node_does_not_comply(cloud: Node) -> None:
    node = cloud.add_node("node2")
    (found,) = cloud.info("cluster")
    assert found["licensing"]["cluster"]["status"] == "noncompliant"
    assert found["licensing"]["nodes"][node] == {"ok": False, "expiry": None}
    assert found["licensing"]["problems"] == [f"{node} has no licence"]
    assert found["edition"] == "community"


# Nodes, users, licences


def test_of_another_node_nothing_is_claimed_that_is_not_known(cloud: Node) -> None:
    cloud.add_node("node2", time={"timezone": "Europe/Berlin"})
    (found,) = cloud.info("node", name="node2")
    assert found["time"] == {"time": None, "timezone": "Europe/Berlin", "uptime": None}
    for name in ("alive", "license", "cpu_usage", "memory_usage", "storage_usage"):
        assert found[name] is None


def test_this_machine_is_measured(cloud: Node) -> None:
    (found,) = cloud.info("node")
    assert found["alive"] is True
    assert found["time"]["time"] == NOW
    assert found["time"]["uptime"] > 0
    assert found["license"] == {"expiry": day(30), "valid": True}
    assert 0 <= found["cpu_usage"]["percent_used"] <= 100
    memory = found["memory_usage"]
    assert memory["total"] > memory["available"] > 0


def test_pools_on_one_file_system_count_once(cloud: Node, tmp_path: Path) -> None:
    alone = cloud.one("node", "storage_usage")
    (tmp_path / "inner").mkdir()
    cloud.enable(cloud.add_pool("more", f"{tmp_path}/inner"), "more", cloud.node)
    both = cloud.one("node", "storage_usage")
    assert both["capacity"] == alone["capacity"] > 0


@pytest.mark.parametrize(
    ("expiry", "expired"), [(None, False), (day(-1), True), (NOW, True), (day(1), False)]
)
def test_an_account_ends_at_its_expiry(expiry: Any, expired: bool) -> None:
    cloud = Cloud()
    cloud.add("user", username="u", organization_id="o", expiry=expiry)
    assert cloud.one("user", "expired") is expired


@pytest.mark.parametrize(
    ("begins", "ends", "valid", "left"),
    [(-1, 30, True, 30), (0, 1, True, 1), (1, 2, False, 2), (-2, 0, False, 0), (-9, -3, False, 0)],
)
def test_a_licence_is_valid_from_its_beginning_to_its_end(
    begins: int, ends: int, valid: bool, left: int
) -> None:
    cloud = Cloud()
    cloud.add("node_license", node_id="n", key="k", not_before=day(begins), expiry=day(ends))
    (found,) = cloud.info("node_license")
    assert (found["valid"], found["days_left"]) == (valid, left)


def test_a_licence_key_is_masked(cloud: Node) -> None:
    assert cloud.one("node_license", "key") == "PCE1.****xxxx"


# Storage pools and volumes


def _status(cloud: Node, name: str) -> tuple[str, str | None]:
    (found,) = cloud.info("storage_pool", name=name)
    assert found["available"] is (found["status"] == "available")
    return found["status"], found["status_reason"]


def test_a_pool_is_available_where_all_its_nodes_have_it(cloud: Node) -> None:
    assert _status(cloud, "local") == ("available", None)
    cloud.enable(cloud.pool, "local", cloud.add_node("node2"))
    assert _status(cloud, "local") == ("available", None)


def test_a_pool_on_no_node_is_disabled(cloud: Node) -> None:
    pool = cloud.add_pool("off", "/off")
    assert _status(cloud, "off") == ("disabled", "it is not enabled on any node")
    cloud.enable(pool, "off", cloud.node, status="deleting")
    assert _status(cloud, "off") == ("disabled", "node1: it is being removed from the node")
    assert cloud.one("storage_pool", "initialized", name="off") is False


def test_a_pool_waits_for_a_node_that_has_not_made_it(cloud: Node) -> None:
    cloud.enable(cloud.pool, "local", cloud.add_node("node2"), status="pending")
    assert _status(cloud, "local") == ("pending", "node2: the node has not made it yet")
    assert cloud.one("storage_pool", "initialized") is False


def test_an_error_on_one_node_is_the_pool_s(cloud: Node) -> None:
    cloud.enable(cloud.pool, "local", cloud.add_node("node2"), status="pending")
    cloud.enable(cloud.pool, "local", cloud.add_node("node3"), error="no route to host")
    assert _status(cloud, "local") == ("error", "node3: no route to host")


def test_a_pool_that_is_going_is_deleting(cloud: Node) -> None:
    pool = cloud.add_pool("going", "/going", status="deleting")
    assert _status(cloud, "going") == ("deleting", "nothing is left of it on any node")
    cloud.enable(pool, "going", cloud.node, status="deleting")
    assert _status(cloud, "going") == ("deleting", "node1: it is being removed from the node")


@pytest.mark.parametrize(
    ("pools", "reason"),
    [
        ([], "libvirt does not have it any more"),
        ([("local", "ours", True, False)], "it is not active"),
        ([("local", "ours", False, True)], "its directory is missing"),
        ([("local", "theirs", True, True)], "libvirt has a pool of that name that is not ours"),
    ],
)
def test_a_pool_that_this_machine_lost_is_in_error(
    pools: list[tuple[str, str, bool, bool]], reason: str, cloud: Node, tmp_path: Path
) -> None:
    uuid = {"ours": ids.uuid_of(cloud.pool_here), "theirs": ids.uuid_of("theirs")}
    cloud.libvirt.pools = [Pool(name, uuid[whose], active) for name, whose, _there, active in pools]
    if pools and not pools[0][2]:
        tmp_path.rmdir()
        reason = f"its directory {tmp_path} is missing"
    assert _status(cloud, "local") == ("error", f"node1: {reason}")


def test_usage_of_a_pool_is_this_machine_s(cloud: Node, tmp_path: Path) -> None:
    used = shutil.disk_usage(tmp_path)
    assert cloud.one("storage_pool", "usage")["capacity"] == pytest.approx(used.total / 10**9, 0.01)
    cloud.enable(cloud.add_pool("far", str(tmp_path)), "far", cloud.add_node("node2"))
    assert cloud.one("storage_pool", "usage", name="far") is None


def test_a_volume_is_looked_at_on_its_node(cloud: Node, tmp_path: Path) -> None:
    volume = cloud.add_volume("data", size=8192)
    Path(tmp_path, f"{volume}.raw").write_bytes(bytes(8192))
    (found,) = cloud.info("volume", name="data")
    assert found["path"] == f"{tmp_path}/{volume}.raw"
    assert (found["exists"], found["actual_size"], found["attached"]) == (True, 8192, False)
    assert found["allocated"] % 512 == 0


def test_a_volume_without_its_data_is_seen_missing(cloud: Node) -> None:
    (found,) = cloud.info("volume", instance="web1")
    assert (found["exists"], found["actual_size"], found["allocated"]) == (False, None, None)
    assert (found["attached"], found["instance"]) == (True, "web1")


def test_of_a_volume_on_another_node_only_the_path_is_known(cloud: Node) -> None:
    cloud.add_volume("far", node_id=cloud.add_node("node2"))
    (found,) = cloud.info("volume", name="far")
    assert found["path"].startswith("/")
    assert (found["exists"], found["actual_size"], found["allocated"]) == (None, None, None)


# Networks


def _vswitch(cloud: Node) -> dict[str, Any]:
    (found,) = cloud.info("vswitch", ["exists", "up", "actual_mtu"])
    return found


def test_a_bridge_of_somebody_else_is_not_the_vswitch(cloud: Node) -> None:
    none = {"exists": False, "up": None, "actual_mtu": None}
    assert _vswitch(cloud) == none
    mac = mac_of(cloud.vswitch)
    ours = BridgeState("svswitch10", mac, 9000, True)
    cloud.links.bridges["svswitch10"] = dataclasses.replace(ours, mac="52:54:00:00:00:01")
    assert _vswitch(cloud) == none
    cloud.links.bridges["svswitch10"] = ours
    assert _vswitch(cloud) == {"exists": True, "up": True, "actual_mtu": 9000}


def test_an_instance_counts_once_in_a_port_group(cloud: Node) -> None:
    more = {"instance_id": cloud.instance, "port_group_id": cloud.group}
    cloud.add("network_device", name="net1", mac="52:55", **more)
    cloud.add_instance("web2")
    assert cloud.one("port_group", "instance_count") == 2


# Instances


@pytest.mark.parametrize("power", ["running", "paused", "stopped"])
def test_the_state_of_an_instance_is_its_domain_s(power: str, cloud: Node) -> None:
    cloud.run(cloud.add_instance("web2"), power)
    (found,) = cloud.info("instance", name="web2")
    assert found["state"] == power
    assert found["accelerator"] == (None if power == "stopped" else "tcg")
    assert cloud.libvirt.calls["XMLDesc"] == (0 if power == "stopped" else 1)


def test_an_instance_without_a_domain_is_missing(cloud: Node) -> None:
    web2 = cloud.add_instance("web2")
    cloud.run(web2, "running", uuid=ids.uuid_of("somebody else's"))
    (found,) = cloud.info("instance", name="web2")
    assert (found["state"], found["accelerator"], found["uptime"]) == ("missing", None, None)
    assert found["console"]["vnc"] is None


def test_of_an_instance_on_another_node_the_state_is_not_known(cloud: Node) -> None:
    cloud.add_instance("far", node_id=cloud.add_node("node2"))
    (found,) = cloud.info("instance", name="far")
    assert (found["state"], found["accelerator"], found["uptime"]) == (None, None, None)
    assert found["deployment_duration"] == 2 * 86400
    assert not cloud.libvirt.calls


def test_an_instance_tells_how_to_open_its_console(cloud: Node) -> None:
    (found,) = cloud.info("instance")
    assert found["console"] == {
        "serial": "virsh -c qemu:///system console web1",
        "log": f"/nonexistent/log/console/{cloud.instance}.log",
        "vnc": "/run/vnc.sock",
    }
    assert found["accelerator"] == "tcg"
    assert found["vcpus"] == 4
    assert [item["port_group"] for item in found["networks"]] == ["lan"]
    assert [item["name"] for item in found["volumes"]] == ["web1-root"]


def test_uptime_is_the_process_s(tmp_path: Path) -> None:
    file = tmp_path / "web1.pid"
    file.write_text(f"{os.getpid()}\n")
    seconds = seconds_since_start(str(file))
    assert seconds is not None
    assert 0 <= seconds < 3600


@pytest.mark.parametrize("content", [None, "", "x", "999999999"])
def test_uptime_is_unknown_without_a_process(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "web1.pid"
    if content is not None:
        file.write_text(content)
    assert seconds_since_start(str(file)) is None
