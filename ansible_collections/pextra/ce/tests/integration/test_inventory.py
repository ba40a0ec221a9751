# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, as ansible-inventory runs it on a real database."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ansible_collections.pextra.ce.tests.integration.lab import ROOT
from ansible_collections.pextra.ce.tests.integration.postgres import Postgres

BIN = sysconfig.get_path("scripts")
MOST_STATEMENTS = 5
"""BEGIN with the schema's version, three for the rows, COMMIT."""


def an_id(prefix: str, name: object) -> str:
    return f"{prefix}-{str(name).rjust(21, 'a')}"


class Cloud:
    """A database with made-up rows, and what ansible-inventory makes of it."""

    def __init__(self, server: Postgres, name: str, directory: Path) -> None:
        self.server, self.name, self.directory = server, name, directory
        self.conninfo = server.conninfo(name)
        self._connection = psycopg.connect(self.conninfo, autocommit=True)

    def insert(self, table: str, **columns: Any) -> None:
        names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
        self._connection.execute(
            f"INSERT INTO {table} ({names}, creation) VALUES ({marks}, '2026-01-02T03:04:05Z')",
            [json.dumps(v) if isinstance(v, (dict, list)) else v for v in columns.values()],
        )

    def place(self, organization: str, datacenter: str, cluster: str, key: str) -> None:
        """A cluster called that, in what is called that; ids end with the key."""
        org, dc = an_id("org", key), an_id("dc", key)
        self.insert("organizations", id=org, name=organization)
        self.insert("datacenters", id=dc, organization_id=org, name=datacenter)
        self.insert(
            "clusters", id=an_id("cls", key), organization_id=org, datacenter_id=dc, name=cluster
        )

    def node(self, name: str, key: str, **more: Any) -> None:
        self.insert(
            "nodes", id=an_id("node", name), organization_id=an_id("org", key), name=name,
            cluster_id=an_id("cls", key), host_key=name, os={"kernel": "6.1"}, **more,
        )  # fmt: skip

    def instance(self, name: str, node: str, key: str, **more: Any) -> None:
        values = {
            "type": "qemu", "memory": 512, "firmware": "bios", "autostart": False,
            "status": "ready", "cpu": {"sockets": 1, "cores": 2, "threads": 1}, "boot_order": [],
        }  # fmt: skip
        self.insert(
            "instances", id=an_id("inst", name), node_id=an_id("node", node), name=name,
            cluster_id=an_id("cls", key), **values | more,
        )  # fmt: skip

    def run(self, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [f"{BIN}/{argv[0]}", *argv[1:]], capture_output=True, text=True, check=False,
            cwd=self.directory,
            env={
                "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(self.directory),
                "LC_ALL": "C.UTF-8", "ANSIBLE_COLLECTIONS_PATH": str(ROOT),
                "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true", "ANSIBLE_NOCOLOR": "true",
                "PEXTRA_CE_DATABASE": self.conninfo, **environment,
            },
        )  # fmt: skip

    def write(self, name: str = "test.pextra.yml", **options: Any) -> str:
        path = self.directory / name
        path.write_text(json.dumps({"plugin": "pextra.ce.pextra", **options}))
        return str(path)

    def list(self, **options: Any) -> dict[str, Any]:
        """What ``ansible-inventory --list`` prints, without the marks of untrusted text."""
        done = self.run("ansible-inventory", "-i", self.write(**options), "--list")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout, object_hook=_plain)
        return found

    def hosts(self, **options: Any) -> set[str]:
        return set(self.list(**options)["_meta"]["hostvars"])

    def error(self, *, environment: dict[str, str] | None = None, **options: Any) -> str:
        """What ansible-inventory prints when it fails."""
        path = self.write(**options)
        done = self.run("ansible-inventory", "-i", path, "--list", **(environment or {}))
        assert done.returncode != 0, done.stdout
        return " ".join(done.stderr.split())

    def statements(self, work: Callable[[], object]) -> list[str]:
        """The statements that this database was sent meanwhile."""
        log = self.server.directory / "log"
        before = log.stat().st_size
        work()
        text = log.read_bytes()[before:].decode()
        return [
            line for line in text.splitlines() if "LOG:  statement:" in line or "execute" in line
        ]

    def close(self) -> None:
        self._connection.close()


def _plain(value: dict[str, Any]) -> Any:
    return value["__ansible_unsafe"] if value.keys() == {"__ansible_unsafe"} else value


@pytest.fixture
def empty(postgres: Postgres, migrated: str, tmp_path: Path) -> Iterator[Cloud]:
    """A cloud with nothing in it, whose statements are logged."""
    postgres.create("inventory", migrated)
    postgres.psql("ALTER DATABASE inventory SET log_statement = 'all'")
    cloud = Cloud(postgres, "inventory", tmp_path)
    yield cloud
    cloud.close()
    postgres.drop("inventory")


@pytest.fixture
def cloud(empty: Cloud) -> Cloud:
    """A cloud of one organization with a node and two instances."""
    empty.place("acme corp", "east", "first", "1")
    empty.node("server1", "1", ip_address="192.0.2.7")
    empty.instance("web1", "server1", "1", memory=2048)
    empty.instance("box1", "server1", "1", type="lxc", status="pending")
    return empty


