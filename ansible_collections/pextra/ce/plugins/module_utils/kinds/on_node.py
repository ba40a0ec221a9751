# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of what is on a node, with the node and its cluster."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import Kind
from ansible_collections.pextra.ce.plugins.module_utils.kinds.cluster import Cluster
from ansible_collections.pextra.ce.plugins.module_utils.kinds.instance import Instance
from ansible_collections.pextra.ce.plugins.module_utils.kinds.instance_device import InstanceDevice
from ansible_collections.pextra.ce.plugins.module_utils.kinds.instance_snapshot import (
    InstanceSnapshot,
)
from ansible_collections.pextra.ce.plugins.module_utils.kinds.network_device import NetworkDevice
from ansible_collections.pextra.ce.plugins.module_utils.kinds.node import Node
from ansible_collections.pextra.ce.plugins.module_utils.kinds.port_group import PortGroup
from ansible_collections.pextra.ce.plugins.module_utils.kinds.storage_pool import StoragePool
from ansible_collections.pextra.ce.plugins.module_utils.kinds.storage_pool_node import (
    StoragePoolNode,
)
from ansible_collections.pextra.ce.plugins.module_utils.kinds.volume import Volume
from ansible_collections.pextra.ce.plugins.module_utils.kinds.volume_snapshot import (
    VolumeSnapshot,
)
from ansible_collections.pextra.ce.plugins.module_utils.kinds.vswitch import VSwitch

KINDS: dict[str, Kind] = {
    kind.spec.name: kind
    for kind in (
        Cluster(),
        Node(),
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
}
