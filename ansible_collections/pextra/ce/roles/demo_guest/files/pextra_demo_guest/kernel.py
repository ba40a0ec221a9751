# Copyright: pextra-ce contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the kernel and the few drivers that a virtual machine needs out of a kernel package."""

from __future__ import annotations

import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .run import BuildError

# What QEMU offers as disks, CD-ROMs, network devices and the power button, and a file system for
# who wants to try a volume. A driver that a kernel does not have (the cloud kernel has no AHCI) is
# left out: its devices are then not seen.
REQUIRED_DRIVERS = ("virtio_pci", "virtio_blk", "virtio_net", "isofs", "button", "evdev")
OPTIONAL_DRIVERS = (
    "virtio_scsi", "virtio_rng", "virtio_balloon", "sd_mod", "sr_mod", "ahci", "ata_piix",
    "e1000", "e1000e", "crc32c_generic", "ext4",
)  # fmt: skip

_INFO = re.compile(rb"\0(depends|alias)=([^\0]*)")


@dataclass(frozen=True, slots=True)
class Module:
    """A kernel module: `path` is relative to /lib/modules/RELEASE."""

    name: str
    path: str
    content: bytes
    depends: tuple[str, ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel image and its modules, each after those that it depends on."""

    release: str
    image: bytes
    modules: tuple[Module, ...]

    def modules_dep(self) -> str:
        """Return modules.dep as depmod would write it: all dependencies, nearest first."""
        by_name = {module.name: module for module in self.modules}

        def closure(module: Module) -> list[str]:
            found: list[str] = []
            for name in module.depends:
                needed = by_name.get(name)
                if needed:
                    found += [needed.path, *closure(needed)]
            return list(dict.fromkeys(reversed(found)))[::-1]

        return "".join(
            f"{' '.join([f'{module.path}:', *closure(module)])}\n" for module in self.modules
        )

    def modules_alias(self) -> str:
        """Return modules.alias, by which modprobe finds the driver of a device."""
        return "".join(
            f"alias {alias} {module.name}\n" for module in self.modules for alias in module.aliases
        )


class _Archive:
    """A kernel package's files by name; modules by their name with underscores."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._members = {member.name.removeprefix("./"): member for member in archive}
        images = [name for name in self._members if name.startswith("boot/vmlinuz-")]
        if len(images) != 1:
            raise BuildError("The package holds no kernel: no file boot/vmlinuz-*")
        self.image = images[0]
        self.release = images[0].removeprefix("boot/vmlinuz-")
        # Debian 13 has moved the directory below /usr and compresses modules.
        self._modules = {
            _module_name(name): name for name in self._members if name.endswith((".ko", ".ko.xz"))
        }
        self.builtin = {
            _module_name(line)
            for name in self._members
            if name.endswith("/modules.builtin")
            for line in self.read(name).decode().splitlines()
        }

    def read(self, name: str) -> bytes:
        stream: IO[bytes] | None = self._archive.extractfile(self._members[name])
        if stream is None:
            raise BuildError(f"{name} in the kernel package is no regular file")
        return stream.read()

    def module(self, name: str) -> Module | None:
        """Return a module, None when it is built in or the kernel does not have it."""
        file_name = self._modules.get(name)
        if file_name is None:
            return None
        content = self.read(file_name)
        depends: list[str] = []
        aliases: list[str] = []
        for key, value in _INFO.findall(content):
            text = value.decode()
            if key == b"depends":
                depends += [part.replace("-", "_") for part in text.split(",") if part]
            else:
                aliases.append(text)
        path = file_name.partition(f"lib/modules/{self.release}/")[2]
        return Module(name, path, content, tuple(depends), tuple(aliases))


def _module_name(path: str) -> str:
    return path.rsplit("/", 1)[-1].partition(".ko")[0].replace("-", "_")


def _collect(archive: _Archive) -> tuple[Module, ...]:
    """Return the drivers and all that they depend on, dependencies first."""
    ordered: dict[str, Module] = {}

    def add(name: str) -> None:
        module = None if name in ordered else archive.module(name)
        if module:
            for needed in module.depends:
                add(needed)
            ordered[name] = module

    for name in (*REQUIRED_DRIVERS, *OPTIONAL_DRIVERS):
        add(name)
    missing = [
        name for name in REQUIRED_DRIVERS if name not in ordered and name not in archive.builtin
    ]
    if missing:
        raise BuildError(f"Kernel {archive.release} has no driver {', '.join(missing)}")
    return tuple(ordered.values())


def extract(package: Path, scratch: Path) -> Kernel:
    """Read the kernel and its drivers from a .deb file, using `scratch` for the unpacked archive.

    :raises BuildError: the file is no kernel package, or lacks a driver that the guest needs.
    """
    with tempfile.TemporaryFile(dir=scratch) as unpacked:
        done = subprocess.run(
            ["dpkg-deb", "--fsys-tarfile", str(package)],
            check=False, stdout=unpacked, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if done.returncode != 0:
            raise BuildError(f"{package.name} cannot be unpacked: {done.stderr.strip()}")
        unpacked.seek(0)
        with tarfile.open(fileobj=unpacked) as opened:
            archive = _Archive(opened)
            return Kernel(archive.release, archive.read(archive.image), _collect(archive))
