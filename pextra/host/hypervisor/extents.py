# SPDX-License-Identifier: Apache-2.0
"""How long a raw disk says that it is: by its partition table or file system. Pure.

A file that ends before that was cut off, as a download that was broken off is. Sources: UEFI 2.10,
5.2 and 5.3; ECMA-119, 8.4; https://docs.kernel.org/filesystems/ext4/super.html; XFS Algorithms and
Data Structures, "Superblocks".
"""

from __future__ import annotations

import struct
from collections.abc import Callable

_SECTOR = 512
_TABLE = 446
"""Where a boot record has its four partitions."""

Read = Callable[[int, int], bytes]
"""Bytes of the disk: from where, how many; fewer at its end."""


def end(read: Read) -> tuple[int, str]:
    """Bytes that a disk must have, and what says so; 0 where nothing does."""
    optical = read(32768, 132)
    if optical[1:6] == b"CD001" and len(optical) == 132:
        blocks, size = struct.unpack("<I", optical[80:84])[0], struct.unpack("<H", optical[128:130])
        return blocks * (size[0] or 2048), "file system"  # others only lead to what is in it
    return max(_partitions(read), _ext(read), _xfs(read))


def _partitions(read: Read) -> tuple[int, str]:
    """The end of the last partition."""
    record = read(0, _SECTOR)
    if record[510:512] != b"\x55\xaa":
        return 0, ""
    entries = [record[_TABLE + 16 * index :][:16] for index in range(4)]
    if any(entry[0] not in (0, 0x80) for entry in entries):
        return 0, ""  # a file system's boot sector, with code there
    ends = [0]
    for entry in entries:
        first, count = struct.unpack("<II", entry[8:16])
        if entry[4] == 0xEE:
            ends.append(_gpt(read))
        elif entry[4] and count:
            ends.append((first + count) * _SECTOR)
    return max(ends), "partition table"


def _gpt(read: Read) -> int:
    header = read(_SECTOR, 92)
    if header[:8] != b"EFI PART" or len(header) < 92:
        return 0
    place, count, size = struct.unpack("<QII", header[72:88])
    if not (1 <= count <= 1024 and 128 <= size <= 4096):
        return 0
    table, last = read(place * _SECTOR, count * size), 0
    for start in range(0, len(table) - 127, size):
        if any(table[start : start + 16]):
            last = max(last, struct.unpack("<Q", table[start + 40 : start + 48])[0])
    return int(last + 1) * _SECTOR if last else 0


def _ext(read: Read) -> tuple[int, str]:
    block = read(1024, 1024)
    if block[56:58] != b"\x53\xef" or len(block) < 1024:
        return 0, ""
    blocks, shift = struct.unpack("<I", block[4:8])[0], struct.unpack("<I", block[24:28])[0]
    if struct.unpack("<I", block[96:100])[0] & 0x80:
        blocks |= struct.unpack("<I", block[336:340])[0] << 32
    return (blocks << (10 + shift), "file system") if shift <= 6 else (0, "")


def _xfs(read: Read) -> tuple[int, str]:
    block = read(0, 16)
    if block[:4] != b"XFSB" or len(block) < 16:
        return 0, ""
    size, blocks = struct.unpack(">IQ", block[4:16])
    return (size * blocks, "file system") if size <= 65536 else (0, "")
