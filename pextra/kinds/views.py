# SPDX-License-Identifier: Apache-2.0
"""What ``_info`` modules return, by kind."""

from __future__ import annotations

from pextra.kinds.ai_provider.view import AI_PROVIDER
from pextra.kinds.cluster.view import CLUSTER
from pextra.kinds.datacenter.view import DATACENTER
from pextra.kinds.info import AnyInfo
from pextra.kinds.instance.view import INSTANCE
from pextra.kinds.instance_snapshot.view import INSTANCE_SNAPSHOT
from pextra.kinds.node.view import NODE
from pextra.kinds.node_license.view import NODE_LICENSE
from pextra.kinds.organization.view import ORGANIZATION
from pextra.kinds.policy.view import POLICY
from pextra.kinds.port_group.view import PORT_GROUP
from pextra.kinds.role.view import ROLE
from pextra.kinds.storage_pool.view import STORAGE_POOL
from pextra.kinds.user.view import USER
from pextra.kinds.volume.view import VOLUME
from pextra.kinds.volume_snapshot.view import VOLUME_SNAPSHOT
from pextra.kinds.vswitch.view import VSWITCH

INFOS: dict[str, AnyInfo] = {
    info.kind: info
    for info in (
        ORGANIZATION,
        DATACENTER,
        CLUSTER,
        NODE,
        USER,
        ROLE,
        POLICY,
        AI_PROVIDER,
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
