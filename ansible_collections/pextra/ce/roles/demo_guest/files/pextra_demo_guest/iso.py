# Copyright: pextra-ce contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the ISO that starts from BIOS and UEFI, with GRUB and without a menu."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .platform import Platform
from .run import run

VOLUME_ID = "PEXTRA_DEMO"
# Everything in the image carries one date, so that the same input gives the same image.
_ENVIRONMENT = {"SOURCE_DATE_EPOCH": "1672531200", "TZ": "UTC"}
_FILE_DATE = "2023010100000000"
_FLOPPY_KIB = "1440"
MINIMUM_MEMORY_MIB = 384
KERNEL = "demo-guest/vmlinuz"
INITRD = "demo-guest/initrd"
_BIOS_IMAGE = "demo-guest/bios.img"
_EFI_IMAGE = "demo-guest/efi.img"
_COMMON_MODULES = ("echo", "iso9660", "linux", "search_fs_file")


def _grub_script(platform: Platform) -> str:
    """Return the commands built into GRUB; the last one is only reached when `boot` fails.

    The drive is found by a file, because UEFI starts GRUB from an image inside the ISO.
    Without hardware virtualization the kernel's test of the timer interrupt may fail on a busy
    host and is left out.
    """
    return (
        f"search.file /{KERNEL} root\n"
        f"linux /{KERNEL} console={platform.serial_console} quiet no_timer_check\n"
        f"initrd /{INITRD}\n"
        "boot\n"
        f"echo pextra-demo: not started. It needs {MINIMUM_MEMORY_MIB} MiB of memory.\n"
    )


@dataclass(frozen=True, slots=True)
class _Grub:
    """GRUB as unpacked below `root`, with the commands that it is to run."""

    root: Path
    script: Path

    def image(self, grub_format: str, module: str, output: Path) -> None:
        """Write a GRUB that carries its modules and its commands in itself."""
        directory = self.root / "usr/lib/grub" / grub_format.removesuffix("-eltorito")
        run(
            [str(self.root / "usr/bin/grub-mkimage"), "--directory", str(directory),
             "--format", grub_format, "--prefix", "/", "--config", str(self.script),
             "--output", str(output), *_COMMON_MODULES, module]
        )  # fmt: skip


def _efi_partition(platform: Platform, program: Path, output: Path) -> None:
    """Write a FAT image with `program` where UEFI firmware looks for it."""
    run(["mformat", "-i", str(output), "-C", "-f", _FLOPPY_KIB, "-N", "0", "::"], env=_ENVIRONMENT)
    run(["mmd", "-i", str(output), "::/EFI", "::/EFI/BOOT"], env=_ENVIRONMENT)
    run(
        ["mcopy", "-i", str(output), str(program), f"::/EFI/BOOT/{platform.efi_file}"],
        env=_ENVIRONMENT,
    )


def build(platform: Platform, unpacked: Path, tree: Path, scratch: Path) -> Path:
    """Return the path of the finished ISO below `scratch`.

    :param unpacked: root of the unpacked GRUB packages.
    :param tree: what the ISO holds, with the kernel and the initial RAM disk in place.
    """
    script = scratch / "grub.cfg"
    script.write_text(_grub_script(platform), encoding="ascii")
    grub = _Grub(unpacked, script)
    boot: list[str] = []
    if platform.bios_format:
        grub.image(f"{platform.bios_format}-eltorito", "biosdisk", tree / _BIOS_IMAGE)
        boot += [
            "-b", _BIOS_IMAGE, "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
            "--grub2-boot-info", "-eltorito-alt-boot",
        ]  # fmt: skip
    grub.image(platform.efi_format, "efi_gop", scratch / "grub.efi")
    _efi_partition(platform, scratch / "grub.efi", tree / _EFI_IMAGE)
    boot += ["-e", _EFI_IMAGE, "-no-emul-boot"]
    output = scratch / "demo-guest.iso"
    run(
        ["xorriso", "-as", "mkisofs", "-quiet", "-r", "-V", VOLUME_ID, "-o", str(output),
         "--set_all_file_dates", _FILE_DATE, *boot, str(tree)],
        env=_ENVIRONMENT,
    )  # fmt: skip
    return output
