# SPDX-License-Identifier: Apache-2.0
"""Disk image files: what they are, and making them whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import stat
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from pextra.host.hypervisor import extents, not_images, qcow2
from pextra.host.hypervisor.empty_images import EmptyImage
from pextra.model.errors import HostError, InputError

_SECTOR = 512
_UNFINISHED = ".unfinished"
_CRYPT = slice(32, 36)
"""Where a qcow2 header says how the image is encrypted; 0 is not at all."""
_MARK = "user.pextra.volume"
"""The extended attribute of an image that was made here."""
_AGAIN = "Copy or download it again, and compare its checksum"
_LEAKS = 3
"""What qemu-img check ends with where space is lost and no data."""


@dataclass(frozen=True, slots=True)
class Image:
    """A disk image file.

    Attributes:
        path: Where it is.
        format: ``qcow2`` or ``raw``.
        size: Bytes that a guest sees.
        allocated: Bytes that it takes on the file system.
        damage: What is wrong with it.
    """

    path: str
    format: str
    size: int
    allocated: int
    damage: str | None = None


def look(path: str, format: str) -> Image | None:
    """The image of a volume, whose format is known; None where there is nothing.

    What a guest has written never tells the format: a raw disk may begin as a qcow2 image does.

    Raises:
        HostError: It cannot be read.
    """
    try:
        found = _opened(path)
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}") from None
    if found is None:
        return None
    head, size, allocated = found
    if format != "qcow2":
        return Image(path, format, size, allocated)
    inside, damage = qcow2.size(head), qcow2.damage(head, size)
    return Image(path, format, size if inside is None else inside, allocated, damage)


def probe(path: str) -> Image | None:
    """The image that somebody has put at a path, as its header tells; None where there is nothing.

    Raises:
        InputError: It is neither a regular file nor a block device.
    """
    try:
        found = _opened(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    if found is None:
        return None
    head, size, allocated = found
    inside = qcow2.size(head)
    if inside is None:
        return Image(path, "raw", size, allocated)
    return Image(path, "qcow2", inside, allocated)


def _opened(path: str) -> tuple[bytes, int, int] | None:
    """The first bytes of a file or block device, its size, and what it takes."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        status = os.fstat(descriptor)
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISBLK(status.st_mode)):
            raise OSError(errno.EINVAL, "it is no regular file")
        head = os.read(descriptor, _SECTOR)
        return head, os.lseek(descriptor, 0, os.SEEK_END), status.st_blocks * 512
    finally:
        os.close(descriptor)


def check_source(path: str) -> Image:
    """The image that a volume is to be filled from.

    A qcow2 image that reads other files (a backing or data file) is refused, because it could
    name any file of the host; so is what is no disk image at all.

    Raises:
        InputError: The file is missing, or not acceptable as a source.
    """
    image = probe(path)
    if image is None:
        raise InputError(f"image {path} does not exist on this node")
    with open(path, "rb") as file:
        head = file.read(36864)
    if image.format == "qcow2":
        backing, incompatible = struct.unpack(">Q", head[8:16])[0], 0
        if struct.unpack(">I", head[4:8])[0] >= 3:
            incompatible = struct.unpack(">Q", head[72:80])[0]
        if any(head[_CRYPT]):
            raise InputError(
                f"image {path} is encrypted",
                hint="Decrypt it first: qemu-img convert, with its key as a --object",
            )
        if backing or incompatible & 0b100:
            raise InputError(
                f"image {path} refers to another file",
                hint="Make it stand alone: qemu-img convert -O qcow2 SOURCE TARGET",
            )
        return image
    bootable = head[510:512] == b"\x55\xaa"
    optical = head[32769:32774] == b"CD001"
    extended = head[1080:1082] == b"\x53\xef"
    if not (bootable or optical or extended or head[:4] == b"XFSB"):
        raise InputError(
            f"image {path} is no disk image",
            hint=not_images.advice(head)
            or "Neither qcow2 nor a raw disk with a partition table, boot record or file system",
        )
    return image


def whole_source(path: str) -> Image:
    """The image that a volume is to be filled from, which is acceptable and all there.

    Raises:
        InputError: The file is missing, not acceptable as a source, cut off or damaged.
        HostError: qemu-img is missing.
    """
    image = check_source(path)
    check_whole(image)
    return image


def check_whole(image: Image) -> None:
    """See that a disk image that somebody has put there is all there, before and after its copying.

    Raises:
        InputError: It is cut off or damaged.
        HostError: qemu-img is missing.
    """
    status = os.stat(image.path)
    _check_whole(image, (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))


@functools.lru_cache
def _check_whole(image: Image, _identity: tuple[int, ...]) -> None:
    """Once for each state of the file: a plan is made several times."""
    if image.format == "qcow2":
        done = _qemu_img("check", "-q", "-U", "-f", "qcow2", image.path)
        if done.returncode not in (0, _LEAKS):
            lines = (done.stdout + done.stderr).splitlines()
            told = next((line for line in lines if "ERROR" in line or "rror" in line), "")
            raise InputError(
                f"image {image.path} is damaged or cut off: qemu-img check found errors"
                + (f", such as: {told.strip()[:200]}" if told else ""),
                hint=_AGAIN,
            )
        _refuse_cut(image.path, *_last_cluster(image.path))
        return
    _refuse_cut(image.path, image.size, *_end(image))


def check_medium(path: str) -> None:
    """See that the image of a medium is all there, as far as the medium says how long it is.

    Raises:
        InputError: It is cut off.
    """
    image = probe(path)
    if image is not None:
        _refuse_cut(path, image.size, *_end(image))


