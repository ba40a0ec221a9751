# SPDX-License-Identifier: Apache-2.0
"""A cloud made of plain rows, and a machine that counts how often it is asked."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pextra.calls.listing import read
from pextra.host.machine import Host
from pextra.host.network.snapshot import Snapshot
from pextra.host.network.switch import BridgeState
from pextra.kinds.registry import KINDS
from pextra.kinds.view import View
from pextra.kinds.views import INFOS
from pextra.model import ids
from pextra.model.fields import Row
from pextra.tests.rows import Rows

NOW = dt.datetime(2030, 1, 31, 12, tzinfo=dt.UTC)
HERE = "this-machine"


def day(number: int) -> dt.datetime:
    """A moment that many days after now."""
    return NOW + dt.timedelta(days=number)


class Domain:
    """A libvirt domain."""

    def __init__(self, connection: Connection, uuid: str, power: str, name: str) -> None:
        self._connection = connection
        self._uuid = uuid
        self._name = name
        self.power = power

    def name(self) -> str:
        return self._name

    def UUIDString(self) -> str:  # noqa: N802 - libvirt's name
        return self._uuid

    def state(self) -> tuple[int, int]:
        return (3, 1) if self.power == "paused" else (1, 1)

    def XMLDesc(self, flags: int) -> str:  # noqa: N802 - libvirt's name
        self._connection.calls["XMLDesc"] += 1
        socket = ' socket="/run/vnc.sock"' if self.power != "stopped" else ""
        return f'<domain type="qemu"><devices><graphics type="vnc"{socket}/></devices></domain>'


class Pool:
    """A libvirt storage pool."""

    def __init__(self, name: str, uuid: str, active: bool) -> None:
        self._name, self._uuid, self.active = name, uuid, active

    def name(self) -> str:
        return self._name

    def UUIDString(self) -> str:  # noqa: N802 - libvirt's name
        return self._uuid


@dataclass
class Connection:
    """A connection to libvirt."""

    calls: Counter[str] = field(default_factory=Counter)
    domains: list[Domain] = field(default_factory=list)
    pools: list[Pool] = field(default_factory=list)

    def listAllDomains(self, flags: int) -> list[Domain]:  # noqa: N802 - libvirt's name
        self.calls["listAllDomains"] += 1
        wanted = {0: None, 1: ("running", "paused"), 160: ("paused",), 256: ("saved",)}[flags]
        return [domain for domain in self.domains if wanted is None or domain.power in wanted]

    def listAllStoragePools(self, flags: int) -> list[Pool]:  # noqa: N802 - libvirt's name
        self.calls["listAllStoragePools"] += 1
        return [pool for pool in self.pools if flags != 2 or pool.active]


@dataclass
class Driver:
    """libvirt's driver."""

    connection: Connection

    def active(self) -> frozenset[str]:
        return frozenset()


class Links:
    """The network interfaces."""

    def __init__(self) -> None:
        self.bridges: dict[str, BridgeState] = {}
        self.vlan_filtering = True
        self.now = Snapshot()

    def bridge(self, want: BridgeState) -> BridgeState | None:
        return self.bridges.get(want.name)


_DEFAULTS: Mapping[str, Row] = {
    "node": {
        "ip_address": None, "wol_mac": None, "hostname": "host", "os": {}, "time": None,
        "hardware": None, "pce_version": "0.1.0", "last_seen": NOW, "host_key": "another",
    },
    "user": {
        "enabled": True, "locked": False, "mfa_enabled": False, "is_root": False,
        "linux_user": None, "expiry": None, "password_hash": "HUSH",
    },
    "policy": {
        "version": 1,
        "statements": [
            {"id": "one", "description": "text", "effect": "allow", "actions": ["instance.*"],
             "resources": ["*"], "rule": "env.day_of_week == 0"},
        ],
    },
    "policy_version": {"number": 1, "statements": []},
    "role_policy": {"place": 1},
    "user_role": {"place": 1},
    "ai_provider": {"type": "openai", "base_url": None, "model": None, "api_key": "HUSH"},
    "node_license": {"edition": "standard", "customer": "Example", "not_before": day(-1)},
    "storage_pool": {
        "type": "directory", "status": "ready", "options": {"path": "/nowhere"},
        "secrets": {"password": "HUSH"},
    },
    "storage_pool_node": {"status": "ready", "error": None, "internal_id": None},
    "vswitch": {
        "mtu": 1500, "uplinks": [], "bond": {"mode": "active-backup", "miimon": 100},
        "addressing": None,
        "status": "ready",
    },
    "port_group": {
        "vlan_id": None, "trunk": [], "promiscuous": False, "mac_changes": True,
        "forged_transmits": True, "isolated": False, "rate_limit": {},
    },
    "network_device": {"model": "virtio", "position": 1},
    "instance": {
        "type": "qemu", "cpu": {"sockets": 1, "cores": 2, "threads": 2}, "memory": 1024,
        "chipset": "q35", "firmware": "bios", "autostart": False, "boot_order": [],
        "cdrom": None, "rootfs": None, "rootfs_archive": None, "restored_from": None,
        "cloud_init_id": None, "cloud_init": {"user_data": "#!/bin/sh\nHUSH"}, "status": "ready",
    },
    "volume": {
        "size": 4096, "format": "raw", "image": None, "lun": None, "instance_id": None,
        "device_name": None, "device_path": None, "bus": None, "is_root": False,
        "read_only": False, "status": "ready",
    },
    "volume_snapshot": {"size": 4096, "status": "ready"},
    "instance_snapshot": {
        "memory": False, "state": "stopped", "reverting": False, "reverted": None,
        "status": "ready",
    },
}  # fmt: skip


