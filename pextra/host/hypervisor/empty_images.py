# SPDX-License-Identifier: Apache-2.0
"""Copies of an empty image that was just made, with holes where it has zeros.

An empty qcow2 image has a few blocks that say something, and some 200 KiB of zeros. libvirt waits
for the disk with each definition, and file systems write what was copied before it with it.
"""

from __future__ import annotations

import errno
import functools
import os

_BLOCK = 4096


class EmptyImage:
    """An image of which nobody has written anything yet.

    Args:
        path: Its file; it is read when the first copy is made.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    @functools.cached_property
    def _content(self) -> tuple[int, dict[int, bytes]]:
        """Its length, and the blocks that are not zeros by where they are."""
        with open(self._path, "rb") as file:
            whole = file.read()
        blocks = {place: whole[place : place + _BLOCK] for place in range(0, len(whole), _BLOCK)}
        said = {place: block for place, block in blocks.items() if block.strip(b"\0")}
        return len(whole), said

    def copy(self, path: str) -> None:
        """Write the same into a file, in place of what is there.

        Raises:
            OSError: It cannot be read, or not be written as a whole.
        """
        length, blocks = self._content
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            for place, block in blocks.items():
                if os.pwrite(descriptor, block, place) != len(block):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.ftruncate(descriptor, length)
        finally:
            os.close(descriptor)
