"""Nodes that see to their pools by themselves."""

from __future__ import annotations

import pytest
from storage.tests.machine import Machine, status
from storage.tests.test_netfs import nfs

from lab.fixtures import Lab

UNIT = "pextra-ce-storage-pools"


@pytest.mark.usefixtures("left")
def test_a_node_that_was_down_gets_its_pools_by_its_timer_when_it_is_back(
    lab: Lab, node: Machine, other: Machine, server: Machine, name: str
) -> None:
    other.stop()
    lab.kill("node2")
    try:
        node.ok("storage_pool", **{**nfs(server, name), "nodes": ["node1", "node2"]})
        assert not node.ok("storage_pool_propagation")["changed"], "nobody waits for another node"
        assert status(node, name) == ("pending", "node2: the node has not made it yet")
    finally:
        lab.start("node2")
    node.until(lambda: status(node, name) == ("available", None))
    assert "nfs4" in other.run("findmnt", "-no", "FSTYPE", f"/var/lib/pextra-ce/pools/{name}")
    assert other.run("systemctl", "is-enabled", f"{UNIT}.timer").strip() == "enabled"
    node.ok("storage_pool", name=name, state="absent")
    other.run("systemctl", "start", f"{UNIT}.service")
    assert node.ok("storage_pool_info", name=name)["storage_pools"] == []


def test_nodes_have_no_collection_of_their_own_any_more(node: Machine, other: Machine) -> None:
    for machine in (node, other):
        assert machine.run("find", "/usr/share/pextra-ce", "-name", "collection*") == ""
