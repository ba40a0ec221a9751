# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage pools of type ``directory``: image files in a directory of the node."""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils.errors import HostError, InputError
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor import images
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.backend import (
    Usage,
    VolumeState,
    VolumeWanted,
)

DEFAULT_PARENT = "/var/lib/pextra-ce/pools"
_PATH = re.compile(r"(/[A-Za-z0-9._+@-]+)+", re.ASCII)
_SYSTEM = ("/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/usr")


class DirectoryPool:
    """Image files, one a volume, named by the volume's id."""

    type: str = "directory"
    formats: tuple[str, ...] = ("qcow2", "raw")

    def normalise(self, options: Mapping[str, Any], name: str) -> dict[str, Any]:
        """``path``: an absolute directory outside the system's own.

        Raises:
            InputError: An option is unknown, or the path is not acceptable.
        """
        unknown = sorted(set(options) - {"path"})
        if unknown:
            raise InputError(
                f"unknown option for a directory pool: {', '.join(unknown)}", hint="It has: path"
            )
        given = str(options.get("path") or f"{DEFAULT_PARENT}/{name}")
        path = posixpath.normpath(given)
        system = any(path == part or path.startswith(part + "/") for part in _SYSTEM)
        if ".." in given.split("/") or not _PATH.fullmatch(path) or system:
            raise InputError(
                f"{given[:80]!r} is not acceptable as a pool's path",
                hint="Give an absolute path outside the system's own directories",
            )
        return {"path": path}

    def conflicts(self, mine: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
        """Two pools must not be in the same directory, or one inside the other."""
        one, two = mine["path"] + "/", other["path"] + "/"
        return f"path {other['path']}" if one.startswith(two) or two.startswith(one) else None

    def describe(self, name: str, uuid: str, options: Mapping[str, Any]) -> ET.Element:
        """libvirt's definition, https://libvirt.org/formatstorage.html."""
        pool = ET.Element("pool", type="dir")
        ET.SubElement(pool, "name").text = name
        ET.SubElement(pool, "uuid").text = uuid
        ET.SubElement(ET.SubElement(pool, "target"), "path").text = options["path"]
        return pool

    def prepare(self, options: Mapping[str, Any]) -> None:
        """Make the directory, which only root lists."""
        try:
            os.makedirs(options["path"], mode=0o711, exist_ok=True)
        except OSError as error:
            raise HostError(
                f"directory {options['path']} cannot be made: {error.strerror}"
            ) from None

    def clear(self, options: Mapping[str, Any]) -> None:
        """Remove the directory if it is empty."""
        with contextlib.suppress(OSError):
            os.rmdir(options["path"])

    def path(self, options: Mapping[str, Any], key: str, format: str) -> str:
        """The image file."""
        return f"{options['path']}/{key}.{format}"

    def look(self, options: Mapping[str, Any], key: str, format: str) -> VolumeState | None:
        """The volume as its image file's header tells."""
        found = images.look(self.path(options, key, format))
        return VolumeState(found.path, found.format, found.size, found.allocated) if found else None

    def remnant(self, options: Mapping[str, Any], key: str, format: str) -> VolumeState | None:
        """The unfinished image file, if there is one."""
        path = self.path(options, key, format)
        return VolumeState(path, format, 0, 0) if images.remnant(path) else None

    def usage(self, options: Mapping[str, Any]) -> Usage | None:
        """The file system's size and what is free of it."""
        try:
            status = os.statvfs(options["path"])
        except OSError:
            return None
        return Usage(status.f_frsize * status.f_blocks, status.f_frsize * status.f_bavail)

    def create(self, options: Mapping[str, Any], wanted: Iterable[VolumeWanted]) -> None:
        """Make image files; empty qcow2 images of one size are copies of the first."""
        templates: dict[int, str] = {}
        for volume in wanted:
            path = self.path(options, volume.key, volume.format)
            if os.path.exists(path):
                continue
            empty = volume.image is None and volume.format == "qcow2"
            if empty and volume.size in templates:
                images.copy(templates[volume.size], path)
                continue
            images.create(path, volume.format, volume.size, volume.image)
            if empty:
                templates[volume.size] = path

    def grow(self, options: Mapping[str, Any], key: str, format: str, size: int) -> None:
        """Make an image larger."""
        images.grow(self.path(options, key, format), format, size)

    def remove(self, options: Mapping[str, Any], key: str, format: str) -> None:
        """Remove an image file."""
        images.remove(self.path(options, key, format))
