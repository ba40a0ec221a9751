# SPDX-License-Identifier: Apache-2.0
"""The hybrid ISO: GRUB for BIOS and UEFI, CD and USB stick; the way of grub-mkrescue, signed."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from pextra_image import grub
from pextra_image.architecture import Architecture
from pextra_image.extras import PLAIN, Extras
from pextra_image.files import sha256_of
from pextra_image.run import Programs, require

PROGRAMS = {
    "cpio": "cpio",
    "grub-mkimage": "grub-common",
    "mcopy": "mtools",
    "mkfs.vfat": "dosfstools",
    "xorriso": "xorriso",
}

NAMESPACE = uuid.UUID("6e7d8b8a-3d0a-5f0e-9d0e-0d6a3b0b7c11")
"""Of the identifiers of media (RFC 9562, version 5)."""

BIOS_MODULES = (
    "all_video", "biosdisk", "chain", "configfile", "echo", "ext2", "fat", "iso9660", "linux",
    "minicmd", "normal", "part_gpt", "part_msdos", "regexp", "search", "search_fs_file",
    "search_label", "serial", "terminal", "test",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Medium:
    """What a medium says of itself.

    :ivar uuid: follows from the contents, so it is unique to a build and the same when repeated.
    :ivar product: name and version.
    :ivar epoch: of all times on it.
    """

    uuid: str
    product: str
    architecture: Architecture
    epoch: int
    installer: bool
    extras: Extras = PLAIN


def identifier(parts: Path, product: str, extras: Extras) -> str:
    """Work out the identifier of the medium with a root file system, and what it has besides."""
    contents = f"{product} {sha256_of(parts / 'filesystem.squashfs')}"
    for extra in extras.files:
        contents += f" {extra.name} {hashlib.sha256(extra.data).hexdigest()}"
    return str(uuid.uuid5(NAMESPACE, contents))


def make(programs: Programs, parts: Path, medium: Medium, output: Path) -> None:
    """Make an ISO.

    :param parts: the folder of the root file system, see root.make_root.
    :param output: the file; a folder beside it is used while it is made.
    """
    require(PROGRAMS)
    tree = output.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    live, disk, loader = tree / "live", tree / ".disk", tree / "boot/grub"
    for folder in (live, disk, loader):
        folder.mkdir(parents=True)
    for name in ("filesystem.squashfs", "vmlinuz", "initrd.img"):
        os.link(parts / name, live / name)
    # The installer compares it before it touches a disk.
    squashfs = live / "filesystem.squashfs"
    beside = squashfs.with_name(f"{squashfs.name}.sha256")
    beside.write_text(f"{sha256_of(squashfs)}  {squashfs.name}\n")
    for extra in medium.extras.files:
        path = tree / "pextra" / extra.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(extra.data)
    (disk / "info").write_text(f"{medium.product}\n")
    (disk / "live-uuid-pextra").write_text(f"{medium.uuid}\n")
    (tree / grub.marker(medium.uuid).lstrip("/")).touch()
    answers = medium.extras.answers
    (loader / "grub.cfg").write_text(
        grub.menu(medium.product, medium.installer, medium.architecture, answers=answers)
    )
    _write_uuid_initramfs(programs, medium, live / "uuid.img")
    bios = parts / "boot/grub/i386-pc" if medium.architecture.bios else None
    if bios is not None:
        _write_bios(programs, bios, medium, loader / "i386-pc")
    _write_efi(programs, parts / "boot", medium, tree)
    _same_times(tree, medium.epoch)
    _xorriso(programs, bios, medium, tree, output)
    shutil.rmtree(tree)


def _write_uuid_initramfs(programs: Programs, medium: Medium, path: Path) -> None:
    """Write what live-boot compares with the files .disk/live-uuid* of the media that it finds."""
    folder = path.with_suffix(".dir")
    (folder / "conf").mkdir(parents=True)
    (folder / "conf/uuid.conf").write_text(f"{medium.uuid}\n")
    _same_times(folder, medium.epoch)
    argv = ["cpio", "--create", "--format=newc", "--reproducible", "--owner=0:0", "--quiet"]
    argv += [f"--file={path.resolve()}"]
    programs.read(argv, cwd=folder, given="conf\nconf/uuid.conf\n")
    shutil.rmtree(folder)


def _write_bios(programs: Programs, modules: Path, medium: Medium, folder: Path) -> None:
    folder.mkdir()
    early = folder / "early.cfg"
    early.write_text(grub.first_stage(medium.uuid))
    programs.run(["grub-mkimage", "--format=i386-pc-eltorito", f"--directory={modules}",
                  "--prefix=/boot/grub", f"--config={early}", "--compression=xz",
                  f"--output={folder / 'eltorito.img'}", *BIOS_MODULES])  # fmt: skip
    early.unlink()


def _write_efi(programs: Programs, loaders: Path, medium: Medium, tree: Path) -> None:
    """Make the EFI system partition, and the same files in the ISO for tools that copy it."""
    for name, source in medium.architecture.loaders.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(loaders / source, tree / name)
    # Debian's signed GRUB looks here, whatever it was loaded from.
    (tree / "EFI/debian").mkdir()
    (tree / "EFI/debian/grub.cfg").write_text(grub.first_stage(medium.uuid))
    _same_times(tree / "EFI", medium.epoch)
    image = tree / "boot/grub/efi.img"
    size = sum(path.stat().st_size for path in (tree / "EFI").rglob("*") if path.is_file())
    blocks = (size // 1024 + 512 + 31) // 32 * 32
    env = {"SOURCE_DATE_EPOCH": str(medium.epoch), "TZ": "UTC0", "MTOOLS_SKIP_CHECK": "1"}
    serial = medium.uuid.replace("-", "")[:8]
    programs.run(["mkfs.vfat", "--invariant", "-i", serial, "-n", "EFI", "-C", image, str(blocks)],
                 env=env)  # fmt: skip
    folders = sorted({f"::{path.relative_to(tree)}" for path in (tree / "EFI").rglob("*")
                      if path.is_dir()})  # fmt: skip
    programs.run(["mmd", "-i", image, "::EFI", *folders], env=env)
    for path in sorted(path for path in (tree / "EFI").rglob("*") if path.is_file()):
        programs.run(["mcopy", "-m", "-i", image, path, f"::{path.relative_to(tree)}"], env=env)


def _same_times(tree: Path, epoch: int) -> None:
    for path in (tree, *tree.rglob("*")):
        # Files linked from the cache get it there too, where nobody looks at it.
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def _xorriso(
    programs: Programs, bios: Path | None, medium: Medium, tree: Path, output: Path
) -> None:
    """Write the tree as an ISO that is a disk too; from a BIOS only with GRUB's modules for it."""
    when = time.strftime("%Y%m%d%H%M%S00", time.gmtime(medium.epoch))
    argv: list[str | Path] = ["xorriso", "-as", "mkisofs", "-r", "-iso-level", "3"]
    argv += ["-volid", "PEXTRA_CE", "-publisher", "pextra-ce", "-appid", medium.uuid]
    argv += [f"--modification-date={when}", "--set_all_file_dates", when]
    if bios is not None:
        argv += ["-b", "boot/grub/i386-pc/eltorito.img", "-no-emul-boot", "-boot-load-size", "4"]
        argv += ["-boot-info-table", "--grub2-boot-info"]
        argv += ["--grub2-mbr", bios / "boot_hybrid.img"]
    argv += ["--efi-boot", "boot/grub/efi.img", "-efi-boot-part", "--efi-boot-image"]
    argv += ["--protective-msdos-label", "--gpt_disk_guid", medium.uuid.replace("-", "")]
    argv += ["-o", output, tree, "--sort-weight", "0", "/", "--sort-weight", "1", "/boot"]
    programs.run(argv, env={"SOURCE_DATE_EPOCH": str(medium.epoch), "TZ": "UTC0"})
