# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``_info`` modules return, by kind."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.info.cluster import CLUSTER
from ansible_collections.pextra.ce.plugins.module_utils.info.datacenter import DATACENTER
from ansible_collections.pextra.ce.plugins.module_utils.info.instance import INSTANCE
from ansible_collections.pextra.ce.plugins.module_utils.info.instance_snapshot import (
    INSTANCE_SNAPSHOT,
)
from ansible_collections.pextra.ce.plugins.module_utils.info.node import NODE
from ansible_collections.pextra.ce.plugins.module_utils.info.node_license import NODE_LICENSE
from ansible_collections.pextra.ce.plugins.module_utils.info.organization import ORGANIZATION
from ansible_collections.pextra.ce.plugins.module_utils.info.port_group import PORT_GROUP
from ansible_collections.pextra.ce.plugins.module_utils.info.spec import Info
from ansible_collections.pextra.ce.plugins.module_utils.info.storage_pool import STORAGE_POOL
from ansible_collections.pextra.ce.plugins.module_utils.info.user import USER
from ansible_collections.pextra.ce.plugins.module_utils.info.volume import VOLUME
from ansible_collections.pextra.ce.plugins.module_utils.info.volume_snapshot import VOLUME_SNAPSHOT
from ansible_collections.pextra.ce.plugins.module_utils.info.vswitch import VSWITCH

INFOS: dict[str, Info] = {
    info.kind: info
    for info in (
        ORGANIZATION,
        DATACENTER,
        CLUSTER,
        NODE,
        USER,
        NODE_LICENSE,
        STORAGE_POOL,
        VSWITCH,
        PORT_GROUP,
        INSTANCE,
        VOLUME,
        INSTANCE_SNAPSHOT,
        VOLUME_SNAPSHOT,
    )
}
