"""Storage pools on NFS and CIFS servers."""

from __future__ import annotations

from typing import Any

import pytest
from storage.tests.machine import Machine, status

MIB = 1 << 20


def nfs(server: Machine, name: str) -> dict[str, Any]:
    """Options of a pool on the NFS server."""
    options = {"server": server.address, "export": "/srv/nfs"}
    return {"name": name, "type": "netfs", "options": options, "nodes": ["node1"]}


def cifs(server: Machine, name: str, password: str = "cifs-secret") -> dict[str, Any]:
    """Options of a pool on the CIFS server."""
    options = {
        "server": server.address, "export": "images", "protocol": "cifs", "username": "files",
        "password": password,
    }  # fmt: skip
    return {"name": name, "type": "netfs", "options": options, "nodes": ["node1"]}


@pytest.mark.parametrize("pool", [nfs, cifs])
@pytest.mark.usefixtures("left")
def test_life_of_a_pool_and_its_volumes(
    pool: Any, node: Machine, server: Machine, name: str
) -> None:
    options = pool(server, name)
    said = node.task("storage_pool", options, check=True)
    assert not said.failed, said.message
    done = node.ok("storage_pool", **options)
    assert [step["action"] for step in said["plan"]] == [step["action"] for step in done["plan"]]
    assert not node.ok("storage_pool", **options)["changed"]
    assert status(node, name) == ("available", None)
    volume = {"name": "data", "storage_pool": name, "size": "8MiB"}
    assert node.ok("volume", **volume)["changed"]
    assert not node.ok("volume", **volume)["changed"]
    assert node.ok("volume", **{**volume, "size": "16MiB"})["changed"]
    (found,) = node.ok("volume_info", name="data", storage_pool=name)["volumes"]
    assert found["actual_size"] == 16 * MIB
    assert found["path"].startswith(f"/var/lib/pextra-ce/pools/{name}/")
    there = "/srv/nfs" if pool is nfs else "/srv/cifs"
    assert found["id"] in server.run("ls", there)
    node.ok("volume", name="data", storage_pool=name, state="absent")
    node.ok("storage_pool", name=name, state="absent")
    assert name not in node.run("findmnt", "--raw")
    assert name not in node.run("virsh", "-q", "pool-list", "--all", "--name")


@pytest.mark.usefixtures("left")
def test_the_password_is_nowhere_but_in_a_file_of_root_s(
    node: Machine, server: Machine, name: str
) -> None:
    result = node.task("storage_pool", cifs(server, name), diff=True)
    assert "cifs-secret" not in str({**result, "invocation": None})
    found = node.ok("storage_pool_info", name=name)
    assert "cifs-secret" not in str(found)
    assert "cifs-secret" not in str(node.sql("SELECT * FROM audit_log"))
    assert "cifs-secret" not in node.run("virsh", "pool-dumpxml", name)
    assert "cifs-secret" not in node.run("cat", "/proc/self/mountinfo")
    files = node.run(
        "grep", "-rl", "cifs-secret", "/etc/pextra-ce", "/etc/libvirt", "/var/lib/pextra-ce"
    )
    (path,) = files.split()
    assert node.run("stat", "-c", "%a %U", path).split() == ["600", "root"]


@pytest.mark.usefixtures("left")
def test_a_wrong_password_is_told_and_the_right_one_repairs(
    node: Machine, server: Machine, name: str
) -> None:
    result = node.refused("storage_pool", **cifs(server, name, "wrong-secret"))
    assert "ermission denied" in result.message
    assert "wrong-secret" not in result.message
    assert node.task("storage_pool_propagation").failed
    state, reason = status(node, name)
    assert state == "error"
    assert "node1" in str(reason)
    assert "ermission denied" in str(reason)
    assert node.ok("storage_pool", **cifs(server, name))["changed"]
    assert status(node, name) == ("available", None)
    assert not node.ok("storage_pool", **cifs(server, name))["changed"]


@pytest.mark.usefixtures("left")
def test_a_target_path_that_is_mounted_already_is_refused_and_left_alone(
    node: Machine, server: Machine, name: str
) -> None:
    path = f"/srv/{name}"
    node.script(f"mkdir {path} && mount -t tmpfs theirs {path} && touch {path}/precious")
    options = nfs(server, name)
    options["options"]["path"] = path
    try:
        result = node.refused("storage_pool", **options)
        assert f"{path} is taken: theirs is mounted there" in result.message
        assert "node node1" in result.message
        assert node.run("ls", path).split() == ["precious"]
        assert name not in node.run("virsh", "-q", "pool-list", "--all", "--name")
    finally:
        node.run("umount", path)
    assert node.ok("storage_pool", **options)["changed"]


@pytest.mark.usefixtures("left")
def test_a_server_that_does_not_answer_is_refused_soon(node: Machine, name: str) -> None:
    options = {"server": "10.97.0.99", "export": "/srv/nfs"}
    result = node.refused("storage_pool", name=name, type="netfs", options=options, nodes=["node1"])
    assert "server 10.97.0.99 port 2049 cannot be reached" in result.message
    assert node.sql("SELECT 1 FROM storage_pools WHERE name = %s", name) == []


@pytest.mark.usefixtures("left")
def test_the_other_node_gets_it_by_propagation(
    node: Machine, other: Machine, server: Machine, name: str
) -> None:
    options = {**nfs(server, name), "nodes": ["node1", "node2"]}
    result = node.ok("storage_pool", **options)
    assert [item["status"] for item in result["storage_pool"]["nodes"]] == ["ready", "pending"]
    assert status(node, name) == ("pending", "node2: the node has not made it yet")
    (done,) = other.ok("storage_pool_propagation")["storage_pools"]
    assert (done["branch"], done["error"]) == ("realise", None)
    assert status(node, name) == ("available", None)
    assert not other.ok("storage_pool_propagation")["changed"]
    node.ok("storage_pool", name=name, state="absent")
    assert status(node, name) == ("deleting", "node2: it is being removed from the node")
    (done,) = other.ok("storage_pool_propagation")["storage_pools"]
    assert done["branch"] == "remove"
    assert node.ok("storage_pool_info", name=name)["storage_pools"] == []


