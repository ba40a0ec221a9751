# SPDX-License-Identifier: Apache-2.0
"""What the header of a qcow2 image says. Pure.

Source: https://www.qemu.org/docs/master/interop/qcow2.html.
"""

from __future__ import annotations

import struct

_MAGIC = b"QFI\xfb"
_LENGTH = 72
"""Bytes of the header of version 2, with which that of version 3 begins."""
_ENTRY = 8
"""Bytes of an entry of a table."""


def size(head: bytes) -> int | None:
    """Bytes that a guest sees of an image that begins so; None where it is no qcow2 image."""
    if head[:4] != _MAGIC or len(head) < _LENGTH:
        return None
    return int(struct.unpack(">Q", head[24:32])[0])


def cluster(head: bytes) -> int:
    """Bytes of a cluster."""
    bits: int = struct.unpack(">I", head[20:24])[0]
    return int(1 << min(bits, 31))


def damage(head: bytes, length: int) -> str | None:
    """Why a file cannot be the image that its header says, if so.

    Args:
        head: How it begins.
        length: Bytes of the file.
    """
    if size(head) is None:
        return "it is no qcow2 image any more"
    version, bits = struct.unpack(">I", head[4:8])[0], struct.unpack(">I", head[20:24])[0]
    if version not in (2, 3) or not 9 <= bits <= 21:
        return "its header is no qcow2 image's"
    entries, table, counts = struct.unpack(">IQQ", head[36:56])
    if max(table + entries * _ENTRY, counts + _ENTRY) > length:
        return f"it is cut off after {length} bytes"
    return None
