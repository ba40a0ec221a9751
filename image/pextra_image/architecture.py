# SPDX-License-Identifier: Apache-2.0
"""What differs between the architectures of nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Architecture:
    """An architecture that media are made for.

    :ivar machine: the kernel's name of it, which is also in the names of wheels and of QEMU.
    :ivar serial: the kernel's name of the first serial port.
    :ivar bios: whether machines without UEFI start the medium too.
    :ivar loaders: name in the EFI system partition to the file in the root file system, below its
        boot loaders. All are signed by Debian or Microsoft.
    """

    name: str
    machine: str
    serial: str
    bios: bool
    loaders: Mapping[str, str]


AMD64 = Architecture(
    name="amd64",
    machine="x86_64",
    serial="ttyS0",
    bios=True,
    loaders={
        "EFI/BOOT/BOOTX64.EFI": "shim/shimx64.efi.signed",
        "EFI/BOOT/grubx64.efi": "grub/x86_64-efi-signed/gcdx64.efi.signed",
        "EFI/BOOT/mmx64.efi": "shim/mmx64.efi.signed",
    },
)

ARM64 = Architecture(
    name="arm64",
    machine="aarch64",
    serial="ttyAMA0",
    bios=False,
    loaders={
        "EFI/BOOT/BOOTAA64.EFI": "shim/shimaa64.efi.signed",
        "EFI/BOOT/grubaa64.efi": "grub/arm64-efi-signed/gcdaa64.efi.signed",
        "EFI/BOOT/mmaa64.efi": "shim/mmaa64.efi.signed",
    },
)

ARCHITECTURES = {one.name: one for one in (AMD64, ARM64)}
"""By Debian's name."""
