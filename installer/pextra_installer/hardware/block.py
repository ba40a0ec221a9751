"""Disks and what is on them, from lsblk(8)'s JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pextra.host.disks.devices import Node, mounts, protected
from pextra_installer.hardware.model import Content, Disk

# Not disks that a system could be installed on, although lsblk calls them disks.
_PSEUDO = ("zram", "ram", "nbd", "fd", "sr", "loop")
# The kernel's answer for virtual disks says nothing about what is below them.
_UNKNOWN_MEDIUM = ("vd", "xvd", "ubd")


def disks_of(tree: Node, by_id: Mapping[str, Sequence[str]]) -> tuple[Disk, ...]:
    """Every disk of lsblk's tree.

    Args:
        tree: What ``lsblk --json --bytes`` printed, with the columns that ``devices`` names.
        by_id: Names in /dev/disk/by-id of each device path.
    """
    found = [
        _disk(node, tuple(sorted(by_id.get(node["path"], ()))))
        for node in tree.get("blockdevices", [])
        if node["type"] == "disk"
        and not str(node["name"]).startswith(_PSEUDO)
        and int(node["size"] or 0) > 0
    ]
    return tuple(sorted(found, key=lambda disk: disk.path))


def _disk(node: Node, by_id: tuple[str, ...]) -> Disk:
    contents = tuple(_contents(node))
    whole = _content(node, 0)
    unknown = str(node["name"]).startswith(_UNKNOWN_MEDIUM)
    return Disk(
        path=node["path"],
        size=int(node["size"]),
        model=_text(node["model"]),
        serial=_text(node["serial"]),
        by_id=by_id,
        ssd=None if unknown else not node["rota"],
        removable=bool(node["rm"]) or node["tran"] == "usb",
        transport=_text(node["tran"]),
        table=_text(node["pttype"]),
        contents=((whole,) if whole.file_system or whole.mounted else ()) + contents,
        protected=protected(node),
    )


def _contents(node: Node, depth: int = 0) -> Iterator[Content]:
    for child in node.get("children", ()):
        yield _content(child, depth)
        yield from _contents(child, depth + 1)


def _content(node: Node, depth: int) -> Content:
    return Content(
        path=node["path"],
        kind=node["type"],
        size=int(node["size"] or 0),
        depth=depth,
        file_system=_text(node["fstype"]),
        label=_text(node["label"]) or _text(node["partlabel"]),
        mounted=tuple(mounts(node)),
    )


def _text(value: Any) -> str | None:
    return str(value).strip() or None if value is not None else None
