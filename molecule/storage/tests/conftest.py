"""A cloud of two nodes with one database, and a server of NFS, CIFS and iSCSI, all of them real."""

from __future__ import annotations

import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from storage.tests.machine import Machine, inventory

NODES = ("node1", "node2")
ISCSI = "iqn.2026-01.com.example:lab"
_POSTGRES = """
test -d /etc/postgresql/15/main || pg_createcluster 15 main
systemctl start postgresql@15-main
cd /etc/postgresql/15/main
install -o postgres -m 600 /root/server.key server.key
install -o postgres -m 644 /root/server.crt server.crt
grep -q lab-tests postgresql.conf || cat >> postgresql.conf <<'END'
# lab-tests
listen_addresses = '*'
ssl = on
ssl_cert_file = '/etc/postgresql/15/main/server.crt'
ssl_key_file = '/etc/postgresql/15/main/server.key'
fsync = off
END
grep -q lab-tests pg_hba.conf || cat >> pg_hba.conf <<'END'
hostssl pextra_ce pextra_ce all scram-sha-256 # lab-tests
END
systemctl restart postgresql@15-main
runuser -u postgres -- psql -q <<'END'
DROP DATABASE IF EXISTS pextra_ce WITH (FORCE);
DROP ROLE IF EXISTS pextra_ce;
CREATE ROLE pextra_ce LOGIN PASSWORD 'lab';
CREATE DATABASE pextra_ce OWNER pextra_ce;
END
"""
_SERVER = f"""
modprobe -a nfsd iscsi_target_mod target_core_file
mkdir -p /srv/nfs /srv/cifs /srv/lun
if ! mountpoint -q /srv/nfs; then
    blkid /dev/ubdb || mkfs.ext4 -q /dev/ubdb
    mount /dev/ubdb /srv/nfs
fi
echo '/srv/nfs *(rw,no_root_squash,no_subtree_check,fsid=1)' > /etc/exports
systemctl restart nfs-server
exportfs -ra
cat > /etc/samba/smb.conf <<'END'
[global]
server min protocol = SMB2
map to guest = never
[images]
path = /srv/cifs
read only = no
END
id files >/dev/null 2>&1 || useradd -M -s /usr/sbin/nologin files
chown files /srv/cifs
printf 'cifs-secret\\ncifs-secret\\n' | smbpasswd -s -a files >/dev/null
systemctl restart smbd
targetcli clearconfig confirm=true >/dev/null
rm -f /srv/lun/*
targetcli >/dev/null <<'END'
/backstores/fileio create lun1 /srv/lun/1 32M sparse=true
/backstores/fileio create lun2 /srv/lun/2 64M sparse=true
/backstores/fileio create lun3 /srv/lun/3 96M sparse=true
/iscsi create {ISCSI}
/iscsi/{ISCSI}/tpg1/luns create /backstores/fileio/lun1 1
/iscsi/{ISCSI}/tpg1/luns create /backstores/fileio/lun2 2
/iscsi/{ISCSI}/tpg1/luns create /backstores/fileio/lun3 3
/iscsi/{ISCSI}/tpg1 set attribute authentication=1 generate_node_acls=1 cache_dynamic_acls=1
/iscsi/{ISCSI}/tpg1 set attribute demo_mode_write_protect=0
/iscsi/{ISCSI}/tpg1 set auth userid=node password=chap-secret-1
END
"""


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
    """The lab's nodes by name, with the collection on those that are to be nodes of the cloud."""
    hosts = inventory()["all"]["children"]["lab"]
    arguments = hosts["vars"]["ansible_ssh_common_args"].split()
    found = {
        name: Machine(name, Path(arguments[1]), host["lab_address"])
        for name, host in hosts["hosts"].items()
    }
    for name in NODES:
        found[name].install()
        found[name].script("systemctl start libvirtd && virsh -q list >/dev/null")
    yield found
    for machine in found.values():
        machine.stop()


@pytest.fixture(scope="session")
def server(machines: dict[str, Machine]) -> Machine:
    """The server, with its services."""
    machines["server"].script(_SERVER)
    return machines["server"]


@pytest.fixture(scope="session")
def cloud(machines: dict[str, Machine]) -> dict[str, Machine]:
    """The nodes, registered in one cluster whose database is on the first."""
    first = machines[NODES[0]]
    key, certificate = _certificate(first.address)
    first.put("/root/server.key", key, "0600")
    first.put("/root/server.crt", certificate)
    first.script(_POSTGRES)
    for name in NODES:
        node = machines[name]
        node.put("/root/lab-ca.crt", certificate)
        node.put("/root/.pgpass", f"{first.address}:5432:pextra_ce:pextra_ce:lab\n", "0600")
        node.database = (
            f"host={first.address} dbname=pextra_ce user=pextra_ce sslrootcert=/root/lab-ca.crt"
        )
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


@pytest.fixture
def left(node: Machine, other: Machine, server: Machine) -> Iterator[None]:
    """Removes, afterwards, whatever pools there are."""
    yield
    server.script("systemctl start nfs-server smbd")
    pools = node.ok("storage_pool_info", fields=["id"])["storage_pools"]
    for pool in pools:
        for volume in node.ok("volume_info", storage_pool=pool["id"], fields=["id"])["volumes"]:
            snapshots = node.ok("volume_snapshot_info", volume=volume["id"], fields=["id"])
            for snapshot in snapshots["volume_snapshots"]:
                node.ok("volume_snapshot", id=snapshot["id"], state="absent")
            node.ok("volume", id=volume["id"], state="absent")
        node.ok("storage_pool", id=pool["id"], state="absent")
    if node.sql("SELECT 1 FROM storage_pools"):
        other.task("storage_pool_propagation")
    assert node.sql("SELECT name FROM storage_pools") == []
    for machine in (node, other):
        assert machine.run("findmnt", "-t", "nfs,nfs4,cifs", check=False) == ""
