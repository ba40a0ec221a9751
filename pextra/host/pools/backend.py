# SPDX-License-Identifier: Apache-2.0
"""What a type of storage pool has to offer.

A new type is its options in ``options``, one class beside the others, and one line in ``types``.
"""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pextra.model.errors import ConflictError

if TYPE_CHECKING:
    from pextra.model.rows import StoragePoolOptions

Format = Literal["qcow2", "raw"]
"""How an image is kept."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as its type works with it.

    Attributes:
        id: The pool's id, the same on every node.
        name: Its name, also libvirt's; of a volume group or ZFS pool too.
        options: What ``options.normalise`` made of what the user gave.
        secrets: Passwords and keys; never shown, and decrypted when one is looked at.
        directory: Where this node keeps files with credentials.
    """

    id: str
    name: str
    options: StoragePoolOptions
    secrets: Mapping[str, str]
    directory: str


@dataclass(frozen=True, slots=True)
class Volume:
    """What tells a volume apart in its pool: its id, its format, and of iSCSI its LUN."""

    key: str
    format: str
    lun: int | None = None


@dataclass(frozen=True, slots=True)
class VolumeState:
    """A volume as it is on the host, sizes in bytes; an unknown ``allocated`` is None.

    Attributes:
        damage: Why it is not what it was made as.
        ours: It was made here, as far as can be told; of a volume that was never finished it may
            not be.
        stray: It is not there yet, and where it would be made nothing is of what the pool has.
    """

    path: str
    format: str
    size: int
    allocated: int | None
    damage: str | None = None
    ours: bool = True
    stray: bool = False


@dataclass(frozen=True, slots=True)
class VolumeWanted:
    """A volume to make: which one, its bytes, and the image to fill it from."""

    volume: Volume
    size: int
    image: str | None


@dataclass(frozen=True, slots=True)
class SnapshotState:
    """A snapshot as it is on the host: its id, the volume's bytes then, and when it was taken.

    Attributes:
        obstacle: What keeps the volume from going back to it.
    """

    key: str
    size: int
    creation: dt.datetime | None
    obstacle: str | None = None

    def check(self, resource: str) -> None:
        """Refuse to go back to it where that cannot be.

        Raises:
            ConflictError: Something keeps the volume from it.
        """
        if self.obstacle:
            raise ConflictError(
                self.obstacle,
                resource=resource,
                hint="Remove them first: virsh checkpoint-delete, or qemu-img bitmap --remove;"
                " that tool's next backup is a full one then",
            )


@dataclass(frozen=True, slots=True)
class Usage:
    """How full a pool is, in bytes."""

    capacity: int
    available: int


@dataclass(frozen=True, slots=True)
class Remote:
    """A disk that QEMU reaches over the network itself, by the protocol's own means.

    Attributes:
        protocol: ``rbd``.
        name: What the protocol calls the disk.
        hosts: Addresses and ports.
        username: Who logs in.
        secret: UUID of libvirt's secret with the key.
    """

    protocol: str
    name: str
    hosts: tuple[tuple[str, str], ...]
    username: str
    secret: str


class PoolBackend(Protocol):
    """One type of storage pool.

    Attributes:
        formats: Of volumes, the default first.
        grows_in_guest: QEMU enlarges a running instance's volume itself; else the volume is made
            larger first, and QEMU is told.
    """

    type: str
    formats: tuple[Format, ...]
    grows_in_guest: bool

    def describe(self, pool: Pool, uuid: str) -> ET.Element:
        """libvirt's definition of the pool."""

    def test(self, pool: Pool) -> None:
        """See whether this node can have the pool, without changing anything; bounded in time.

        Raises:
            PextraError: It cannot, and why.
        """

    def prepare(self, pool: Pool) -> None:
        """Make what the pool stands on, and put its credentials in place."""

    def prepared(self, pool: Pool) -> bool:
        """Whether the credentials in place are the pool's."""

    def clear(self, pool: Pool) -> None:
        """Remove what ``prepare`` made, where nothing else is in it."""

    def troubles(self, pools: Sequence[Pool]) -> Mapping[str, str]:
        """Why pools that libvirt has active cannot be used, by pool id; bounded in time."""

    def usage(self, pool: Pool) -> Usage | None:
        """How full the pool is; None where it is not there."""

    def path(self, pool: Pool, volume: Volume) -> str:
        """Where a volume is."""

    def remote(self, pool: Pool, volume: Volume) -> Remote | None:
        """How QEMU reaches the volume, where not by its path."""

    def look(self, pool: Pool, volumes: Sequence[Volume]) -> Mapping[str, VolumeState]:
        """The volumes that are there, by key."""

    def remnants(self, pool: Pool, volumes: Sequence[Volume]) -> Mapping[str, VolumeState]:
        """What interrupted runs left of volumes that were never finished, by key."""

    def create(self, pool: Pool, wanted: Sequence[VolumeWanted]) -> None:
        """Make volumes; each appears complete or not at all."""

    def grow(self, pool: Pool, volume: Volume, size: int) -> None:
        """Make a volume larger."""

    def remove(self, pool: Pool, volume: Volume) -> None:
        """Remove a volume, and what an interrupted run left of it."""

    def no_snapshots(self, pool: Pool, volume: Volume, running: bool) -> str | None:
        """Why the volume cannot have a snapshot now, if so; ``running``: an instance uses it."""

    def snapshots(self, pool: Pool, volume: Volume) -> Mapping[str, SnapshotState]:
        """The volume's snapshots, by key."""

    def snapshot_create(self, pool: Pool, volume: Volume, key: str) -> None:
        """Take a snapshot of what is in the volume."""

    def snapshot_revert(self, pool: Pool, volume: Volume, key: str) -> None:
        """Bring the volume's content and size back; the snapshot stays."""

    def snapshot_remove(self, pool: Pool, volume: Volume, key: str) -> None:
        """Remove a snapshot; the volume stays as it is."""
