# SPDX-License-Identifier: Apache-2.0
"""Volumes over which another tool has put a file, such as an external snapshot's overlay.

What the guest writes is in that file, then. To go on with the volume alone would lose it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pextra.engine.world import World
from pextra.host.hypervisor import domains
from pextra.host.hypervisor.domain import ALIAS, Domain
from pextra.host.pools.types import backend, pool_of, volume_of
from pextra.model import kinds
from pextra.model.errors import ConflictError

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow


@dataclass(frozen=True, slots=True)
class Overlay:
    """A file in the place of a volume.

    Attributes:
        volume: The volume's name.
        target: The disk in the guest's order, such as ``vda``.
        path: The file that the guest uses.
        format: The file's.
        base: Where the volume's own data is.
        base_format: The format of that.
        remote: The volume's own data is on the network.
    """

    volume: str
    target: str
    path: str
    format: str
    base: str
    base_format: str
    remote: bool


def found(definitions: Iterable[Domain | None], world: World) -> tuple[Overlay, ...]:
    """What is in the place of volumes that stay, in the definitions of one instance."""
    overlays: dict[str, Overlay] = {}
    for disk in (disk for item in definitions if item is not None for disk in item.disks):
        volume = world.get(kinds.VOLUME, (disk.alias or "").removeprefix(ALIAS))
        if volume is None or volume["status"] == "deleting" or disk.path is None:
            continue
        pool = world.row(kinds.STORAGE_POOL, volume["storage_pool_id"])
        type, where = backend(pool["type"]), pool_of(pool, world.host)
        base = type.path(where, volume_of(volume))
        if disk.path != base:
            remote = type.remote(where, volume_of(volume)) is not None
            item = Overlay(
                volume["name"], disk.target, disk.path, disk.format, base, volume["format"], remote
            )
            overlays.setdefault(volume["id"], item)
    return tuple(overlays.values())


def refuse(overlays: Sequence[Overlay], instance: str, resource: str) -> None:
    """Refuse to go on as if they were not there.

    Raises:
        ConflictError: There are some.
    """
    if overlays:
        first = overlays[0]
        told = "; ".join(
            f'{item.path} is in the place of volume "{item.volume}", {item.base}'
            for item in overlays
        )
        raise ConflictError(
            f"another tool has put files over its volumes: {told}",
            resource=resource,
            hint="What the guest has written since is in such a file. Keep it:"
            f" pextra.ce.instance with commit_overlays=true, or virsh blockcommit {instance}"
            f" {first.target} --active --pivot while it runs. Or give it up: stop it, and"
            " put the volume's path back with virsh edit",
        )


def refuse_copied(definitions: Iterable[Domain | None], world: World, resource: str) -> None:
    """Refuse to touch volumes that another tool copies: libvirt does in the middle of a run.

    Raises:
        ConflictError: One of a running instance's is copied.
    """
    for disk in (disk for item in definitions if item is not None for disk in item.disks):
        volume = world.get(kinds.VOLUME, (disk.alias or "").removeprefix(ALIAS))
        if volume is not None and disk.copied:
            raise ConflictError(
                f'another tool copies its volume "{volume["name"]}" or writes back what is over it'
                " (virsh blockjob)",
                resource=resource,
                hint="Wait until that is over, or end it with virsh blockjob --abort",
            )


def refuse_any(
    instance: InstanceRow, world: World, resource: str, *, overlaid: bool = False
) -> None:
    """Look at an instance's domain, and refuse what would miss what its guest wrote.

    Args:
        overlaid: What is over its volumes is not missed, as QEMU itself reads them.

    Raises:
        ConflictError: Another tool has put files over its volumes, or copies one.
    """
    there = domains.definitions(world.host.driver(instance["type"]), instance["id"])
    if not overlaid:
        refuse(found(there, world), instance["name"], resource)
    refuse_copied(there, world, resource)
