"""Storage pools on ZFS pools, on a real disk.

Debian has ZFS as source alone (zfs-dkms, component contrib), so the lab's nodes are without it:
these tests run where PEXTRA_CE_TEST_ZFS names an archive with the modules for user-mode Linux and
the programs, which is unpacked on the node; docs/storage.md says how it is made.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from storage.tests.machine import Machine, status

MIB = 1 << 20


@pytest.fixture(scope="module")
def zfs(cloud: dict[str, Machine]) -> Machine:
    """The first node, with ZFS."""
    node = cloud["node1"]
    archive = Path(os.environ["PEXTRA_CE_TEST_ZFS"]).read_bytes()
    node.run("tar", "-C", "/", "--keep-directory-symlink", "-xf", "-", given=archive)
    node.script("ldconfig; depmod -a; modprobe zfs; udevadm control --reload; test -c /dev/zfs")
    node.run("systemctl", "restart", "libvirtd")  # it has a driver for it now
    return node


@pytest.fixture
def tank(zfs: Machine, name: str) -> str:
    """A ZFS pool of the storage pool's name, with somebody else's volume in it; the only one."""
    zfs.script(
        "zpool list -H -o name | xargs -r -n1 zpool destroy; wipefs -qa /dev/ubdc;"
        f" zpool create -f -m none {name} /dev/ubdc;"
        f" zfs create -V 8M {name}/theirs"
    )
    return name


def pool(name: str, **options: Any) -> dict[str, Any]:
    """Options of a pool."""
    return {"name": name, "type": "zfs", "options": options, "nodes": ["node1"]}


def write(node: Machine, path: str, text: str) -> None:
    """Write to the beginning of a device, and flush."""
    node.script(f"printf %s {text} | dd of={path} conv=notrunc,fsync status=none")


def begins(node: Machine, path: str, text: str) -> bool:
    """Whether a device begins so."""
    return node.script(f"dd if={path} bs={len(text)} count=1 iflag=fullblock status=none") == text


def names(node: Machine, tank: str) -> list[str]:
    """The volumes and snapshots in a ZFS pool."""
    listed = node.run("zfs", "list", "-H", "-r", "-t", "volume,snapshot", "-o", "name", tank)
    return sorted(line.removeprefix(f"{tank}/") for line in listed.splitlines())


@pytest.mark.usefixtures("left")
def test_a_zfs_pool_that_is_missing_is_refused_naming_the_node(node: Machine, zfs: Machine) -> None:
    result = node.refused("storage_pool", **pool("nowhere"))
    assert "on node node1: there is no ZFS pool nowhere" in result.message
    assert node.sql("SELECT 1 FROM storage_pools WHERE name = 'nowhere'") == []


@pytest.mark.parametrize("thin", [True, False])
@pytest.mark.usefixtures("left")
def test_life_of_a_volume_and_its_snapshots(node: Machine, tank: str, thin: bool) -> None:
    options = pool(tank, thin=thin)
    said = node.task("storage_pool", options, check=True)
    done = node.ok("storage_pool", **options)
    assert [step["action"] for step in said["plan"]] == [step["action"] for step in done["plan"]]
    assert not node.ok("storage_pool", **options)["changed"]
    assert status(node, tank) == ("available", None)
    node.image("/root/i", "before", 4)
    volume = {"name": "data", "storage_pool": tank, "size": "10MiB", "image": "/root/i"}
    node.ok("volume", **volume)
    assert not node.ok("volume", **volume)["changed"]
    (found,) = node.ok("volume_info", name="data", storage_pool=tank)["volumes"]
    path, key = found["path"], found["id"]
    assert begins(node, path, "before")
    reserved = node.run("zfs", "get", "-Hpo", "value", "refreservation", f"{tank}/{key}").strip()
    assert (reserved in ("0", "none")) == thin
    snapshot = {"name": "first", "volume": "data", "storage_pool": tank}
    assert node.ok("volume_snapshot", **snapshot)["changed"]
    assert not node.ok("volume_snapshot", **snapshot)["changed"]
    write(node, path, "after.")
    node.ok("volume_snapshot", **snapshot, state="reverted")
    assert begins(node, path, "before")
    node.ok("volume_snapshot", **snapshot, state="absent")
    assert node.ok("volume", **{**volume, "size": "30MiB"}).actions[-1] == "volume grow"
    assert int(node.run("blockdev", "--getsize64", path)) >= 30 * MIB
    assert begins(node, path, "before")
    assert "shrink" in node.refused("volume", **volume).message
    node.ok("volume", name="data", storage_pool=tank, state="absent")
    assert names(node, tank) == ["theirs"]
    node.ok("storage_pool", name=tank, state="absent")
    assert tank in node.run("zpool", "list", "-H", "-o", "name").split(), (
        "it is not ours to destroy"
    )
    assert names(node, tank) == ["theirs"]


@pytest.mark.usefixtures("left")
def test_a_running_instance_sees_its_disk_grow_and_has_another_plugged_in_and_out(
    node: Machine, tank: str
) -> None:
    node.ok("storage_pool", **pool(tank))
    root = {"name": "root", "storage_pool": tank, "size": "8MiB"}
    node.ok("instance", name=tank, memory="32MiB", volumes=[root], state="started")
    node.ok("volume", **{**root, "size": "16MiB"})
    assert f"{16 * MIB}" in node.run("virsh", "-q", "domblkinfo", tank, "vda")
    data = {"name": "data", "storage_pool": tank}
    node.ok("volume", **data, size="4MiB", instance=tank, bus="scsi", state="attached")
    (found,) = node.ok("volume_info", name="data", storage_pool=tank)["volumes"]
    assert found["path"] in node.run("virsh", "-q", "domblklist", tank)
    node.ok("volume", **data, state="detached")
    assert found["path"] not in node.run("virsh", "-q", "domblklist", tank)


@pytest.mark.usefixtures("left")
def test_a_pool_that_somebody_exported_is_told_and_its_return_repairs(
    node: Machine, tank: str
) -> None:
    node.ok("storage_pool", **pool(tank))
    node.ok("volume", name="data", storage_pool=tank, size="4MiB")
    (found,) = node.ok("volume_info", name="data", storage_pool=tank)["volumes"]
    write(node, found["path"], "precious")
    node.run("zpool", "export", tank)
    state, reason = status(node, tank)
    assert (state, f"there is no ZFS pool {tank}" in str(reason)) == ("error", True)
    node.run("zpool", "import", tank)
    node.ok("storage_pool_propagation")
    assert status(node, tank) == ("available", None)
    assert begins(node, found["path"], "precious")
