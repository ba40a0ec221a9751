"""Storage pools in a Ceph cluster of one monitor, one manager and one OSD."""

from __future__ import annotations

from typing import Any

import pytest
from storage.tests.machine import Machine, status

MIB = 1 << 20
WRONG = "AQBhb2dcAAAAABAAiVRmsGhTVKvo9Ol5fMtMSg=="


@pytest.fixture(scope="module")
def key(ceph: Machine) -> str:
    """The cephx key of the user whom the pools log in as."""
    return ceph.run("ceph", "auth", "print-key", "client.pextra")


def pool(ceph: Machine, name: str, key: str) -> dict[str, Any]:
    """Options of a pool."""
    options = {
        "monitors": [ceph.address], "ceph_pool": "images", "username": "pextra", "key": key,
    }  # fmt: skip
    return {"name": name, "type": "rbd", "options": options, "nodes": ["node1"]}


def content(ceph: Machine, image: str, length: int = 16) -> str:
    """How an image begins, as the cluster has it."""
    return ceph.script(f"rbd export --no-progress images/{image} - | head -c {length}").strip("\0")


def write(ceph: Machine, image: str, text: str) -> None:
    """Write to the beginning of an image."""
    ceph.script(
        f"printf %s {text} > /root/part && truncate -s 4096 /root/part"
        f" && qemu-io -f raw -c 'write -s /root/part 0 4096' rbd:images/{image} >/dev/null"
    )


@pytest.mark.usefixtures("left")
def test_life_of_a_pool_its_volumes_and_their_snapshots(
    node: Machine, ceph: Machine, name: str, key: str
) -> None:
    options = pool(ceph, name, key)
    said = node.task("storage_pool", options, check=True)
    done = node.ok("storage_pool", **options)
    assert [step["action"] for step in said["plan"]] == [step["action"] for step in done["plan"]]
    assert not node.ok("storage_pool", **options)["changed"]
    assert status(node, name) == ("available", None)
    (usage,) = (item["usage"] for item in node.ok("storage_pool_info", name=name)["storage_pools"])
    assert usage["capacity"] > 0
    node.image("/root/i", "before", 4)
    volume = {"name": "data", "storage_pool": name, "size": "8MiB", "image": "/root/i"}
    made = node.ok("volume", **volume)["volume"]
    assert made["format"] == "raw"
    assert not node.ok("volume", **volume)["changed"]
    assert made["id"] in ceph.run("rbd", "ls", "images").split()
    assert content(ceph, made["id"]) == "before"
    assert node.ok("volume", **{**volume, "size": "16MiB"})["changed"]
    (found,) = node.ok("volume_info", name="data", storage_pool=name)["volumes"]
    assert found["actual_size"] == 16 * MIB
    snapshot = {"name": "first", "volume": "data", "storage_pool": name}
    assert node.ok("volume_snapshot", **snapshot)["changed"]
    assert not node.ok("volume_snapshot", **snapshot)["changed"]
    write(ceph, made["id"], "after")
    assert content(ceph, made["id"]) == "after"
    (listed,) = node.ok("volume_snapshot_info", volume="data")["volume_snapshots"]
    assert listed["exists"]
    node.ok("volume_snapshot", **snapshot, state="reverted")
    assert content(ceph, made["id"]) == "before"
    node.ok("volume_snapshot", **snapshot, state="absent")
    assert ceph.run("rbd", "snap", "ls", f"images/{made['id']}") == ""
    node.ok("volume", name="data", storage_pool=name, state="absent")
    assert ceph.run("rbd", "ls", "images") == ""
    node.ok("storage_pool", name=name, state="absent")
    assert done["storage_pool"]["id"] not in node.run("virsh", "-q", "secret-list")
    files = node.run("find", "/etc/pextra-ce/pools", "-type", "f")
    assert done["storage_pool"]["id"] not in files


