# Copyright: pextra-ce contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between the two architectures of the platform."""

from __future__ import annotations

from dataclasses import dataclass

from .run import BuildError, run


@dataclass(frozen=True, slots=True)
class Platform:
    """One Debian architecture: its GRUB, firmware file name and serial console.

    `packages` are unpacked for the build and never installed: a node's own boot loader depends
    on the exact version of grub-common, and busybox-static would replace an installed busybox.
    """

    architecture: str
    efi_format: str
    efi_file: str
    serial_console: str
    packages: tuple[str, ...]
    bios_format: str | None = None

    @property
    def kernel_package(self) -> str:
        """Debian's metapackage of the kernel that has drivers for all that QEMU offers."""
        return f"linux-image-{self.architecture}"


PLATFORMS = {
    "amd64": Platform(
        architecture="amd64",
        efi_format="x86_64-efi",
        efi_file="BOOTX64.EFI",
        serial_console="ttyS0,115200",
        packages=("busybox-static", "grub-common", "grub-pc-bin", "grub-efi-amd64-bin"),
        bios_format="i386-pc",
    ),
    "arm64": Platform(
        architecture="arm64",
        efi_format="arm64-efi",
        efi_file="BOOTAA64.EFI",
        serial_console="ttyAMA0,115200",
        packages=("busybox-static", "grub-common", "grub-efi-arm64-bin"),
    ),
}


def this_machine() -> Platform:
    """Return the platform of the machine that builds, which is the one that will run the guest."""
    architecture = run(["dpkg", "--print-architecture"]).strip()
    if architecture not in PLATFORMS:
        raise BuildError(
            f"The demo guest is built for {' and '.join(PLATFORMS)}, this machine is {architecture}"
        )
    return PLATFORMS[architecture]
