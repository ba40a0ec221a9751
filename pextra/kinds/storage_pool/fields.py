# SPDX-License-Identifier: Apache-2.0
"""The fields of storage pools: what a request may say, and what is returned."""

from __future__ import annotations

import re
from typing import Any

from pextra.host.pools import options
from pextra.kinds.common import DESCRIPTION
from pextra.model import kinds
from pextra.model.errors import InputError
from pextra.model.fields import Change, Field
from pextra.model.returned import Returned

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)


def _name(value: Any) -> str:
    if not _NAME.fullmatch(str(value)):
        raise InputError(
            f"{str(value)[:80]!r} is not an acceptable pool name",
            hint="Use 1 to 63 ASCII letters, digits, dots, underscores and hyphens",
        )
    return str(value)


FIELDS = (
    Field(
        "name",
        parse=_name,
        required=True,
        change=Change.IMMUTABLE,
        doc=(
            "Name of the pool, unique in its cluster. From 1 to 63 ASCII letters, digits, dots,"
            " underscores and hyphens, beginning with a letter or digit. V(local) is what volumes"
            " are put in unless another pool is named.",
        ),
        returned=Returned("Name of the storage pool.", sample="local"),
    ),
    Field(
        "cluster",
        ref=kinds.CLUSTER,
        required=True,
        change=Change.IMMUTABLE,
        doc=("Id or name of the cluster.",),
        implied="the cluster of the node that the task runs on, or the only cluster there is",
        returned=Returned("Identifier of the cluster that the storage pool belongs to."),
    ),
    DESCRIPTION,
    Field(
        "type",
        choices=options.TYPES,
        default="directory",
        change=Change.IMMUTABLE,
        doc=(
            "What the pool stands on.",
            "V(directory), image files in a directory of each node. V(netfs), image files on an"
            " NFS or CIFS server. V(iscsi), the LUNs of an iSCSI target. V(rbd), images in a Ceph"
            " pool. V(zfs), volumes of a ZFS pool, and V(lvm), logical volumes of a volume group;"
            " these must exist on each node under the pool's name.",
        ),
        returned=Returned("What it stands on, such as V(directory).", sample="directory"),
    ),
    Field(
        "options",
        "dict",
        default={},
        options=options.FIELDS,
        doc=(
            "Settings of the pool's type; each says for which types it is. They are the same on"
            " every node.",
            "Settings of a pool that exists are fixed, and a run that would change one fails, but"
            " for O(options.password) and O(options.key), which every node takes over when it"
            " next propagates pools.",
        ),
        returned=Returned(
            "Settings of its type, complete but for passwords and keys.",
            "dict",
            sample={"path": "/var/lib/pextra-ce/pools/local"},
        ),
    ),
    Field(
        "nodes",
        "list",
        elements="str",
        stored=False,
        doc=(
            "Ids or names of nodes of the cluster on which the pool is enabled. They are added to"
            " those that are there already.",
            "A pool that is enabled on no node can hold no volumes.",
        ),
    ),
)

SECRETS = Field("secrets", "dict", options=tuple(item for item in options.FIELDS if item.secret))
"""The column that keeps passwords and keys apart from the other options."""

STEERING = (
    Field(
        "purge_nodes",
        "bool",
        default=False,
        doc=(
            "Also disable the pool on every node that O(nodes) does not name. Such a node must"
            " hold no volume in it.",
        ),
    ),
)
