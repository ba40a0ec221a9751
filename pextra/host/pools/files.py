# SPDX-License-Identifier: Apache-2.0
"""Volumes that are image files in a directory: what directory and netfs pools have in common."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence

from pextra.host.hypervisor import image_snapshots, images
from pextra.host.hypervisor.empty_images import EmptyImage
from pextra.host.pools.backend import (
    Format,
    Pool,
    Remote,
    SnapshotState,
    Usage,
    Volume,
    VolumeState,
    VolumeWanted,
)
from pextra.model.errors import HostError


class FilePool:
    """Image files, one a volume, named by the volume's id."""

    formats: tuple[Format, ...] = ("qcow2", "raw")
    grows_in_guest = True

    def prepare(self, pool: Pool) -> None:
        """Make the directory, which only root lists."""
        path = pool.options["path"]
        try:
            os.makedirs(path, mode=0o711, exist_ok=True)
        except OSError as error:
            raise HostError(f"directory {path} cannot be made: {error.strerror}") from None

    def prepared(self, pool: Pool) -> bool:
        """There are no credentials."""
        return True

    def clear(self, pool: Pool) -> None:
        """Remove the directory if it is empty."""
        with contextlib.suppress(OSError):
            os.rmdir(pool.options["path"])

    def usage(self, pool: Pool) -> Usage | None:
        """The file system's size and what is free of it."""
        try:
            status = os.statvfs(pool.options["path"])
        except OSError:
            return None
        return Usage(status.f_frsize * status.f_blocks, status.f_frsize * status.f_bavail)

    def path(self, pool: Pool, volume: Volume) -> str:
        """The image file."""
        return f"{pool.options['path']}/{volume.key}.{volume.format}"

    def remote(self, pool: Pool, volume: Volume) -> Remote | None:
        """QEMU opens the file."""
        return None

    def look(self, pool: Pool, volumes: Sequence[Volume]) -> Mapping[str, VolumeState]:
        """The volumes as their image files' headers tell."""
        found = {}
        for volume in volumes:
            image = images.look(self.path(pool, volume), volume.format)
            if image is not None:
                ours = images.is_ours(image.path)
                found[volume.key] = VolumeState(
                    image.path, image.format, image.size, image.allocated, image.damage, ours
                )
        return found

    def remnants(self, pool: Pool, volumes: Sequence[Volume]) -> Mapping[str, VolumeState]:
        """The unfinished image files."""
        paths = ((volume, self.path(pool, volume)) for volume in volumes)
        return {
            volume.key: VolumeState(path, volume.format, 0, 0)
            for volume, path in paths
            if images.remnant(path)
        }

    def create(self, pool: Pool, wanted: Iterable[VolumeWanted]) -> None:
        """Make image files; empty qcow2 images of one size are copies of the first."""
        templates: dict[int, EmptyImage] = {}
        for item in wanted:
            path, format = self.path(pool, item.volume), item.volume.format
            if images.is_made(path):
                continue
            empty = item.image is None and format == "qcow2"
            if empty and item.size in templates:
                images.copy(templates[item.size], path)
                continue
            images.create(path, format, item.size, item.image)
            if empty:
                templates[item.size] = EmptyImage(path)

    def grow(self, pool: Pool, volume: Volume, size: int) -> None:
        """Make an image larger."""
        images.grow(self.path(pool, volume), volume.format, size)

    def remove(self, pool: Pool, volume: Volume) -> None:
        """Remove an image file."""
        images.remove(self.path(pool, volume))

    def no_snapshots(self, pool: Pool, volume: Volume, running: bool) -> str | None:
        """Only qcow2 has them, and only while no instance has the file open."""
        if volume.format != "qcow2":
            return "a raw image file has no snapshots: use format qcow2"
        if running:
            return "a running instance has its image file open: stop the instance first"
        return None

    def snapshots(self, pool: Pool, volume: Volume) -> Mapping[str, SnapshotState]:
        """Those inside the image file; a raw one has none, whatever a guest has written to it."""
        if volume.format != "qcow2":
            return {}
        return image_snapshots.found(self.path(pool, volume))

    def snapshot_create(self, pool: Pool, volume: Volume, key: str) -> None:
        """Take one inside the image file."""
        image_snapshots.create(self.path(pool, volume), key)

    def snapshot_revert(self, pool: Pool, volume: Volume, key: str) -> None:
        """Go back to one inside the image file."""
        image_snapshots.revert(self.path(pool, volume), key)

    def snapshot_remove(self, pool: Pool, volume: Volume, key: str) -> None:
        """Remove one inside the image file."""
        image_snapshots.remove(self.path(pool, volume), key)
