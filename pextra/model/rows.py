# SPDX-License-Identifier: Apache-2.0
# Generated from the kinds' fields and the store's migrations: make generate
"""A row of each kind, as the store holds it; for type checks alone, so nothing imports it."""

from __future__ import annotations

import datetime as dt
from typing import Literal, NotRequired, TypedDict


class OrganizationRow(TypedDict):
    """A row of organizations."""

    id: str
    name: str
    description: str
    creation: dt.datetime


class DatacenterLocation(TypedDict):
    """What a JSON column of the row below holds."""

    latitude: float
    longitude: float


class DatacenterRow(TypedDict):
    """A row of datacenters."""

    id: str
    organization_id: str
    name: str
    description: str
    location: DatacenterLocation | None
    creation: dt.datetime


class ClusterRow(TypedDict):
    """A row of clusters."""

    id: str
    organization_id: str
    datacenter_id: str
    name: str
    description: str
    creation: dt.datetime


class NodeOs(TypedDict):
    """What a JSON column of the row below holds."""

    kernel: str
    architecture: str
    uefi: bool


class NodeTime(TypedDict):
    """What a JSON column of the row below holds."""

    timezone: str


class NodeHardwareDisk(TypedDict):
    """What a JSON column of the row below holds."""

    device: str
    size: int
    serial: str | None


class NodeHardware(TypedDict):
    """What a JSON column of the row below holds."""

    vcpus: int
    memory_gb: float
    cpu: dict[str, object]
    disks: list[NodeHardwareDisk]


class NodeRow(TypedDict):
    """A row of nodes."""

    id: str
    organization_id: str
    cluster_id: str
    name: str
    description: str
    host_key: str
    ip_address: str | None
    wol_mac: str | None
    hostname: str | None
    os: NodeOs | None
    time: NodeTime | None
    hardware: NodeHardware | None
    pce_version: str | None
    last_seen: dt.datetime | None
    creation: dt.datetime


class PolicyStatement(TypedDict):
    """What a JSON column of the row below holds."""

    effect: Literal["allow", "deny"]
    actions: list[str]
    resources: list[str]
    rule: NotRequired[str | None]
    id: NotRequired[str | None]
    description: NotRequired[str]


class PolicyRow(TypedDict):
    """A row of policies."""

    id: str
    organization_id: str | None
    name: str
    description: str
    enabled: bool
    statements: list[PolicyStatement]
    version: int
    creation: dt.datetime


class PolicyVersionStatement(TypedDict):
    """What a JSON column of the row below holds."""

    effect: Literal["allow", "deny"]
    actions: list[str]
    resources: list[str]
    rule: NotRequired[str | None]
    id: NotRequired[str | None]
    description: NotRequired[str]


class PolicyVersionRow(TypedDict):
    """A row of policy_versions."""

    id: str
    policy_id: str
    number: int
    statements: list[PolicyVersionStatement]
    creation: dt.datetime


class RoleRow(TypedDict):
    """A row of roles."""

    id: str
    organization_id: str | None
    name: str
    description: str
    creation: dt.datetime


class RolePolicyRow(TypedDict):
    """A row of role_policies."""

    id: str
    role_id: str
    policy_id: str
    place: int
    creation: dt.datetime


class UserRow(TypedDict):
    """A row of users."""

    id: str
    organization_id: str
    username: str
    password_hash: str | None
    linux_user: str | None
    description: str
    enabled: bool
    locked: bool
    mfa_enabled: bool
    is_root: bool
    expiry: dt.datetime | None
    creation: dt.datetime


class UserRoleRow(TypedDict):
    """A row of user_roles."""

    id: str
    user_id: str
    role_id: str
    place: int
    creation: dt.datetime


class AiProviderRow(TypedDict):
    """A row of ai_providers."""

    id: str
    organization_id: str
    name: str
    description: str
    type: Literal[
        "openai",
        "anthropic",
        "google",
        "xai",
        "mistral",
        "deepinfra",
        "deepseek",
        "cerebras",
        "groq",
        "perplexity",
        "cohere",
        "ollama",
        "lmstudio",
    ]
    base_url: str | None
    api_key: str | None
    model: str | None
    enabled: bool
    creation: dt.datetime


class NodeLicenseRow(TypedDict):
    """A row of node_licenses."""

    id: str
    node_id: str
    key: str
    edition: str
    customer: str
    not_before: dt.datetime
    expiry: dt.datetime
    creation: dt.datetime


class StoragePoolOptions(TypedDict):
    """What a JSON column of the row below holds."""

    path: NotRequired[str]
    protocol: NotRequired[Literal["nfs", "cifs"]]
    server: NotRequired[str]
    export: NotRequired[str]
    version: NotRequired[Literal["3", "4", "4.0", "4.1", "4.2", "2.1", "3.0", "3.1.1"]]
    domain: NotRequired[str]
    portal: NotRequired[str]
    target: NotRequired[str]
    monitors: NotRequired[list[str]]
    ceph_pool: NotRequired[str]
    username: NotRequired[str]
    password: NotRequired[str]
    key: NotRequired[str]
    thin: NotRequired[bool]
    thin_pool: NotRequired[str]


class StoragePoolSecrets(TypedDict):
    """What a JSON column of the row below holds."""

    password: NotRequired[str]
    key: NotRequired[str]