def _end(image: Image) -> tuple[int, str]:
    """Bytes that a raw disk must have, and what says so."""
    with open(image.path, "rb") as file:

        def read(start: int, count: int) -> bytes:
            return os.pread(file.fileno(), count, start) if start < image.size else b""

        return extents.end(read)


def _last_cluster(path: str) -> tuple[int, int, str]:
    """Bytes that a qcow2 file has, those that it must have, and what says so.

    qemu-img check finds no fault with a file that ends within its last cluster: metadata may.
    """
    length = os.stat(path).st_size
    with open(path, "rb") as file:
        if length % qcow2.cluster(file.read(_SECTOR)) == 0:
            return length, 0, ""
    parts = json.loads(run("map", "-U", "-f", "qcow2", "--output=json", path))
    ends = [part["offset"] + part["length"] for part in parts if "offset" in part]
    return length, max(ends, default=0), "clusters"


def _refuse_cut(path: str, size: int, end: int, what: str) -> None:
    if end > size:
        raise InputError(
            f"image {path} is cut off: it has {size} bytes, and by its {what} {end}", hint=_AGAIN
        )


def create(path: str, format: str, size: int, source: str | None) -> None:
    """Make an image file, empty or filled from a source; it appears complete or not at all.

    Raises:
        HostError: It could not be made; what was begun is removed.
    """
    unfinished = path + _UNFINISHED
    with _removed_on_failure(unfinished, path):
        if source is not None:
            found = whole_source(source)
            convert(source, found.format, unfinished, format)
            check_whole(Image(unfinished, format, found.size, 0))
            if found.size < size:
                run("resize", "-q", "-f", format, unfinished, str(size))
        elif format == "raw":
            with open(unfinished, "wb") as file:
                file.truncate(size)
        else:
            run("create", "-q", "-f", format, unfinished, str(size))
        _publish(unfinished, path)


def copy(template: EmptyImage, path: str) -> None:
    """Make an image that is like an empty one just made.

    Raises:
        HostError: It could not be made; what was begun is removed.
    """
    unfinished = path + _UNFINISHED
    with _removed_on_failure(unfinished, path):
        template.copy(unfinished)
        _publish(unfinished, path)


def grow(path: str, format: str, size: int) -> None:
    """Make the image of a stopped instance larger.

    Raises:
        HostError: qemu-img refused, for example because the image is in use.
    """
    run("resize", "-q", "-f", format, path, str(size))


def remove(path: str) -> None:
    """Remove an image and what an interrupted run left of it."""
    for name in (path, path + _UNFINISHED):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _publish(unfinished: str, path: str) -> None:
    os.chmod(unfinished, 0o600)
    try:
        os.setxattr(unfinished, _MARK, os.path.basename(path).encode())
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
    if is_made(path):
        remove_quietly(unfinished)
    else:
        os.replace(unfinished, path)


def is_made(path: str) -> bool:
    """Whether an image is there already, because another run has made it.

    Raises:
        HostError: A file that was not made here is in its place.
    """
    if not os.path.lexists(path):
        return False
    if not is_ours(path):
        raise HostError(f"somebody else has made {path} meanwhile", hint="Move it away")
    return True


def is_ours(path: str) -> bool:
    """Whether an image was made here, and is not a file that somebody has put in its place.

    Where the file system keeps no marks, what only root reads and writes counts as ours.
    """
    try:
        return os.getxattr(path, _MARK) == os.path.basename(path).encode()
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            return False
    return stat.S_IMODE(os.stat(path).st_mode) == 0o600


@contextlib.contextmanager
def _removed_on_failure(unfinished: str, path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remove_quietly(unfinished)
        raise HostError(
            f"image {path} could not be made: {error.strerror}",
            hint="Free space on that file system" if error.errno == errno.ENOSPC else None,
        ) from None
    except BaseException:
        remove_quietly(unfinished)
        raise


def remnant(path: str) -> bool:
    """Whether an interrupted run left an unfinished image."""
    return os.path.exists(path + _UNFINISHED)


def remove_quietly(path: str) -> None:
    """Remove a file if it is there."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def convert(source: str, source_format: str, target: str, format: str) -> None:
    """Copy an image into a file, or onto a block device, and see that it is on the disk.

    qemu-img leaves what it wrote to the kernel, and does not hear of it when that fails later: on
    a full NFS server or thin pool. Whoever has had the target open since before is told.

    Raises:
        HostError: qemu-img failed, or the disk did not take all of it.
    """
    onto = os.path.exists(target) and not os.path.isfile(target)
    flags = os.O_WRONLY | os.O_CLOEXEC | (0 if onto else os.O_CREAT)
    try:
        descriptor = os.open(target, flags, 0o600)
        try:
            given = ["-n"] if onto else []
            run("convert", *given, "-f", source_format, "-O", format, source, target)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise HostError(
            f"writing {target} failed: {error.strerror}",
            hint="Free space where it is" if error.errno == errno.ENOSPC else None,
        ) from None


def run(*arguments: str) -> str:
    """The output of qemu-img.

    Raises:
        HostError: It is missing or failed.
    """
    done = _qemu_img(*arguments)
    if done.returncode != 0:
        text = " ".join(done.stderr.split()) or f"status {done.returncode}"
        raise HostError(f"qemu-img {arguments[0]} failed: {text}")
    return done.stdout


def _qemu_img(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["/usr/bin/qemu-img", *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise HostError(
            "qemu-img is missing on this host", hint="Install the package qemu-utils"
        ) from None
