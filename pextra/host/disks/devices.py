# SPDX-License-Identifier: Apache-2.0
"""Disks and what lies on them, as lsblk(8) tells in JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

COLUMNS = (
    "NAME,PATH,TYPE,SIZE,MODEL,SERIAL,ROTA,RO,RM,TRAN,FSTYPE,LABEL,PARTLABEL,PTTYPE,MOUNTPOINTS"
)
MEDIUM_MOUNTS = frozenset({"/run/live/medium", "/run/pextra-medium", "/lib/live/mount/medium"})
"""Where a live system keeps the medium that it was started from."""

ANSWERS_LABEL = "PEXTRA-ANSWERS"
"""Label of a volume that hands an answer file to the installer; see `holds_answers`."""

SWAP = "[SWAP]"
"""What lsblk shows as the mount point of swap space in use."""

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments; what fails with ``harmless`` in its message has succeeded."""

    argv: tuple[str, ...]
    harmless: str = ""


def below(node: Node) -> Iterator[Node]:
    """Everything on a device, what lies on something else before it; nothing twice."""
    seen: set[str] = set()

    def walk(current: Node) -> Iterator[Node]:
        for child in current.get("children", ()):
            yield from walk(child)
            if child["path"] not in seen:
                seen.add(child["path"])
                yield child

    yield from walk(node)


def mounts(node: Node) -> list[str]:
    """Where a device itself is mounted; swap space is ``[SWAP]``."""
    return [place for place in node.get("mountpoints") or () if place]


def holds_answers(node: Node) -> bool:
    """Whether a device's file system is labelled as one with answers.

    vfat keeps labels in capitals, and at most 11 characters of them.
    """
    label = str(node["label"] or "").upper()
    return label in (ANSWERS_LABEL, ANSWERS_LABEL[:11])


def protected(disk: Node) -> str | None:
    """Why nothing may ever be written to a disk, or None."""
    nodes = [disk, *below(disk)]
    places = {place for node in nodes for place in mounts(node)}
    if places & MEDIUM_MOUNTS:
        return "it is the installation medium"
    if any(node["fstype"] == "iso9660" for node in nodes):
        return "it holds an installation medium"
    if any(holds_answers(node) for node in nodes):
        return "it holds an answer file"
    if disk["ro"]:
        return "it cannot be written"
    if "/" in places:
        return "the running system is on it"
    return None


def release(disk: Node) -> list[Command]:
    """What frees a disk of everything that uses it, and wipes the signatures on it.

    Volumes and arrays that lie on other disks too are stopped; only this disk is written to.
    """
    on_disk = [*below(disk), disk]
    commands = list(_unused(on_disk))
    for node in on_disk[:-1]:
        commands += _stopped(node)
    partitions = [node for node in on_disk if node["type"] == "part"]
    for node in (*partitions, disk):
        commands.append(Command(("wipefs", "--all", "--force", "--quiet", str(node["path"]))))
    return commands


def _unused(nodes: list[Node]) -> Iterator[Command]:
    """What is mounted within something else is unmounted before it, whatever it lies on."""
    places = {place for node in nodes for place in mounts(node)} - {SWAP}
    for place in sorted(places, key=lambda name: (name.count("/"), name), reverse=True):
        # What of other disks is mounted within goes with it.
        yield Command(("umount", "--recursive", place))
    for node in nodes:
        if SWAP in mounts(node):
            yield Command(("swapoff", str(node["path"])))


def _stopped(node: Node) -> Iterator[Command]:
    kind, path = str(node["type"]), str(node["path"])
    if kind in ("lvm", "crypt", "mpath", "dm"):
        yield Command(("dmsetup", "remove", "--retry", path), harmless="No such device")
    elif kind.startswith("raid") or kind in ("linear", "md"):
        yield Command(("mdadm", "--stop", path), harmless="No such file")
    elif kind == "loop":
        yield Command(("losetup", "--detach", path))
