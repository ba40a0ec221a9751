"""Storage pools on volume groups, thick and thin, on real disks."""

from __future__ import annotations

from typing import Any

import pytest
from storage.tests.machine import Machine, status

MIB = 1 << 20


@pytest.fixture
def group(node: Machine, name: str) -> str:
    """A volume group of the pool's name, with somebody else's volume in it; the only one."""
    node.script(
        "vgs --noheadings -o vg_name | xargs -r -n1 vgremove -ffqy; wipefs -qa /dev/ubdb; "
        f"vgcreate -qy {name} /dev/ubdb; "
        f"lvcreate -qy -L 8M -n theirs {name}; echo precious > /dev/{name}/theirs; sync"
    )
    return name


@pytest.fixture
def thin(node: Machine, group: str) -> str:
    """The group with a thin pool."""
    node.run("lvcreate", "-qy", "--type", "thin-pool", "-n", "thin", "-L", "512M", group)
    return group


def pool(name: str, **options: Any) -> dict[str, Any]:
    """Options of a pool."""
    return {"name": name, "type": "lvm", "options": options, "nodes": ["node1"]}


def device(node: Machine, volume: str) -> str:
    """Where a volume is."""
    (found,) = node.ok("volume_info", name=volume)["volumes"]
    return str(found["path"])


def write(node: Machine, path: str, text: str) -> None:
    """Write to the beginning of a device, and flush."""
    node.script(f"printf %s {text} | dd of={path} conv=notrunc,fsync status=none")


def begins(node: Machine, path: str, text: str) -> bool:
    """Whether a device begins so."""
    return node.script(f"dd if={path} bs={len(text)} count=1 iflag=fullblock status=none") == text


@pytest.mark.usefixtures("left")
def test_a_volume_group_that_is_missing_is_refused_naming_the_node(
    node: Machine, other: Machine, group: str
) -> None:
    result = node.refused("storage_pool", **pool("nowhere"))
    assert "on node node1: there is no volume group nowhere" in result.message
    assert node.sql("SELECT 1 FROM storage_pools WHERE name = 'nowhere'") == []
    node.ok("storage_pool", **{**pool(group), "nodes": ["node1", "node2"]})
    result = other.task("storage_pool_propagation")
    assert result.failed
    state, reason = status(node, group)
    assert state == "error"
    assert str(reason).startswith(f"node2: there is no volume group {group}")


@pytest.mark.usefixtures("left")
def test_life_of_a_thick_volume(node: Machine, group: str) -> None:
    options = pool(group)
    node.ok("storage_pool", **options)
    assert not node.ok("storage_pool", **options)["changed"]
    assert status(node, group) == ("available", None)
    volume = {"name": "data", "storage_pool": group, "size": "10MiB"}
    result = node.ok("volume", **volume)
    assert result["volume"]["format"] == "raw"
    assert not node.ok("volume", **volume)["changed"]
    path = device(node, "data")
    write(node, path, "content")
    assert node.ok("volume", **{**volume, "size": "30MiB"}).actions[-1] == "volume grow"
    assert int(node.run("blockdev", "--getsize64", path)) >= 30 * MIB
    assert begins(node, path, "content")
    assert "shrink" in node.refused("volume", **volume).message
    assert "qcow2" in node.refused("volume", **{**volume, "name": "x", "format": "qcow2"}).message
    refused = node.refused("volume_snapshot", name="s", volume="data", storage_pool=group)
    assert "without thin_pool" in refused.message
    node.ok("volume", name="data", storage_pool=group, state="absent")
    assert node.run("lvs", "--noheadings", "-o", "lv_name", group).split() == ["theirs"]
    node.ok("storage_pool", name=group, state="absent")
    assert begins(node, f"/dev/{group}/theirs", "precious"), "others' volumes stay active"


@pytest.mark.usefixtures("left")
def test_data_that_is_missing_is_an_error(node: Machine, group: str) -> None:
    node.ok("storage_pool", **pool(group))
    volume = {"name": "data", "storage_pool": group, "size": "4MiB"}
    node.ok("volume", **volume)
    node.run("lvremove", "-qy", device(node, "data").removeprefix("/dev/"))
    assert "data is missing" in node.refused("volume", **volume).message
    assert node.ok("volume", **volume, recreate_missing=True)["changed"]


@pytest.mark.usefixtures("left")
def test_a_thin_volume_takes_little_and_has_snapshots(node: Machine, thin: str) -> None:
    node.ok("storage_pool", **pool(thin, thin_pool="thin"))
    node.ok("volume", name="data", storage_pool=thin, size="1GiB")
    (found,) = node.ok("volume_info", name="data")["volumes"]
    assert found["actual_size"] == 1024 * MIB
    assert found["allocated"] < 16 * MIB
    path = found["path"]
    write(node, path, "before")
    first = {"name": "first", "volume": "data", "storage_pool": thin}
    assert node.ok("volume_snapshot", **first)["changed"]
    assert not node.ok("volume_snapshot", **first)["changed"]
    write(node, path, "after.")
    node.ok("volume", name="data", storage_pool=thin, size="2GiB")
    for _again in range(2):
        node.ok("volume_snapshot", **first, state="reverted")
        assert begins(node, path, "before")
        assert int(node.run("blockdev", "--getsize64", path)) == 2048 * MIB
        write(node, path, "after.")
    (listed,) = node.ok("volume_snapshot_info", volume="data")["volume_snapshots"]
    assert listed["exists"]
    node.ok("volume_snapshot", **first, state="absent")
    assert begins(node, path, "after.")
    names = node.run("lvs", "--noheadings", "-o", "lv_name", thin).split()
    assert sorted(names) == sorted(["theirs", "thin", found["id"]])


