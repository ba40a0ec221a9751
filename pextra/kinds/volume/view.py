# SPDX-License-Identifier: Apache-2.0
"""What is returned of a volume; how much it takes only where its node is this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.host.pools.backend import Pool, PoolBackend, VolumeState
from pextra.host.pools.types import backend, pool_of, volume_of
from pextra.kinds.info import Compute, Computed, Info
from pextra.kinds.view import View
from pextra.model import kinds
from pextra.model.returned import Returned

if TYPE_CHECKING:
    from pextra.model.rows import VolumeRow


def _place(row: VolumeRow, view: View) -> tuple[PoolBackend, Pool]:
    """The type and the pool that the volume is in."""
    pool = view.require(kinds.STORAGE_POOL, row["storage_pool_id"])
    return backend(pool["type"]), pool_of(pool, view.host)


def _path(row: VolumeRow, view: View) -> str:
    type, pool = _place(row, view)
    return type.path(pool, volume_of(row))


def _seen(row: VolumeRow, view: View) -> VolumeState | None:
    return view.volumes.get(row["id"])


def _exists(row: VolumeRow, view: View) -> bool | None:
    return _seen(row, view) is not None if view.is_here(row) else None


def _of_image(name: str) -> Compute[VolumeRow]:
    """A value of the image itself; null where it is missing or on another node."""
    return lambda row, view: getattr(_seen(row, view), name, None) if view.is_here(row) else None


VOLUME = Info(
    kind=kinds.VOLUME,
    plural="volumes",
    parents=(kinds.NODE, kinds.STORAGE_POOL, kinds.INSTANCE),
    computed={
        "attached": Computed(
            lambda row, _view: row["instance_id"] is not None,
            Returned("Whether it is attached to an instance.", "bool", sample=True),
        ),
        "path": Computed(
            _path,
            Returned(
                "Where it is on its node.",
                sample="/var/lib/pextra-ce/pools/local/vol-ufbaJ57FmvldEh0eHlAuz.qcow2",
            ),
        ),
        "exists": Computed(
            _exists,
            Returned(
                "Whether its data is there, V(null) on other nodes than this machine.",
                "bool",
                sample=True,
            ),
        ),
        "actual_size": Computed(
            _of_image("size"),
            Returned(
                "Bytes that a guest sees, as its header says, V(null) where it is missing or on"
                " another node.",
                "int",
                sample=10737418240,
            ),
        ),
        "allocated": Computed(
            _of_image("allocated"),
            Returned(
                "Bytes that it takes on the node's disk, V(null) where it is missing or on another"
                " node.",
                "int",
                sample=200704,
            ),
        ),
    },
)
