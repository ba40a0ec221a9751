"""A cloud of two nodes with one database, and a server of NFS, CIFS and iSCSI, all of them real."""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from storage.tests.machine import Machine, inventory
from storage.tests.servers import CEPH, POSTGRES, SERVER

NODES = ("node1", "node2")
DATABASE = "host={} dbname=pextra_ce user=pextra_ce sslrootcert=/root/lab-ca.crt"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave ZFS out where nodes have none: test_zfs.py says how they get it."""
    if not os.environ.get("PEXTRA_CE_TEST_ZFS"):
        zfs = [item for item in items if item.path.name == "test_zfs.py"]
        config.hook.pytest_deselected(items=zfs)
        items[:] = [item for item in items if item not in zfs]


def _certificate(address: str) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key"), Path(folder, "crt")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
             "-subj", "/CN=lab", "-addext", f"subjectAltName=IP:{address}",
             "-keyout", str(key), "-out", str(certificate)],
            check=True, capture_output=True,
        )  # fmt: skip
        return key.read_text(), certificate.read_text()


@pytest.fixture(scope="session")
def machines() -> Iterator[dict[str, Machine]]:
    """The lab's nodes by name, all made ready at the same time.

    Those that are to be nodes of the cloud have the collection, and the first has the database.
    """
    hosts = inventory()["all"]["children"]["lab"]
    arguments = hosts["vars"]["ansible_ssh_common_args"].split()
    found = {
        name: Machine(name, Path(arguments[1]), host["lab_address"])
        for name, host in hosts["hosts"].items()
    }
    with ThreadPoolExecutor() as pool:
        work = [pool.submit(_make_node, found[name], found[NODES[0]]) for name in NODES]
        work += [pool.submit(found["server"].script, SERVER)]
        work += [pool.submit(_make_database, found)]
        for item in work:
            item.result()
    yield found
    for machine in found.values():
        machine.stop()


def _make_node(node: Machine, first: Machine) -> None:
    node.install()
    node.put("/root/.pgpass", f"{first.address}:5432:pextra_ce:pextra_ce:lab\n", "0600")
    node.database = DATABASE.format(first.address)
    node.script("systemctl start libvirtd && virsh -q list >/dev/null")


def _make_database(machines: dict[str, Machine]) -> None:
    first = machines[NODES[0]]
    key, certificate = _certificate(first.address)
    first.put("/root/server.key", key, "0600")
    first.put("/root/server.crt", certificate)
    for name in NODES:
        machines[name].put("/root/lab-ca.crt", certificate)
    first.script(POSTGRES)


@pytest.fixture(scope="session")
def server(machines: dict[str, Machine]) -> Machine:
    """The server, with its services."""
    return machines["server"]


@pytest.fixture(scope="session")
def ceph(ceph_made: Future[str] | None, server: Machine) -> Machine:
    """The server, with its Ceph cluster."""
    assert ceph_made is not None
    ceph_made.result()
    return server


@pytest.fixture(scope="session")
def ceph_made(request: pytest.FixtureRequest, server: Machine) -> Iterator[Future[str] | None]:
    """The making of a Ceph cluster on the server, beside the tests that do without it."""
    if not any("ceph" in getattr(item, "fixturenames", ()) for item in request.session.items):
        yield None
        return
    with ThreadPoolExecutor() as pool:
        yield pool.submit(server.script, CEPH)


@pytest.fixture(scope="session")
def cloud(machines: dict[str, Machine], ceph_made: Future[str] | None) -> dict[str, Machine]:
    """The nodes, registered in one cluster whose database is on the first."""
    first = machines[NODES[0]]
    first.ok("database", state="migrated")
    first.ok("organization", name="org")
    first.ok("datacenter", name="dc")
    first.ok("cluster", name="cluster")
    for name in NODES:
        machines[name].ok("node", name=name)
    return machines


@pytest.fixture
def node(cloud: dict[str, Machine]) -> Machine:
    """The first node."""
    return cloud[NODES[0]]


@pytest.fixture
def other(cloud: dict[str, Machine]) -> Machine:
    """The second node."""
    return cloud[NODES[1]]


@pytest.fixture
def name() -> str:
    """A name that nothing else has."""
    return f"t{secrets.token_hex(4)}"


KINDS = {
    "instance": "instances", "storage_pool": "storage_pools", "volume": "volumes",
    "volume_snapshot": "volume_snapshots",
}  # fmt: skip
_LEFT = " UNION ALL ".join(f"SELECT '{kind}' AS kind, id FROM {KINDS[kind]}" for kind in KINDS)


@pytest.fixture
def left(node: Machine, other: Machine, server: Machine) -> Iterator[None]:
    """Removes, afterwards, whatever instances, pools, volumes and snapshots of them there are."""
    yield
    rows = node.sql(_LEFT)
    alive = node.sql("SELECT id FROM instances WHERE status <> 'deleting'")
    instances = [{"kind": "instance", "id": row["id"], "state": "killed"} for row in alive]
    if instances:
        node.ok("apply", resources=instances)
    if rows:
        node.ok("apply", resources=[{**row, "state": "absent"} for row in rows])
    if node.sql("SELECT 1 FROM storage_pools"):
        other.ok("storage_pool_propagation")
    assert node.sql("SELECT name FROM storage_pools") == []
    for machine in (node, other) if rows else ():
        assert machine.run("findmnt", "-t", "nfs,nfs4,cifs", check=False) == ""
