# SPDX-License-Identifier: Apache-2.0
"""Writes an ISO to a USB stick, after a look at what would be lost, and reads it back."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pextra_image.files import CHUNK
from pextra_image.run import ImageError, Programs, require

COLUMNS = "NAME,PATH,SIZE,TYPE,RM,HOTPLUG,RO,MODEL,SERIAL,TRAN,FSTYPE,LABEL,MOUNTPOINTS"
SYSTEM = frozenset({"/", "/boot", "/boot/efi", "/usr", "/var", "[SWAP]"})


@dataclass(frozen=True, slots=True)
class Device:
    """A block device, as lsblk tells; size in bytes.

    :ivar mounts: where it, or a part of it, is mounted.
    :ivar contents: a line for each part: name, size, file system, label.
    """

    path: str
    kind: str
    size: int
    removable: bool
    read_only: bool
    model: str
    serial: str
    mounts: tuple[str, ...]
    contents: tuple[str, ...]

    def described(self) -> str:
        """Tell in some lines what would be lost."""
        head = f"{self.path}  {self.size / 10**9:.1f} GB  {self.model or self.kind}"
        serial = f"  serial {self.serial}" if self.serial else ""
        lost = "\n".join(f"  {line}" for line in self.contents) or "  no file system known"
        return f"{head}{serial}\n{lost}"


def is_iso(path: Path) -> bool:
    """Whether a file has the descriptor of an ISO image in its place (ECMA-119, 8)."""
    with path.open("rb") as file:
        file.seek(16 * 2048)
        return file.read(6)[1:] == b"CD001"


def parse(text: str) -> Device:
    """Read what `lsblk --json --bytes` prints of one device."""
    data = json.loads(text)["blockdevices"][0]
    mounts: list[str] = []
    contents: list[str] = []

    def visit(part: dict[str, Any]) -> None:
        mounts.extend(str(point) for point in part.get("mountpoints") or [] if point)
        if part.get("fstype") or part is not data:
            words = [part["name"], f"{part['size'] / 10**9:.1f} GB",
                     part.get("fstype") or "unknown", part.get("label") or ""]  # fmt: skip
            contents.append("  ".join(words).rstrip())
        for child in part.get("children", []):
            visit(child)

    visit(data)
    return Device(
        path=data["path"],
        kind=data["type"],
        size=data["size"],
        removable=bool(data["rm"] or data["hotplug"] or data.get("tran") == "usb"),
        read_only=bool(data["ro"]),
        model=(data.get("model") or "").strip(),
        serial=(data.get("serial") or "").strip(),
        mounts=tuple(mounts),
        contents=tuple(contents),
    )


def look(programs: Programs, path: Path) -> Device:
    """Ask what a device is.

    :raises ImageError: there is none of that name, or it is something else.
    """
    require({"lsblk": "util-linux"})
    if not path.exists():
        raise ImageError(f"There is no device {path}; lsblk lists those that are there")
    if not stat.S_ISBLK(path.stat().st_mode):
        raise ImageError(f"{path} is no block device; lsblk lists those that are there")
    argv: list[str | Path] = ["lsblk", "--json", "--bytes", "--output", COLUMNS, path.resolve()]
    try:
        return parse(programs.read(argv))
    except ImageError:
        raise ImageError(f"{path} is no disk; lsblk lists those that are there") from None


def refusal(device: Device, iso_size: int, fixed_allowed: bool) -> str:
    """Say why a device is not to be written; empty if it may be."""
    if device.kind == "part":
        return "it is a partition: name the whole disk"
    if device.read_only:
        return "it is write-protected"
    if SYSTEM.intersection(device.mounts):
        return f"this system runs from it ({', '.join(sorted(device.mounts))})"
    if device.mounts:
        return f"it is mounted at {', '.join(device.mounts)}: umount it first"
    if device.size < iso_size:
        return f"it has {device.size} bytes, and the ISO {iso_size}"
    if not device.removable and not fixed_allowed:
        return "it is not removable; if it is the one that you mean, add --fixed-disk"
    return ""


def write(iso: Path, device: Path, progress: Callable[[int], None]) -> str:
    """Write an ISO; returns its hash (hex).

    The device is opened exclusively: the kernel refuses it while anything else uses it.

    :param progress: is called with the number of bytes of each piece that was written.
    """
    total = hashlib.sha256()
    try:
        target = os.open(device, os.O_WRONLY | os.O_EXCL | os.O_CLOEXEC)
    except OSError as error:
        raise ImageError(f"{device} cannot be opened: {error.strerror}") from error
    try:
        with iso.open("rb") as source:
            while piece := source.read(CHUNK):
                total.update(piece)
                view = memoryview(piece)
                while view:
                    view = view[os.write(target, view) :]
                progress(len(piece))
        os.fsync(target)
    except OSError as error:
        raise ImageError(f"{device} cannot be written: {error.strerror}") from error
    finally:
        os.close(target)
    return total.hexdigest()


def read_back(device: Path, size: int, progress: Callable[[int], None]) -> str:
    """Read the first bytes of a device from the device itself, not from memory; their hash."""
    total = hashlib.sha256()
    source = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.posix_fadvise(source, 0, size, os.POSIX_FADV_DONTNEED)
        left = size
        while left:
            piece = os.read(source, min(CHUNK, left))
            if not piece:
                raise ImageError(f"{device} ends {left} bytes before the ISO does")
            total.update(piece)
            left -= len(piece)
            progress(len(piece))
    except OSError as error:
        raise ImageError(f"{device} cannot be read: {error.strerror}") from error
    finally:
        os.close(source)
    return total.hexdigest()
