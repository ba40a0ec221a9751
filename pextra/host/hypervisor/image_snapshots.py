# SPDX-License-Identifier: Apache-2.0
"""Snapshots inside qcow2 images that no instance has open; qemu-img refuses one that is."""

from __future__ import annotations

import datetime as dt
import json
import os

from pextra.host.hypervisor import images
from pextra.host.pools.backend import SnapshotState


def found(path: str) -> dict[str, SnapshotState]:
    """The snapshots by name; their size is the image's, which qemu-img does not tell of each."""
    if not os.path.exists(path):
        return {}
    read = json.loads(images.run("info", "-U", "-f", "qcow2", "--output=json", path))
    specific = read.get("format-specific", {}).get("data", {})
    # QEMU takes none of a file back while it is noted in it what a backup has to copy next.
    bitmaps = ", ".join(item["name"] for item in specific.get("bitmaps", ()))
    obstacle = f"{path} has dirty bitmaps of another tool: {bitmaps}" if bitmaps else None
    return {
        item["name"]: SnapshotState(
            item["name"],
            int(read["virtual-size"]),
            dt.datetime.fromtimestamp(item["date-sec"], dt.UTC),
            obstacle,
        )
        for item in read.get("snapshots", ())
    }


def create(path: str, name: str) -> None:
    """Take one; nothing happens where it is there.

    Raises:
        HostError: qemu-img refused.
    """
    if name not in found(path):
        _run("-c", name, path)


def revert(path: str, name: str) -> None:
    """Bring content and size back.

    Raises:
        HostError: qemu-img refused.
    """
    _run("-a", name, path)


def remove(path: str, name: str) -> None:
    """Remove one, if it is there.

    Raises:
        HostError: qemu-img refused.
    """
    if name in found(path):
        _run("-d", name, path)


def _run(what: str, name: str, path: str) -> None:
    # There is no -f here, and what a guest has written must not be taken for a format.
    file = path.replace(",", ",,")
    options = f"driver=qcow2,file.driver=file,file.filename={file}"
    images.run("snapshot", what, name, "--image-opts", options)
