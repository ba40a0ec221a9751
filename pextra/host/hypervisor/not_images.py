# SPDX-License-Identifier: Apache-2.0
"""What a file is that is no disk image, by its first bytes, and what makes an image of it. Pure."""

from __future__ import annotations

_PACKED = {
    b"\xfd7zXZ\0": "xz", b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2",
    b"PK\x03\x04": "zip", b"7z\xbc\xaf": "7z",
}  # fmt: skip
"""What packs files, by what such a file begins with."""
_FORMATS = {
    b"KDMV": "vmdk", b"# Disk DescriptorFile": "vmdk", b"vhdxfile": "vhdx", b"conectix": "vpc",
    b"QED\0": "qed", b"<<<": "vdi",
}  # fmt: skip
"""Formats of images that qemu-img converts, by what such a file begins with."""


def advice(head: bytes) -> str | None:
    """What to do about a file that begins so, to have a disk image."""
    for mark, program in _PACKED.items():
        if head.startswith(mark):
            return f"It is packed with {program}: unpack it first"
    for mark, format in _FORMATS.items():
        if head.startswith(mark):
            return f"It is in the format {format}: qemu-img convert -O qcow2 SOURCE TARGET"
    return "It is a tar archive: unpack it first" if head[257:262] == b"ustar" else None