def test_nodes_and_instances_are_hosts_in_groups_of_groups(cloud: Cloud) -> None:
    found = cloud.list()
    assert set(found["organization_acme_corp"]["children"]) == {"datacenter_east"}
    assert set(found["datacenter_east"]["children"]) == {"cluster_first"}
    assert found["cluster_first"] == {"children": ["node_server1"], "hosts": ["server1"]}
    groups = {
        "node_server1": {"box1", "web1"}, "pextra_nodes": {"server1"},
        "pextra_instances": {"box1", "web1"}, "type_qemu": {"web1"}, "type_lxc": {"box1"},
        "state_ready": {"web1"}, "state_pending": {"box1"},
    }  # fmt: skip
    assert {name: set(found[name]["hosts"]) for name in groups} == groups


def test_hosts_have_the_variables_of_their_node_or_instance(cloud: Cloud) -> None:
    hosts = cloud.list()["_meta"]["hostvars"]
    assert hosts["web1"] == {
        "pextra_kind": "instance", "pextra_id": an_id("inst", "web1"), "pextra_name": "web1",
        "pextra_description": "", "pextra_creation": "2026-01-02T03:04:05Z",
        "pextra_organization": "acme corp", "pextra_datacenter": "east", "pextra_cluster": "first",
        "pextra_node": "server1", "pextra_node_id": an_id("node", "server1"),
        "pextra_type": "qemu", "pextra_status": "ready", "pextra_memory": 2048,
        "pextra_cpu": {"sockets": 1, "cores": 2, "threads": 1}, "pextra_vcpus": 2,
        "pextra_firmware": "bios", "pextra_autostart": False, "pextra_boot_order": [],
    }  # fmt: skip
    node = hosts["server1"]
    assert node["ansible_host"] == node["pextra_ip_address"] == "192.0.2.7"
    assert (node["pextra_kind"], node["pextra_os"]) == ("node", {"kernel": "6.1"})
    assert node["pextra_cluster_id"] == an_id("cls", "1")
    assert not [key for key in node if "host_key" in key or "hardware" in key]


def test_network_devices_are_listed_on_request(cloud: Cloud) -> None:
    cluster, node = an_id("cls", "1"), an_id("node", "server1")
    cloud.insert(
        "vswitches", id="vsw-1", cluster_id=cluster, node_id=node, name="svswitch1", mtu=1500,
        status="ready",
    )  # fmt: skip
    cloud.insert("port_groups", id="pgrp-1", node_id=node, vswitch_id="vsw-1", name="lan")
    cloud.insert(
        "network_devices", id="nic-1", instance_id=an_id("inst", "web1"), port_group_id="pgrp-1",
        name="net0", mac="52:54:00:00:00:01", model="virtio",
    )  # fmt: skip
    hosts = cloud.list(networks=True)["_meta"]["hostvars"]
    assert hosts["box1"]["pextra_networks"] == []
    assert hosts["web1"]["pextra_networks"] == [
        {
            "name": "net0", "mac": "52:54:00:00:00:01", "model": "virtio", "port_group": "lan",
            "vswitch": "svswitch1",
        }
    ]  # fmt: skip


def test_as_many_statements_whether_there_are_two_instances_or_hundreds(cloud: Cloud) -> None:
    few = cloud.statements(cloud.list)
    for number in range(300):
        cloud.instance(f"vm{number}", "server1", "1")
    many = cloud.statements(lambda: len(cloud.hosts()) == 303 or pytest.fail("not all listed"))
    assert len(few) == len(many) <= MOST_STATEMENTS


def test_a_second_run_with_a_cache_asks_nothing(cloud: Cloud) -> None:
    options = {
        "cache": True, "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(cloud.directory / "cache"),
        "keyed_groups": [{"key": "pextra_type"}],
    }  # fmt: skip
    first = cloud.list(**options)
    again: list[dict[str, Any]] = []
    assert cloud.statements(lambda: again.append(cloud.list(**options))) == []
    assert again == [first]
    assert cloud.hosts(**options, include=["nodes"]) == {"server1"}
    cloud.instance("web2", "server1", "1")
    assert "web2" not in cloud.hosts(**options)
    assert "web2" in cloud.hosts(**options, clusters=["first"])
    done = cloud.run(
        "ansible-inventory", "-i", cloud.write(**options), "--list", "--flush-cache"
    )  # fmt: skip
    assert "web2" in done.stdout


def test_only_what_was_asked_for_is_listed(cloud: Cloud) -> None:
    cloud.place("other", "east", "second", "2")
    cloud.node("server2", "2")
    cloud.instance("db1", "server2", "2")
    assert cloud.hosts(organizations=["other"]) == {"server2", "db1"}
    assert cloud.hosts(organizations=[an_id("org", "2")], include=["instances"]) == {"db1"}
    assert cloud.hosts(datacenters=["east"], clusters=["first"], include=["nodes"]) == {"server1"}


