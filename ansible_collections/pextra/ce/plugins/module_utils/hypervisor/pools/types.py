# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage pool types of the platform."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.backend import (
    Pool,
    PoolBackend,
    Volume,
)

if TYPE_CHECKING:
    from ansible_collections.pextra.ce.plugins.module_utils.host import Host

FILE_TYPES = frozenset({"directory", "netfs"})
"""Types whose volumes are files (user guide, Storage Pool Types); images are files too."""


@functools.cache
def backend(type: str) -> PoolBackend:
    """The implementation of a pool type, imported when it is first used; one for the whole run."""
    if type == "directory":
        from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.directory import (
            DirectoryPool,
        )

        return DirectoryPool()
    if type == "netfs":
        from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.netfs import (
            NetfsPool,
        )

        return NetfsPool()
    if type == "iscsi":
        from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.iscsi import (
            IscsiPool,
        )

        return IscsiPool()
    if type == "rbd":
        from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.rbd import (
            RbdPool,
        )

        return RbdPool()
    if type == "zfs":
        from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.zfs import (
            ZfsPool,
        )

        return ZfsPool()
    if type == "lvm":
        from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.lvm import LvmPool

        return LvmPool()
    raise KeyError(type)


def pool_of(row: Mapping[str, Any], host: Host) -> Pool:
    """A pool's row as its type works with it."""
    directory = f"{host.config_dir}/pools"
    return Pool(row["id"], row["name"], row["options"], row["secrets"] or {}, directory)


def volume_of(row: Mapping[str, Any]) -> Volume:
    """A volume's row as the pool's type works with it."""
    return Volume(row["id"], row["format"], row["lun"])
