# SPDX-License-Identifier: Apache-2.0
"""How long a raw disk says that it is, and that nothing on it breaks the looking."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.host.hypervisor import extents

HEADS = {
    "none": (0, b""),
    "boot record": (510, b"\x55\xaa"),
    "gpt": (446, b"\0\0\0\0\xee".ljust(64, b"\0") + b"\x55\xaaEFI PART"),
    "ext": (1080, b"\x53\xef"),
    "xfs": (0, b"XFSB"),
    "optical": (32769, b"CD001"),
}


def end(data: bytes) -> int:
    """What a disk with this content says."""
    return extents.end(lambda start, count: data[start : start + count])[0]


@given(data=st.data(), head=st.sampled_from(sorted(HEADS)))
def test_anything_can_be_looked_at(data: st.DataObject, head: str) -> None:
    place, mark = HEADS[head]
    noise = data.draw(st.binary(max_size=200))
    start = data.draw(st.integers(0, 40_000))
    content = bytearray(40_000)
    content[start : start + len(noise)] = noise
    content[place : place + len(mark)] = mark
    size = data.draw(st.integers(0, 40_000))
    assert end(bytes(content[:size])) >= 0


@pytest.mark.parametrize("first", [0x01, 0x7F, 0xEB, 0xFF])
def test_boot_sector_of_a_file_system_is_no_partition_table(first: int) -> None:
    code = bytes([first]) + b"Insert another disk and press any key".ljust(63, b".")
    assert end(b"\0" * 446 + code + b"\x55\xaa") == 0


def test_last_partition_counts() -> None:
    entries = b"".join(struct.pack("<B3xB3xII", 0, 0x83, at, 10) for at in (1, 500, 100))
    assert end((b"\0" * 446 + entries).ljust(510, b"\0") + b"\x55\xaa") == 510 * 512


def test_large_ext_file_system_has_all_of_its_blocks() -> None:
    block = bytearray(2048)
    block[1024 + 4 : 1024 + 8] = struct.pack("<I", 1)
    block[1024 + 24 : 1024 + 28] = struct.pack("<I", 2)
    block[1080:1082] = b"\x53\xef"
    assert end(bytes(block)) == 4096
    block[1024 + 96 : 1024 + 100] = struct.pack("<I", 0x80)
    block[1024 + 336 : 1024 + 340] = struct.pack("<I", 1)
    assert end(bytes(block)) == 4096 * ((1 << 32) + 1)
