# SPDX-License-Identifier: Apache-2.0
"""What is returned of a volume; how much it takes only where its node is this machine."""

from __future__ import annotations

from pextra.host.pools.backend import Pool, PoolBackend, VolumeState
from pextra.host.pools.types import backend, pool_of, volume_of
from pextra.kinds.info import Computed, Info
from pextra.kinds.view import View
from pextra.model.fields import Row


def _place(row: Row, view: View) -> tuple[PoolBackend, Pool]:
    """The type and the pool that the volume is in."""
    pool = view.require("storage_pool", row["storage_pool_id"])
    return backend(pool["type"]), pool_of(pool, view.host)


def _path(row: Row, view: View) -> str:
    type, pool = _place(row, view)
    return type.path(pool, volume_of(row))


def _seen(row: Row, view: View) -> VolumeState | None:
    return view.volumes.get(row["id"])


def _exists(row: Row, view: View) -> bool | None:
    return _seen(row, view) is not None if view.is_here(row) else None


def _of_image(name: str) -> Computed:
    """A value of the image itself; null where it is missing or on another node."""
    return lambda row, view: getattr(_seen(row, view), name, None) if view.is_here(row) else None


VOLUME = Info(
    kind="volume",
    plural="volumes",
    columns=(
        "id", "storage_pool_id", "node_id", "name", "description", "size", "format", "image",
        "lun", "instance_id", "device_name", "device_path", "bus", "is_root", "read_only",
        "status", "creation",
    ),
    parents=("node", "storage_pool", "instance"),
    computed={
        "attached": lambda row, _view: row["instance_id"] is not None,
        "path": _path,
        "exists": _exists,
        "actual_size": _of_image("size"),
        "allocated": _of_image("allocated"),
    },
)  # fmt: skip
