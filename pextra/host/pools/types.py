# SPDX-License-Identifier: Apache-2.0
"""The storage pool types of the platform."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from pextra.host.pools.backend import Pool, PoolBackend, Volume
from pextra.host.secrets.opened import Opened

if TYPE_CHECKING:
    from pextra.host.machine import Host
    from pextra.model.rows import StoragePoolRow, VolumeRow

FILE_TYPES = frozenset({"directory", "netfs"})
"""Types whose volumes are files (user guide, Storage Pool Types); images are files too."""


@functools.cache
def backend(type: str) -> PoolBackend:
    """The implementation of a pool type, imported when it is first used; one for the whole run."""
    if type == "directory":
        from pextra.host.pools.directory import DirectoryPool

        return DirectoryPool()
    if type == "netfs":
        from pextra.host.pools.netfs import NetfsPool

        return NetfsPool()
    if type == "iscsi":
        from pextra.host.pools.iscsi import IscsiPool

        return IscsiPool()
    if type == "rbd":
        from pextra.host.pools.rbd import RbdPool

        return RbdPool()
    if type == "zfs":
        from pextra.host.pools.zfs import ZfsPool

        return ZfsPool()
    if type == "lvm":
        from pextra.host.pools.lvm import LvmPool

        return LvmPool()
    raise KeyError(type)


def pool_of(row: StoragePoolRow, host: Host) -> Pool:
    """A pool's row as its type works with it."""
    directory = f"{host.config_dir}/pools"
    secrets = Opened(host.keyring, "storage_pool", row, "secrets")
    return Pool(row["id"], row["name"], row["options"], secrets, directory)


def volume_of(row: VolumeRow) -> Volume:
    """A volume's row as the pool's type works with it."""
    return Volume(row["id"], row["format"], row["lun"])