def test_nodes_that_were_asked_for_are_listed_with_what_is_on_them(cloud: Cloud) -> None:
    cloud.node("server2", "1")
    cloud.instance("db1", "server2", "1")
    assert cloud.hosts(nodes=["server2"]) == {"server2", "db1"}
    assert cloud.hosts(nodes=[an_id("node", "server1")], include=["instances"]) == {"web1", "box1"}
    assert cloud.list(nodes=["server2"])["cluster_first"]["hosts"] == ["server2"]
    text = cloud.error(nodes=["server2"], clusters=["other"])
    assert 'cluster "other": does not exist' in text
    assert 'node "server3": does not exist' in cloud.error(nodes=["server3"])


def test_a_place_that_does_not_exist_is_named(cloud: Cloud) -> None:
    assert 'cluster "frist": does not exist. Did you mean "first"?' in cloud.error(
        clusters=["frist"]
    )


def test_places_of_one_name_do_not_share_a_group(cloud: Cloud) -> None:
    cloud.place("acme-corp", "east", "first", "2")
    cloud.node("server2", "2")
    found = cloud.list()
    ids = [an_id("cls", key).replace("-", "_") for key in "12"]
    assert "cluster_first" not in found
    assert [found[f"cluster_first_{id}"]["hosts"] for id in ids] == [["server1"], ["server2"]]
    assert "organization_acme_corp" not in found


def test_hosts_of_one_name_or_a_reserved_one_carry_their_id(cloud: Cloud) -> None:
    for name in ("server1", "localhost", "all"):
        cloud.instance(name, "server1", "1")
    found = cloud.hosts()
    assert {f"{name}_{an_id('inst', name)}" for name in ("server1", "localhost", "all")} <= found
    assert f"server1_{an_id('node', 'server1')}" in found
    assert not {"server1", "localhost", "all"} & found


def test_groups_and_variables_can_be_constructed(cloud: Cloud) -> None:
    found = cloud.list(
        strict=True,
        include=["instances"],
        compose={"ansible_host": "pextra_name ~ '.example.net'"},
        groups={"large": "pextra_memory >= 1024"},
        keyed_groups=[{"key": "pextra_firmware", "prefix": "firmware"}],
    )
    assert found["_meta"]["hostvars"]["web1"]["ansible_host"] == "web1.example.net"
    assert found["large"]["hosts"] == ["web1"]
    assert set(found["firmware_bios"]["hosts"]) == {"web1", "box1"}


def test_a_construction_that_fails_is_an_error_when_strict(cloud: Cloud) -> None:
    compose = {"broken": "pextra_nothing.at.all"}
    assert "broken" not in cloud.list(compose=compose)["_meta"]["hostvars"]["web1"]
    assert "Could not set broken for host" in cloud.error(compose=compose, strict=True)


def test_a_text_in_the_store_is_never_a_template(cloud: Cloud) -> None:
    cloud.instance("evil", "server1", "1", description="{{ lookup('pipe', 'id') }}")
    done = cloud.run(
        "ansible", "-i", cloud.write(), "evil", "-m", "ansible.builtin.debug",
        "-a", "var=pextra_description",
    )  # fmt: skip
    assert "{{ lookup('pipe', 'id') }}" in done.stdout
    assert "uid=" not in done.stdout


def test_a_database_that_is_down_is_said_with_what_to_do(cloud: Cloud) -> None:
    text = cloud.error(database=f"host={cloud.directory} dbname=x")
    assert "the database cannot be reached" in text
    assert "Start PostgreSQL" in text


def test_an_empty_database_is_said_with_what_to_do(cloud: Cloud, postgres: Postgres) -> None:
    conninfo = postgres.create("without_tables")
    assert "state=migrated" in cloud.error(database=conninfo)
    postgres.drop("without_tables")


def test_an_unverified_connection_is_refused(cloud: Cloud) -> None:
    assert "sslmode=disable" in cloud.error(database="host=192.0.2.1 sslmode=disable")


def test_a_controller_without_psycopg_is_told_what_to_install(cloud: Cloud) -> None:
    (cloud.directory / "psycopg.py").write_text("raise ImportError('no pq wrapper available')\n")
    text = cloud.error(environment={"PYTHONPATH": str(cloud.directory)})
    assert "install psycopg with pip" in text
    assert "libpq5" in text


def test_an_option_that_does_not_exist_in_a_list_is_refused(cloud: Cloud) -> None:
    assert "include" in cloud.error(include=["containers"])


@pytest.mark.parametrize(
    ("name", "mine"),
    [
        ("pextra.yml", True),
        ("east.pextra.yaml", True),
        ("other.yml", False),
        ("xpextra.yml", False),
    ],
)
def test_files_are_told_by_their_name(cloud: Cloud, name: str, mine: bool) -> None:
    done = cloud.run("ansible-inventory", "-i", cloud.write(name), "--graph")
    assert ("server1" in done.stdout) == mine


def test_the_example_is_read(cloud: Cloud) -> None:
    example = str(ROOT / "inventories" / "pextra.pextra.yml")
    done = cloud.run("ansible-inventory", "-i", example, "--graph")
    assert "web1" in done.stdout
