# SPDX-License-Identifier: Apache-2.0
"""Which LUN of an iSCSI target a new volume takes. Planning only reads the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.engine.world import World
from pextra.host.pools.backend import Pool
from pextra.model import kinds, units
from pextra.model.errors import ConflictError

if TYPE_CHECKING:
    from pextra.model.rows import VolumeRow


def choose(row: VolumeRow, pool: Pool, world: World, resource: str) -> None:
    """Fill in LUN and size of a new volume.

    Without a LUN, it is the smallest that no volume has, that is large enough and on which nothing
    is to be seen: neither a partition table nor a file system or the like.

    Raises:
        ConflictError: The LUN is taken, missing, too small or not empty; or none is left.
    """
    from pextra.host.pools import iscsi

    found = iscsi.luns(pool)
    taken = {
        item["lun"]: item["name"]
        for item in world.by(kinds.VOLUME, "storage_pool_id", pool.id)
        if item["id"] != row["id"] and item["lun"] is not None
    }
    size = row["size"] or 1
    wanted = row["lun"]
    if wanted is None:
        fitting = sorted((lun.size, lun.number) for lun in found.values() if lun.size >= size)
        wanted = next(
            (
                number
                for _size, number in fitting
                if number not in taken and iscsi.content(found[number].path) is None
            ),
            None,
        )
        if wanted is None:
            raise ConflictError(
                f"no free LUN of {units.format_size(size)} or more is left on target"
                f" {pool.options['target']}",
                resource=resource,
                hint=f"It has {len(found)} LUNs, of which volumes have {len(taken)}; what carries a"
                " file system is taken only where lun names it",
            )
    lun = found.get(wanted)
    if wanted in taken:
        raise ConflictError(f'LUN {wanted} is volume "{taken[wanted]}"', resource=resource)
    if lun is None:
        numbers = ", ".join(map(str, sorted(found))) or "none"
        raise ConflictError(
            f"LUN {wanted} does not exist on target {pool.options['target']}",
            resource=resource,
            hint=f"It has: {numbers}",
        )
    if lun.size < size:
        raise ConflictError(
            f"LUN {wanted} has {units.format_size(lun.size)}, less than {units.format_size(size)}",
            resource=resource,
        )
    row["lun"], row["size"] = wanted, row["size"] or lun.size
