"""A pool that three nodes share: what one puts there the others have; a dead node stops none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from storage.tests.machine import Machine, status

NODES = ["node1", "node2", "node3"]
CONTENT = b"what node1 wrote\n" * 4096


def on_nodes(machine: Machine, pool: str) -> dict[str, tuple[str, str | None]]:
    """How the pool is on each node."""
    (found,) = machine.ok("storage_pool_info", name=pool)["storage_pools"]
    return {item["name"]: (item["status"], item["reason"]) for item in found["nodes"]}


def test_pool_is_available_on_all_nodes_which_look_at_it_at_intervals(
    machines: dict[str, Machine],
) -> None:
    for machine in machines.values():
        assert status(machine, "shared") == ("available", None)
        assert sorted(on_nodes(machine, "shared")) == NODES
        assert (
            machine.run("findmnt", "-no", "FSTYPE", "/var/lib/pextra-ce/pools/shared") == "nfs4\n"
        )
        unit = "pextra-ce-storage-pools.timer"
        assert machine.run("systemctl", "is-active", unit) == "active\n"
        assert machine.run("systemctl", "is-enabled", unit) == "enabled\n"


def test_volume_of_one_node_is_seen_on_another_with_its_content(
    machines: dict[str, Machine],
) -> None:
    first, third = machines["node1"], machines["node3"]
    volume = {"name": "common", "storage_pool": "shared", "size": "1MiB", "format": "raw"}
    first.ok("volume", **volume)
    path = first.ok("volume_info", name="common")["volumes"][0]["path"]
    first.run("dd", f"of={path}", "conv=notrunc,fsync", "status=none", given=CONTENT)
    (found,) = third.ok("volume_info", name="common")["volumes"]
    assert found["path"] == path
    assert third.run("head", "-c", str(len(CONTENT)), found["path"]).encode() == CONTENT
    first.ok("volume", name="common", storage_pool="shared", state="absent")
    assert found["id"] not in third.run("ls", "/var/lib/pextra-ce/pools/shared")


@pytest.fixture
def second(lab: Any, machines: dict[str, Machine]) -> Iterator[str]:
    """The name of a pool that is gone afterwards."""
    yield "second"
    machines["node1"].ok("storage_pool", name="second", state="absent")
    for name in ("node2", "node3"):
        machines[name].ok("storage_pool_propagation", storage_pools=["second"])
    assert "second" not in str(machines["node1"].ok("storage_pool_info", fields=["name"]))


def test_node_that_dies_while_it_propagates_stops_no_other_and_is_repaired(
    lab: Any, machines: dict[str, Machine], second: str, until: Any
) -> None:
    first, other, dying = machines.values()
    server = lab.topology.node("server").address
    # Its packets to the server get lost: propagation waits for an answer until the node dies.
    dying.run("ip", "neighbour", "replace", server, "lladdr", "02:00:00:00:00:0e", "dev", "vec0")
    options = {"server": server, "export": "/srv/second"}
    first.ok("storage_pool", name=second, type="netfs", options=options, nodes=NODES)
    assert status(first, second)[0] == "pending"
    job = threading.Thread(
        target=lambda: dying.run(
            "systemctl", "start", "pextra-ce-storage-pools.service", check=False
        )
    )
    job.start()
    waits = ("ss", "-Hn", "state", "syn-sent", "dst", f"{server}:2049")
    until(lambda: server in dying.run(*waits, check=False))
    lab.kill("node3")
    dying.disconnect()
    job.join()

    assert not other.task("storage_pool_propagation").failed
    text, reason = status(first, second)
    assert (text, "node3: " in str(reason)) == ("pending", True), (text, reason)
    assert on_nodes(first, second)["node2"] == ("available", None)
    assert "node2" not in str(reason)
    first.ok("volume", name="meanwhile", storage_pool=second, size="1MiB")
    first.ok("volume", name="meanwhile", storage_pool=second, state="absent")

    lab.start("node3")
    until(lambda: status(first, second) == ("available", None))  # its timer saw to it
    assert dying.run("findmnt", "-no", "FSTYPE", f"/var/lib/pextra-ce/pools/{second}") == "nfs4\n"