@pytest.mark.usefixtures("left")
def test_a_server_that_refuses_is_told_and_its_return_repairs(
    node: Machine, server: Machine, name: str
) -> None:
    node.ok("storage_pool", **nfs(server, name))
    node.run("umount", f"/var/lib/pextra-ce/pools/{name}")
    server.run("systemctl", "stop", "nfs-server")
    try:
        result = node.task("storage_pool_propagation")
        assert result.failed
        assert f"server {server.address} port 2049 cannot be reached" in result.message
        assert result["storage_pools"][0]["branch"] == "start"
    finally:
        server.run("systemctl", "start", "nfs-server")
    node.ok("storage_pool_propagation")
    assert status(node, name) == ("available", None)


@pytest.mark.parametrize("pool", [nfs, cifs])
@pytest.mark.usefixtures("left")
def test_an_instance_runs_from_it_and_a_server_that_vanishes_meanwhile_loses_nothing(
    pool: Any, node: Machine, server: Machine, name: str
) -> None:
    node.ok("storage_pool", **pool(server, name))
    root = {"name": "root", "storage_pool": name, "size": "8MiB", "format": "raw"}
    node.ok("instance", name=name, memory="32MiB", volumes=[root], state="started")
    node.ok("volume", **{**root, "size": "12MiB"})
    assert f"{12 * MIB}" in node.run("virsh", "-q", "domblkinfo", name, "vda")
    (found,) = node.ok("volume_info", name="root", storage_pool=name)["volumes"]
    node.script(f"printf precious | dd of={found['path']} bs=8 seek=9 conv=notrunc,fsync")
    node.lose(server)
    try:
        state, reason = status(node, name)
        assert (state, "did not answer within 10 seconds" in str(reason)) == ("error", True)
        result = node.task("storage_pool_propagation")
        assert result.failed
        assert f"server {server.address} port" in result.message
        assert "cannot be reached" in result.message
        assert "running" in node.run("virsh", "domstate", name), "it is not our node that failed"
        assert found["path"] in node.run("virsh", "-q", "domblklist", name)
    finally:
        node.find(server)
    node.until(lambda: node.task("storage_pool_propagation")["storage_pools"][0]["error"] is None)
    assert status(node, name) == ("available", None)
    read = f"dd if={found['path']} bs=8 skip=9 count=1 status=none"
    assert node.script(read) == "precious"
    assert not node.ok("instance", name=name, state="started")["changed"]


@pytest.mark.usefixtures("left")
def test_a_server_whose_disk_is_full_is_a_clear_error_and_room_repairs(
    node: Machine, server: Machine, name: str
) -> None:
    node.ok("storage_pool", **nfs(server, name))
    node.image("/root/random", "", 32, full=True)
    volume = {
        "name": "data", "storage_pool": name, "image": "/root/random", "format": "raw",
        "size": "32MiB",
    }  # fmt: skip
    # Blocks of removed files are free when the journal is written, and only then counted.
    server.script("sync; fallocate -l $(($(df -B1 --output=avail /srv/nfs | tail -1) - 8388608)) "
                  "/srv/nfs/filler")  # fmt: skip
    try:
        result = node.refused("volume", **volume)
        assert "No space left" in result.message
        assert "vol-" not in server.run("ls", "/srv/nfs"), "nothing half done is left"
    finally:
        server.run("rm", "/srv/nfs/filler")
    assert node.ok("volume", **volume)["changed"]
    (found,) = node.ok("volume_info", name="data", storage_pool=name)["volumes"]
    assert node.run("cmp", "/root/random", found["path"]) == ""


@pytest.mark.usefixtures("left")
def test_what_somebody_unmounted_is_mounted_again(
    node: Machine, server: Machine, name: str
) -> None:
    node.ok("storage_pool", **nfs(server, name))
    node.run("umount", f"/var/lib/pextra-ce/pools/{name}")
    assert status(node, name)[0] == "error"
    (done,) = node.ok("storage_pool_propagation")["storage_pools"]
    assert done["branch"] == "start"
    assert status(node, name) == ("available", None)


@pytest.mark.usefixtures("left")
def test_killed_anywhere_the_next_run_finishes(
    node: Machine, other: Machine, server: Machine, name: str
) -> None:
    def propagate(die_at: int) -> list[str]:
        other.ok("storage_pool", **nfs(server, name))
        raw = node.raw("storage_pool_propagation", die_at=die_at)
        if die_at:
            assert raw["signal"] == 9
            node.ok("storage_pool_propagation")
        assert status(node, name) == ("available", None), die_at
        assert not node.ok("storage_pool_propagation")["changed"], die_at
        node.ok("storage_pool", name=name, state="absent")
        return list(raw["points"])

    points = propagate(0)
    first = points.index("virConnect.storagePoolDefineXML")
    last = points.index("virStoragePool.setAutostart")
    for number in range(first, last + 1):  # of the rest, test_propagation.py tells
        propagate(number + 1)


@pytest.mark.usefixtures("left")
def test_one_export_is_not_mounted_by_two_pools(node: Machine, server: Machine, name: str) -> None:
    node.ok("storage_pool", **nfs(server, name))
    result = node.refused("storage_pool", **nfs(server, f"{name}-2"))
    assert f'conflicts with pool "{name}": export {server.address}:/srv/nfs' in result.message
