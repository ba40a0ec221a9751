# Copyright: pextra-ce contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the initial RAM disk, which is the guest's whole root file system."""

from __future__ import annotations

import gzip
import io
import stat
from dataclasses import dataclass, field
from pathlib import Path

from .kernel import Kernel
from .run import run

_DIRECTORIES = (
    "bin", "dev", "etc", "mnt", "proc", "root", "run", "sbin", "sys", "tmp", "usr", "var",
)  # fmt: skip


@dataclass(slots=True)
class Cpio:
    """An archive in the `newc` format that the kernel unpacks.

    Format: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel's source.
    """

    _stream: io.BytesIO = field(default_factory=io.BytesIO)
    _names: set[str] = field(default_factory=set)

    def add(
        self, name: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)
    ) -> None:
        """Add one entry; directories above it are added when they are missing."""
        if name in self._names:
            return
        parent = name.rpartition("/")[0]
        if parent:
            self.add(parent, stat.S_IFDIR | 0o755)
        self._names.add(name)
        self._write(name, mode, content, device)

    def file(self, name: str, content: bytes, mode: int = 0o644) -> None:
        """Add a regular file."""
        self.add(name, stat.S_IFREG | mode, content)

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self.add(name, stat.S_IFLNK | 0o777, target.encode())

    def finish(self) -> bytes:
        """Return the archive, compressed; the same content gives the same bytes."""
        self._write("TRAILER!!!", 0, b"", (0, 0))
        return gzip.compress(self._stream.getvalue(), compresslevel=6, mtime=0)

    def _write(self, name: str, mode: int, content: bytes, device: tuple[int, int]) -> None:
        inode = len(self._names)
        encoded = name.encode() + b"\0"
        fields = (
            inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(encoded), 0,
        )  # fmt: skip
        self._stream.write(b"070701" + b"".join(b"%08X" % value for value in fields) + encoded)
        self._pad()
        self._stream.write(content)
        self._pad()

    def _pad(self) -> None:
        self._stream.write(b"\0" * (-self._stream.tell() % 4))


def build(kernel: Kernel, busybox: Path, guest: Path) -> bytes:
    """Return the compressed initial RAM disk.

    :param busybox: the statically linked program that is every command of the guest.
    :param guest: directory whose files are copied to the guest's root; scripts become executable.
    """
    cpio = Cpio()
    for name in _DIRECTORIES:
        cpio.add(name, stat.S_IFDIR | 0o755)
    # The kernel opens it for the first process before anything is mounted.
    cpio.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    cpio.file("bin/busybox", busybox.read_bytes(), 0o755)
    cpio.link("init", "bin/busybox")
    for path in sorted(guest.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            mode = 0o755 if content.startswith(b"#!") else 0o644
            cpio.file(str(path.relative_to(guest)), content, mode)
    for applet in run([str(busybox), "--list-full"]).split():
        cpio.link(applet, "/bin/busybox")
    directory = f"lib/modules/{kernel.release}"
    for module in kernel.modules:
        cpio.file(f"{directory}/{module.path}", module.content)
    cpio.file(f"{directory}/modules.dep", kernel.modules_dep().encode())
    cpio.file(f"{directory}/modules.alias", kernel.modules_alias().encode())
    return cpio.finish()
