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

    def troubles(self, pools: Sequence[Pool]) -> Mapping[str, str]:
        """The directories that are missing."""
        return {
            pool.id: f"its directory {pool.options['path']} is missing"
            for pool in pools
            if not os.path.isdir(pool.options["path"])
        }