class Cloud:
    """Rows that a test puts together, and this machine."""

    def __init__(self) -> None:
        self.libvirt = Connection()
        self.links = Links()
        self.host = Host("/nonexistent/state", "/nonexistent/etc", "/nonexistent/log")
        self.host.__dict__.update(key=HERE, qemu=Driver(self.libvirt), links=self.links)
        self.rows: dict[str, list[Row]] = {name: [] for name in KINDS}
        self.queries: Counter[str] = Counter()

    def add(self, kind: str, **columns: Any) -> str:
        """A row of a kind; its id."""
        spec = KINDS[kind].spec
        id = ids.new_id(spec.prefix)
        row: Row = {item.column: item.default for item in spec.stored}
        row |= {"id": id, "description": "", "creation": day(-2)}
        self.rows[kind].append(row | _DEFAULTS.get(kind, {}) | columns)
        return id

    def run(self, instance: str, power: str = "running", uuid: str | None = None) -> None:
        """Have a domain of an instance, or of somebody else's with its name."""
        name = next(row["name"] for row in self.rows["instance"] if row["id"] == instance)
        self.libvirt.domains.append(
            Domain(self.libvirt, uuid or ids.uuid_of(instance), power, name)
        )

    def info(self, kind: str, fields: Iterable[str] = (), **options: Any) -> list[dict[str, Any]]:
        """What the ``_info`` module of a kind returns."""
        given = {**options, "fields": list(fields)}
        source = Rows(self.rows)
        found = read(INFOS[kind], View(source, self.host, NOW), given)
        self.queries += source.queries
        return found

    def one(self, kind: str, field: str, **options: Any) -> Any:
        """One field of the only resource that there is."""
        (found,) = self.info(kind, [field], **options)
        return found[field]


class Node(Cloud):
    """A cloud with one of everything; its node is this machine.

    Attributes:
        path: The directory of its storage pool.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.organization = self.add("organization", name="Example")
        inside = {"organization_id": self.organization}
        self.datacenter = self.add("datacenter", name="Berlin", location=None, **inside)
        inside["datacenter_id"] = self.datacenter
        self.cluster = self.add("cluster", name="main", **inside)
        self.user = self.add("user", username="anna", organization_id=self.organization)
        owned = {"organization_id": self.organization}
        self.role = self.add("role", name="backup", **owned)
        policy = self.add("policy", name="backups", **owned)
        self.add("policy_version", policy_id=policy)
        self.add("role_policy", role_id=self.role, policy_id=policy)
        self.add("user_role", user_id=self.user, role_id=self.role)
        self.add("ai_provider", name="assistant", **owned)
        self.node = self.add_node("node1", host_key=HERE)
        self.add("node_license", node_id=self.node, key="PCE1." + 40 * "x", expiry=day(30))
        self.pool = self.add_pool("local", path)
        self.pool_here = self.enable(self.pool, "local", self.node)
        self.libvirt.pools.append(Pool("local", ids.uuid_of(self.pool_here), True))
        self.vswitch = self.add_vswitch("svswitch10")
        self.group = self.add("port_group", name="lan", node_id=self.node, vswitch_id=self.vswitch)
        self.instance = self.add_instance("web1")
        (volume,) = self.rows["volume"]
        self.add("volume_snapshot", name="first", volume_id=volume["id"], node_id=self.node)
        self.add(
            "instance_snapshot", name="first", instance_id=self.instance, node_id=self.node,
            volumes=[{"id": volume["id"], "name": "web1-root", "size": 4096}],
        )  # fmt: skip
        self.run(self.instance)

    def add_node(self, name: str, **columns: Any) -> str:
        """A node of the cluster."""
        inside = {"organization_id": self.organization, "cluster_id": self.cluster}
        return self.add("node", name=name, **inside, **columns)

    def add_pool(self, name: str, path: str, **columns: Any) -> str:
        """A storage pool of the cluster."""
        return self.add(
            "storage_pool", name=name, cluster_id=self.cluster, options={"path": path}, **columns
        )

    def enable(self, pool: str, name: str, node: str, **columns: Any) -> str:
        """Have a storage pool on a node."""
        inside = {"storage_pool_id": pool, "node_id": node}
        return self.add("storage_pool_node", name=name, **inside, **columns)

    def add_vswitch(self, name: str, **columns: Any) -> str:
        """A vSwitch of the node."""
        inside = {"cluster_id": self.cluster, "node_id": self.node}
        return self.add("vswitch", name=name, **inside | columns)

    def add_instance(self, name: str, **columns: Any) -> str:
        """An instance of the node with a network device and a volume."""
        inside = {"cluster_id": self.cluster, "node_id": self.node}
        id = self.add("instance", name=name, **inside | columns)
        self.add(
            "network_device", name="net0", instance_id=id, port_group_id=self.group, mac="52:54"
        )
        drive = {"bus": "sata", "device_path": "/dev/sde", "medium": None, "tray": "closed"}
        self.add("instance_device", name="drive", instance_id=id, type="cdrom", options=drive)
        self.add_volume(
            f"{name}-root",
            instance_id=id,
            device_name="root",
            device_path="/dev/vda",
            bus="virtio",
            is_root=True,
        )
        return id

    def add_volume(self, name: str, **columns: Any) -> str:
        """A volume in the storage pool."""
        inside = {"storage_pool_id": self.pool, "node_id": self.node}
        return self.add("volume", name=name, **inside | columns)
