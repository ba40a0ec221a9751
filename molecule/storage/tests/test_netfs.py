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
def test_an_instance_runs_from_it_and_its_volume_grows_meanwhile(
    node: Machine, server: Machine, name: str
) -> None:
    for pool in (nfs, cifs):
        stem = f"{name}-{pool.__name__}"
        node.ok("storage_pool", **pool(server, stem))
        root = {"name": "root", "storage_pool": stem, "size": "8MiB"}
        machine = {"name": stem, "memory": "32MiB", "volumes": [root]}
        node.ok("instance", **machine, state="started")
        node.ok("volume", **{**root, "size": "12MiB"})
        assert f"{12 * MIB}" in node.run("virsh", "-q", "domblkinfo", stem, "vda")
        node.ok("instance", name=stem, state="killed")
        node.ok("instance", name=stem, state="absent", destroy_volumes=True)


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
def test_a_server_that_goes_away_is_told_and_its_return_repairs_without_loss(
    node: Machine, server: Machine, name: str
) -> None:
    node.ok("storage_pool", **nfs(server, name))
    node.ok("volume", name="data", storage_pool=name, size="4MiB")
    server.run("systemctl", "stop", "nfs-server")
    result = node.task("storage_pool_propagation")
    assert result.failed
    assert f"server {server.address} port 2049 cannot be reached" in result.message
    assert result["storage_pools"][0]["branch"] == "start"
    server.run("systemctl", "start", "nfs-server")
    repaired = node.ok("storage_pool_propagation")
    assert repaired["storage_pools"][0]["error"] is None
    assert status(node, name) == ("available", None)
    (found,) = node.ok("volume_info", name="data", storage_pool=name)["volumes"]
    assert found["exists"]
    assert not node.ok("volume", name="data", storage_pool=name, size="4MiB")["changed"]


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
    points = None
    for number in range(1, 30):
        stem = f"{name}-{number}"
        other.ok("storage_pool", **nfs(server, stem))
        if points is None:
            points = node.raw("storage_pool_propagation", die_at=0)["points"]
            continue
        if number > len(points):
            break
        node.raw("storage_pool_propagation", {"storage_pools": [stem]}, die_at=number)
        node.ok("storage_pool_propagation")
        assert status(node, stem) == ("available", None), points[number - 1]
        assert not node.ok("storage_pool_propagation")["changed"]
        node.ok("storage_pool", name=stem, state="absent")
