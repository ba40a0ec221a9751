# SPDX-License-Identifier: Apache-2.0
"""Storage pools of type ``directory``: image files in a directory of the node."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from pextra.host.pools import mounts
from pextra.host.pools.backend import Pool
from pextra.host.pools.files import FilePool
from pextra.model.errors import ConflictError

_NOT_MOUNTED = "the file system at {}, which is in /etc/fstab, is not mounted"


class DirectoryPool(FilePool):
    """A directory, which is made."""

    type: str = "directory"

    def describe(self, pool: Pool, uuid: str) -> ET.Element:
        """libvirt's definition, https://libvirt.org/formatstorage.html."""
        root = ET.Element("pool", type="dir")
        ET.SubElement(root, "name").text = pool.name
        ET.SubElement(root, "uuid").text = uuid
        ET.SubElement(ET.SubElement(root, "target"), "path").text = pool.options["path"]
        return root

    def test(self, pool: Pool) -> None:
        """See that nothing else is in the directory's place.

        Raises:
            ConflictError: There is something that is no directory, or a network's file system.
        """
        path = pool.options["path"]
        mount = mounts.at(path)
        if mount is not None and mount.is_network:
            raise ConflictError(
                f"{path} is where {mount.source} is mounted", hint="Use a pool of type netfs"
            )
        if os.path.lexists(path) and not os.path.isdir(path):
            raise ConflictError(f"{path} is no directory")
        missing = mounts.missing(path)
        if missing is not None:
            raise ConflictError(_NOT_MOUNTED.format(missing), hint=f"Mount it: mount {missing}")

    def troubles(self, pools: Sequence[Pool]) -> Mapping[str, str]:
        """The directories that are missing, or are those below a file system to be mounted."""
        found = {}
        for pool in pools:
            path = pool.options["path"]
            missing = mounts.missing(path)
            if missing is not None:
                found[pool.id] = _NOT_MOUNTED.format(missing)
            elif not os.path.isdir(path):
                found[pool.id] = f"its directory {path} is missing"
        return found
