# SPDX-License-Identifier: Apache-2.0
"""The names of the kinds, and what a row of each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.model.names import KindName

if TYPE_CHECKING:
    from pextra.model import rows

ORGANIZATION: KindName[rows.OrganizationRow] = KindName("organization")
DATACENTER: KindName[rows.DatacenterRow] = KindName("datacenter")
CLUSTER: KindName[rows.ClusterRow] = KindName("cluster")
NODE: KindName[rows.NodeRow] = KindName("node")
NODE_LICENSE: KindName[rows.NodeLicenseRow] = KindName("node_license")
USER: KindName[rows.UserRow] = KindName("user")
POLICY: KindName[rows.PolicyRow] = KindName("policy")
POLICY_VERSION: KindName[rows.PolicyVersionRow] = KindName("policy_version")
ROLE: KindName[rows.RoleRow] = KindName("role")
ROLE_POLICY: KindName[rows.RolePolicyRow] = KindName("role_policy")
USER_ROLE: KindName[rows.UserRoleRow] = KindName("user_role")
AI_PROVIDER: KindName[rows.AiProviderRow] = KindName("ai_provider")
STORAGE_POOL: KindName[rows.StoragePoolRow] = KindName("storage_pool")
STORAGE_POOL_NODE: KindName[rows.StoragePoolNodeRow] = KindName("storage_pool_node")
VSWITCH: KindName[rows.VSwitchRow] = KindName("vswitch")
PORT_GROUP: KindName[rows.PortGroupRow] = KindName("port_group")
INSTANCE: KindName[rows.InstanceRow] = KindName("instance")
NETWORK_DEVICE: KindName[rows.NetworkDeviceRow] = KindName("network_device")
INSTANCE_DEVICE: KindName[rows.InstanceDeviceRow] = KindName("instance_device")
INSTANCE_SNAPSHOT: KindName[rows.InstanceSnapshotRow] = KindName("instance_snapshot")
VOLUME: KindName[rows.VolumeRow] = KindName("volume")
VOLUME_SNAPSHOT: KindName[rows.VolumeSnapshotRow] = KindName("volume_snapshot")