@pytest.mark.usefixtures("left")
def test_an_instance_runs_from_it_grows_its_disk_and_has_another_plugged_in_and_out(
    node: Machine, ceph: Machine, name: str, key: str
) -> None:
    node.ok("storage_pool", **pool(ceph, name, key))
    root = {"name": "root", "storage_pool": name, "size": "8MiB"}
    node.ok("instance", name=name, memory="32MiB", volumes=[root], state="started")
    node.ok("volume", **{**root, "size": "16MiB"})
    assert f"{16 * MIB}" in node.run("virsh", "-q", "domblkinfo", name, "vda")
    data = {"name": "data", "storage_pool": name}
    there = {**data, "size": "4MiB", "instance": name, "bus": "scsi", "state": "attached"}
    node.ok("volume", **there)
    assert not node.ok("volume", **there)["changed"]
    (found,) = node.ok("volume_info", name="data", storage_pool=name)["volumes"]
    assert found["id"] in node.run("virsh", "-q", "domblklist", name)
    assert found["id"] in ceph.run("rbd", "ls", "images").split()
    node.ok("volume", **data, state="detached")
    assert found["id"] not in node.run("virsh", "-q", "domblklist", name)
    assert key not in node.run("virsh", "dumpxml", name)
    assert key not in node.script("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; true")


@pytest.mark.usefixtures("left")
def test_the_key_is_nowhere_but_in_libvirt_s_secret_and_a_file_of_root_s(
    node: Machine, ceph: Machine, name: str, key: str
) -> None:
    result = node.task("storage_pool", pool(ceph, name, key), diff=True)
    assert not result.failed
    assert key not in str({**result, "invocation": None})
    assert key not in str(node.ok("storage_pool_info", name=name))
    assert key not in str(node.sql("SELECT * FROM audit_log"))
    assert key not in node.run("virsh", "pool-dumpxml", name)
    secrets = node.run("virsh", "-q", "secret-list").splitlines()
    (secret,) = (line.split()[0] for line in secrets if result["storage_pool"]["id"] in line)
    assert node.run("virsh", "-q", "secret-get-value", secret).strip() == key
    files = node.run("grep", "-rlF", key, "/etc/pextra-ce", "/etc/ceph", check=False).split()
    assert len(files) == 1, "libvirt has its own, encoded"
    assert node.run("stat", "-c", "%a %U", files[0]).split() == ["600", "root"]


@pytest.mark.usefixtures("left")
def test_a_wrong_key_is_told_and_the_right_one_repairs(
    node: Machine, ceph: Machine, name: str, key: str
) -> None:
    result = node.refused("storage_pool", **pool(ceph, name, WRONG))
    assert WRONG not in result.message
    assert node.task("storage_pool_propagation").failed
    state, reason = status(node, name)
    assert state == "error"
    assert "node1: " in str(reason)
    assert node.ok("storage_pool", **pool(ceph, name, key))["changed"]
    assert status(node, name) == ("available", None)
    assert not node.ok("storage_pool_propagation")["changed"]


@pytest.mark.usefixtures("left")
def test_a_cluster_that_is_gone_is_told_and_its_return_repairs_without_loss(
    node: Machine, ceph: Machine, name: str, key: str
) -> None:
    node.ok("storage_pool", **pool(ceph, name, key))
    node.ok("volume", name="data", storage_pool=name, size="4MiB")
    ceph.run("killall", "-q", "-w", "ceph-mon")
    try:
        result = node.task("storage_pool_propagation")
        assert result.failed
        assert f"monitor {ceph.address} port 6789 cannot be reached" in result.message
        assert status(node, name)[0] == "error"
    finally:
        ceph.script("ceph-mon -i server && timeout 60 ceph health >/dev/null")
    node.ok("storage_pool_propagation")
    assert status(node, name) == ("available", None)
    assert not node.ok("volume", name="data", storage_pool=name, size="4MiB")["changed"]
