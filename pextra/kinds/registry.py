# SPDX-License-Identifier: Apache-2.0
"""Every kind of resource, by name."""

from __future__ import annotations

from pextra.engine.kind import AnyKind
from pextra.kinds.ai_provider.kind import AiProvider
from pextra.kinds.cluster.kind import Cluster
from pextra.kinds.datacenter.kind import Datacenter
from pextra.kinds.instance.kind import Instance
from pextra.kinds.instance_device.kind import InstanceDevice
from pextra.kinds.instance_snapshot.kind import InstanceSnapshot
from pextra.kinds.network_device.kind import NetworkDevice
from pextra.kinds.node.kind import Node
from pextra.kinds.node_license.kind import NodeLicense
from pextra.kinds.organization.kind import Organization
from pextra.kinds.policy.kind import Policy
from pextra.kinds.policy_version.kind import PolicyVersion
from pextra.kinds.port_group.kind import PortGroup
from pextra.kinds.role.kind import Role
from pextra.kinds.role_policy.kind import RolePolicy
from pextra.kinds.storage_pool.kind import StoragePool
from pextra.kinds.storage_pool_node.kind import StoragePoolNode
from pextra.kinds.user.kind import User
from pextra.kinds.user_role.kind import UserRole
from pextra.kinds.volume.kind import Volume
from pextra.kinds.volume_snapshot.kind import VolumeSnapshot
from pextra.kinds.vswitch.kind import VSwitch

_ALL: tuple[AnyKind, ...] = (
    Organization(),
    Datacenter(),
    Cluster(),
    Node(),
    NodeLicense(),
    User(),
    Role(),
    RolePolicy(),
    UserRole(),
    Policy(),
    PolicyVersion(),
    AiProvider(),
    StoragePool(),
    StoragePoolNode(),
    VSwitch(),
    PortGroup(),
    Instance(),
    NetworkDevice(),
    InstanceDevice(),
    InstanceSnapshot(),
    Volume(),
    VolumeSnapshot(),
)
KINDS: dict[str, AnyKind] = {
    kind.spec.name: kind for kind in sorted(_ALL, key=lambda kind: kind.spec.rank)
}

MANIFEST_KINDS = tuple(name for name, kind in KINDS.items() if kind.spec.owned_by is None)
"""The kinds that users name; the others are parts of these."""