class StoragePoolRow(TypedDict):
    """A row of storage_pools."""

    id: str
    cluster_id: str
    name: str
    description: str
    type: Literal["directory", "netfs", "iscsi", "rbd", "zfs", "lvm"]
    options: StoragePoolOptions
    status: Literal["pending", "updating", "ready", "deleting"]
    creation: dt.datetime
    secrets: StoragePoolSecrets


class StoragePoolNodeRow(TypedDict):
    """A row of storage_pool_nodes."""

    id: str
    storage_pool_id: str
    node_id: str
    name: str
    internal_id: str | None
    error: str | None
    status: Literal["pending", "updating", "ready", "deleting"]
    creation: dt.datetime


class VSwitchBond(TypedDict):
    """What a JSON column of the row below holds."""

    mode: Literal["active-backup", "balance-xor", "802.3ad"]
    miimon: int
    primary: NotRequired[str | None]


class VSwitchAddressing(TypedDict):
    """What a JSON column of the row below holds."""

    addresses: list[str]
    routes: list[list[str]]
    dns: list[str]
    domains: list[str]


class VSwitchRow(TypedDict):
    """A row of vswitches."""

    id: str
    cluster_id: str
    node_id: str
    name: str
    description: str
    mtu: int
    status: Literal["pending", "updating", "ready", "deleting"]
    creation: dt.datetime
    uplinks: list[str]
    bond: VSwitchBond
    addressing: VSwitchAddressing | None


class PortGroupRateLimit(TypedDict):
    """What a JSON column of the row below holds."""

    inbound: NotRequired[int | None]
    outbound: NotRequired[int | None]


class PortGroupRow(TypedDict):
    """A row of port_groups."""

    id: str
    node_id: str
    vswitch_id: str
    name: str
    description: str
    vlan_id: int | None
    creation: dt.datetime
    trunk: list[str]
    promiscuous: bool
    mac_changes: bool
    forged_transmits: bool
    isolated: bool
    rate_limit: PortGroupRateLimit


class InstanceCpu(TypedDict):
    """What a JSON column of the row below holds."""

    sockets: int
    cores: int
    threads: int


class InstanceCloudInit(TypedDict):
    """What a JSON column of the row below holds."""

    user_data: NotRequired[str]
    vendor_data: NotRequired[str]
    meta_data: NotRequired[dict[str, object]]
    network_config: NotRequired[dict[str, object]]
    bus: NotRequired[Literal["scsi", "sata"]]


class InstanceRow(TypedDict):
    """A row of instances."""

    id: str
    cluster_id: str
    node_id: str
    name: str
    description: str
    type: Literal["qemu", "lxc"]
    cpu: InstanceCpu
    memory: int
    firmware: Literal["bios", "uefi"]
    autostart: bool
    boot_order: list[str]
    cdrom: str | None
    cloud_init: InstanceCloudInit | None
    rootfs: str | None
    status: Literal["pending", "updating", "ready", "deleting"]
    creation: dt.datetime
    chipset: Literal["q35", "i440fx"]
    rootfs_archive: str | None
    restored_from: str | None
    cloud_init_id: str | None
    restarting: str | None
    seed: str | None


class NetworkDeviceRow(TypedDict):
    """A row of network_devices."""

    id: str
    instance_id: str
    port_group_id: str
    name: str
    mac: str
    model: Literal["virtio", "e1000e"]
    creation: dt.datetime
    position: int


class InstanceDeviceOptions(TypedDict):
    """What a JSON column of the row below holds."""

    bus: NotRequired[Literal["ide", "sata", "scsi", "usb"]]
    device_path: NotRequired[str]
    medium: NotRequired[str | None]
    tray: NotRequired[Literal["closed", "open"]]
    model: NotRequired[Literal["crb", "tis"]]
    version: NotRequired[Literal["1.2", "2.0"]]
    source: NotRequired[Literal["random", "urandom", "passthrough"]]
    usb_id: NotRequired[str]
    startup_policy: NotRequired[Literal["mandatory", "requisite", "optional"]]


class InstanceDeviceRow(TypedDict):
    """A row of instance_devices."""

    id: str
    instance_id: str
    name: str
    type: Literal["cdrom", "tpm", "rng", "usb"]
    options: InstanceDeviceOptions
    creation: dt.datetime


class VolumeRow(TypedDict):
    """A row of volumes."""

    id: str
    storage_pool_id: str
    node_id: str
    name: str
    description: str
    size: int
    format: Literal["qcow2", "raw"]
    image: str | None
    instance_id: str | None
    device_name: str | None
    device_path: str | None
    bus: Literal["virtio", "sata", "scsi"] | None
    is_root: bool
    status: Literal["pending", "updating", "ready", "deleting"]
    creation: dt.datetime
    read_only: bool
    lun: int | None


class VolumeSnapshotRow(TypedDict):
    """A row of volume_snapshots."""

    id: str
    volume_id: str
    node_id: str
    name: str
    description: str
    size: int
    status: Literal["pending", "updating", "ready", "deleting"]
    creation: dt.datetime


class InstanceSnapshotVolume(TypedDict):
    """What a JSON column of the row below holds."""

    id: str
    name: str
    size: int


class InstanceSnapshotRow(TypedDict):
    """A row of instance_snapshots."""

    id: str
    instance_id: str
    node_id: str
    name: str
    description: str
    memory: bool
    state: str
    volumes: list[InstanceSnapshotVolume]
    reverting: bool
    reverted: dt.datetime | None
    status: Literal["pending", "updating", "ready", "deleting"]
    creation: dt.datetime
