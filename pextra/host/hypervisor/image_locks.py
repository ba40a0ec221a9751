# SPDX-License-Identifier: Apache-2.0
"""Whether a QEMU has a disk image file open."""

from __future__ import annotations

import fcntl
import os
import struct

_F_OFD_GETLK = 36
"""fcntl(2): which lock of an open file stands in the way; Python 3.11 has no name for it."""


def in_use(path: str) -> bool:
    """Whether a QEMU has the image open.

    It locks bytes from 100 on for what it does, and from 200 on for what it bears (QEMU's
    block/file-posix.c).
    """
    try:
        with open(path, "rb") as file:
            asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 100, 200, 0)
            found = fcntl.fcntl(file.fileno(), _F_OFD_GETLK, asked)
    except OSError:
        return False
    return bool(struct.unpack("hhqqi4x", found)[0] != fcntl.F_UNLCK)
