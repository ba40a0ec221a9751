# SPDX-License-Identifier: Apache-2.0
"""Whether what is in the place of a volume is the volume, and whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pextra.engine.world import World
from pextra.host.pools.backend import Pool, VolumeState
from pextra.host.pools.types import backend, volume_of
from pextra.model import kinds, units
from pextra.model.errors import ConflictError, ForeignError, MissingError
from pextra.model.request import Request, label

if TYPE_CHECKING:
    from pextra.model.rows import StoragePoolRow, VolumeRow


def check_ours(row: VolumeRow, seen: VolumeState, world: World) -> None:
    """Refuse to take what is in the place of a volume that was never finished for the volume.

    Raises:
        ForeignError: Somebody else has put it there.
    """
    before = world.before(kinds.VOLUME, row["id"])
    unmade = before is not None and before["status"] == "pending" and row["status"] != "ready"
    if unmade and not seen.ours:
        raise ForeignError(
            f"{seen.path} was not made here, and the volume was never finished",
            resource=label(kinds.VOLUME, row["name"]),
            hint="Move that file away, and run it again",
        )


def strays(
    pool: StoragePoolRow, members: Sequence[VolumeRow], where: Pool, world: World
) -> dict[str, VolumeState]:
    """New volumes of a directory that has none of the pool's others: another one is in its place.

    What is mounted there may be missing since the node has started. A volume would be made on the
    file system below, fill it, and be out of reach when the other is mounted again.
    """
    new = [row for row in members if row["status"] == "pending"]
    if not new or not _is_without(pool, {row["id"] for row in new}, where, world):
        return {}
    type = backend(pool["type"])
    return {
        row["id"]: VolumeState(type.path(where, volume_of(row)), row["format"], 0, 0, stray=True)
        for row in new
    }


def _is_without(pool: StoragePoolRow, ids: set[str], where: Pool, world: World) -> bool:
    """Whether a directory should have other volumes than these, and has none of them."""
    if pool["type"] != "directory":
        return False
    type, on_node = backend("directory"), {"storage_pool_id": pool["id"], "node_id": world.here}
    others = [row for row in world.staying(kinds.VOLUME, on_node) if row["id"] not in ids]
    made = [volume_of(row) for row in others if row["status"] != "pending"]
    return bool(made) and not any(type.look(where, [volume]) for volume in made)


def check_reachable(row: VolumeRow, where: Pool, request: Request | None, world: World) -> None:
    """Refuse to call a volume destroyed that cannot be seen: its data would be there for ever.

    Raises:
        MissingError: Its pool is not there, and whoever asks does not give its data up.
    """
    before = world.before(kinds.VOLUME, row["id"])
    made = before is None or before["status"] != "pending"
    forced = request is not None and request.options.get("force")
    if not made or forced or world.carried_out:
        return
    pool = world.row(kinds.STORAGE_POOL, row["storage_pool_id"])
    if not _was_there(pool, world):
        return  # it was never made, or let go of after its volumes
    reason = backend(pool["type"]).troubles([where]).get(where.id)
    if reason is None and _is_without(pool, {row["id"]}, where, world):
        reason = f"none of its pool's volumes is in {where.options['path']}"
    if reason is not None:
        raise MissingError(
            f"its data cannot be destroyed: {reason}",
            resource=label(kinds.VOLUME, row["name"]),
            hint="Mount what the pool is on, or start its server, and run it again. If it is lost,"
            " remove the volume with force=true",
        )


def _was_there(pool: StoragePoolRow, world: World) -> bool:
    """Whether this node had a pool when the run began, as far as the store knows."""
    for item in world.where(
        kinds.STORAGE_POOL_NODE, {"storage_pool_id": pool["id"], "node_id": str(world.here)}
    ):
        before = world.before(kinds.STORAGE_POOL_NODE, item["id"]) or item
        return before["status"] in ("ready", "updating")
    return False


def refuse_missing(row: VolumeRow, path: str, world: World) -> None:
    """Refuse to go on with a volume whose data is gone.

    Raises:
        MissingError: Always.
    """
    before = world.before(kinds.VOLUME, row["id"])
    going = before is not None and before["status"] == "deleting"
    remove = ", remove it with state=absent," if going else ","
    raise MissingError(
        f"its data is missing at {path}",
        resource=label(kinds.VOLUME, row["name"]),
        hint=f"Restore it{remove} or set recreate_missing=true to begin anew",
    )


def check_place(row: VolumeRow, seen: VolumeState) -> None:
    """Refuse to make a volume where the pool's others are not.

    Raises:
        MissingError: They are not there.
    """
    if seen.stray:
        raise MissingError(
            f"none of its pool's volumes is in {os.path.dirname(seen.path)}",
            resource=label(kinds.VOLUME, row["name"]),
            hint="Mount the file system that they are on. If they are lost, remove them with"
            " force=true, or make them anew with recreate_missing=true",
        )


def check_whole(row: VolumeRow, seen: VolumeState, world: World) -> None:
    """Refuse to go on with data that is not what it was.

    Raises:
        ConflictError: It is shorter than it was made, or damaged, and zeros in its place would hide
            that; or it has been filled from another image than is asked for now.
    """
    before = world.before(kinds.VOLUME, row["id"])
    if row["status"] == "pending" and before is not None and before["image"] != row["image"]:
        raise ConflictError(
            f"it has been filled from {before['image']} by now",
            resource=label(kinds.VOLUME, row["name"]),
            hint="Create another volume, or remove it first",
        )
    had = before["size"] if before is not None and before["status"] == "ready" else 0
    trouble = seen.damage
    if trouble is None and seen.size < had and seen.size not in _kept_sizes(row, world):
        sizes = units.format_size(seen.size), units.format_size(had)
        trouble = f"it has {sizes[0]} of {sizes[1]}"
    if trouble:
        raise ConflictError(
            f"its data at {seen.path} is damaged: {trouble}",
            resource=label(kinds.VOLUME, row["name"]),
            hint="Restore it from a backup, or remove the volume and create it anew",
        )


def _kept_sizes(row: VolumeRow, world: World) -> set[int]:
    """The sizes of its snapshots, which it has where going back to one was interrupted."""
    own = world.by(kinds.VOLUME_SNAPSHOT, "volume_id", row["id"])
    shared = world.by(kinds.INSTANCE_SNAPSHOT, "instance_id", row["instance_id"])
    parts = (part for item in shared for part in item["volumes"] if part["id"] == row["id"])
    return {item["size"] for item in own} | {part["size"] for part in parts}