@pytest.mark.usefixtures("left")
def test_a_thin_pool_that_is_missing_is_refused(node: Machine, group: str) -> None:
    result = node.refused("storage_pool", **pool(group, thin_pool="none"))
    assert f"volume group {group} has no thin pool none" in result.message


@pytest.mark.usefixtures("left")
def test_a_running_instance_sees_its_disk_grow_and_has_another_plugged_in_and_out(
    node: Machine, group: str
) -> None:
    node.ok("storage_pool", **pool(group))
    root = {"name": "root", "storage_pool": group, "size": "8MiB"}
    node.ok(
        "instance", name=group, memory="32MiB", volumes=[{**root, "format": "raw"}],
        state="started",
    )  # fmt: skip
    node.ok("volume", **{**root, "size": "16MiB"})
    assert f"{16 * MIB}" in node.run("virsh", "-q", "domblkinfo", group, "vda")
    data = {"name": "data", "storage_pool": group, "size": "4MiB", "instance": group, "bus": "scsi"}
    node.ok("volume", **data, state="attached")
    assert device(node, "data") in node.run("virsh", "-q", "domblklist", group)
    assert not node.ok("volume", **data, state="attached")["changed"]
    node.ok("volume", name="data", storage_pool=group, state="detached")
    assert device(node, "data") not in node.run("virsh", "-q", "domblklist", group)
    node.ok("instance", name=group, state="killed")
    node.ok("volume", **data, state="attached")
    assert device(node, "data") in node.run("virsh", "-q", "domblklist", group)
    node.ok("volume", name="data", storage_pool=group, state="detached")
    assert device(node, "data") not in node.run("virsh", "-q", "domblklist", group)


@pytest.mark.usefixtures("left")
def test_a_group_without_room_is_a_clear_error_and_leaves_nothing(
    node: Machine, group: str
) -> None:
    node.ok("storage_pool", **pool(group))
    result = node.refused("volume", name="big", storage_pool=group, size="1TiB")
    assert "insufficient" in result.message.lower()
    node.ok("volume", name="big", storage_pool=group, state="absent")
    assert node.run("lvs", "--noheadings", "-o", "lv_name", group).split() == ["theirs"]


@pytest.mark.usefixtures("left")
def test_a_thin_pool_that_is_full_is_a_clear_error_and_room_repairs(
    node: Machine, group: str
) -> None:
    node.run("lvcreate", "-qy", "--type", "thin-pool", "-n", "small", "-L", "16M", group)
    # Not with lvcreate, which does not know that it can before the kernel has its module.
    node.run("lvchange", "-qy", "--errorwhenfull", "y", f"{group}/small")
    node.ok("storage_pool", **pool(group, thin_pool="small"))
    node.image("/root/random", "", 32, full=True)
    volume = {"name": "data", "storage_pool": group, "image": "/root/random", "size": "32MiB"}
    result = node.refused("volume", **volume)
    assert "no space" in result.message.lower() or "error" in result.message.lower()
    names = node.run("lvs", "--noheadings", "-o", "lv_name", group).split()
    assert sorted(names) == ["small", "theirs"]
    node.run("lvextend", "-qy", "-L", "64M", f"{group}/small")
    assert node.ok("volume", **volume)["changed"]
    assert node.run("cmp", "-n", "33554432", "/root/random", device(node, "data")) == ""


@pytest.mark.usefixtures("left")
def test_a_volume_is_filled_from_an_image_complete_or_not_at_all(node: Machine, group: str) -> None:
    node.ok("storage_pool", **pool(group))
    node.image("/root/i", "content", 4)
    volume = {"name": "filled", "storage_pool": group, "image": "/root/i", "size": "8MiB"}
    points = node.raw("volume", volume, die_at=0)["points"]
    node.ok("volume", name="filled", storage_pool=group, state="absent")
    # After a commit nothing happens before the next point: the node is the same at both.
    for number in [at for at, point in enumerate(points, 1) if point != "committed"]:
        node.raw("volume", volume, die_at=number)
        node.ok("volume", **volume)
        path = device(node, "filled")
        assert node.run("cmp", "-n", "4194304", "/root/i", path) == "", points[number - 1]
        node.ok("volume", name="filled", storage_pool=group, state="absent")
        assert node.run("lvs", "--noheadings", "-o", "lv_name", group).split() == ["theirs"]
