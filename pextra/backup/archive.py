# SPDX-License-Identifier: Apache-2.0
"""A backup's file: a tar archive that can be read and checked without the platform.

Its members are ``manifest.json``, the volumes as ``volumes/N.qcow2``, and last ``SHA256SUMS``, as
sha256sum(1) writes it. A file without the last member is not whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any

from pextra.model.errors import HostError, InputError

FORMAT = 2
"""What this program knows; it is written where secrets in the manifest are encrypted."""
PLAIN = 1
"""What earlier programs know too."""
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
_MOST = 16 << 20
"""Bytes that a manifest or the sums can have."""
_BLOCK = 1 << 20
UNFINISHED = ".unfinished"
Said = Mapping[str, Any]
"""A manifest as it was read: JSON whose content nobody has checked."""


def member_of(index: int) -> str:
    """The name of a volume's content in the archive."""
    return f"volumes/{index}.qcow2"


class _Summed:
    """A file that is read once, and the sum of what was read."""

    def __init__(self, file: IO[bytes], told: Callable[[int], None]) -> None:
        self._file = file
        self._told = told
        self.sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        self.sum.update(data)
        self._told(len(data))
        return data


def write(
    path: str,
    manifest: Mapping[str, object],
    contents: Sequence[str],
    told: Callable[[int], None] = lambda _count: None,
) -> None:
    """Write an archive of these volumes' files, whole or not at all; only its owner reads it.

    Raises:
        HostError: It cannot be written; what was begun is removed.
    """
    unfinished = path + UNFINISHED
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(unfinished, flags, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            _fill(file, manifest, contents, told)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        raise HostError(
            f"backup {path} could not be written: {error.strerror}",
            hint="Free space on that file system" if error.errno == 28 else None,
        ) from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)


def _fill(
    file: IO[bytes],
    manifest: Mapping[str, object],
    contents: Sequence[str],
    told: Callable[[int], None],
) -> None:
    sums: list[tuple[str, str]] = []
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        text = json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n"
        _add(archive, MANIFEST, io.BytesIO(text), len(text), sums, told)
        for index, source in enumerate(contents):
            with open(source, "rb") as opened:
                size = os.fstat(opened.fileno()).st_size
                _add(archive, member_of(index), opened, size, sums, told)
        lines = "".join(f"{digest}  {name}\n" for digest, name in sums).encode()
        _add(archive, SUMS, io.BytesIO(lines), len(lines), sums, told)


def _add(
    archive: tarfile.TarFile,
    name: str,
    file: IO[bytes],
    size: int,
    sums: list[tuple[str, str]],
    told: Callable[[int], None],
) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    summed = _Summed(file, told)
    archive.addfile(info, summed)
    sums.append((summed.sum.hexdigest(), name))


@contextlib.contextmanager
def _readable(path: str) -> Iterator[tarfile.TarFile]:
    """The archive, with every way of being damaged as one error.

    Raises:
        InputError: It is missing, or damaged.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            yield archive
    except FileNotFoundError:
        raise InputError(f"backup {path} does not exist on this node") from None
    except (tarfile.TarError, EOFError, ValueError, KeyError, OverflowError) as error:
        raise InputError(
            f"backup {path} is damaged, or no backup: {error}",
            hint="Nothing was changed. Use another backup",
        ) from None
    except OSError as error:
        raise InputError(f"backup {path} cannot be read: {error.strerror}") from None


def read_manifest(path: str) -> Said:
    """The manifest, unchecked but for its form.

    Raises:
        InputError: The file is missing, or no backup, or of a newer format.
    """
    with _readable(path) as archive:
        first = archive.next()
        if first is None or first.name != MANIFEST or not first.isreg() or first.size > _MOST:
            raise ValueError("it does not begin with a manifest")
        found = json.loads(_bytes(archive, first))
        if not isinstance(found, dict) or not isinstance(found.get("format"), int):
            raise ValueError("its manifest is none")
        if found["format"] > FORMAT:
            raise InputError(
                f"backup {path} has format {found['format']}, this program knows up to {FORMAT}",
                hint="Upgrade pextra.ce",
            )
        return found


def verify(path: str, volumes: int) -> None:
    """See that every byte is as it was written, and that nothing is missing or too much.

    Raises:
        InputError: It is not.
    """
    with _readable(path) as archive:
        found: list[tuple[str, str]] = []
        expected = [MANIFEST, *(member_of(index) for index in range(volumes)), SUMS]
        said = ""
        for member in archive:
            place = len(found)
            if place >= len(expected) or member.name != expected[place] or not member.isreg():
                raise ValueError(f"{member.name[:80]!r} does not belong there")
            if member.name == SUMS:
                said = _bytes(archive, member).decode()
            digest = hashlib.sha256()
            for block in _blocks(archive, member):
                digest.update(block)
            found.append((digest.hexdigest(), member.name))
        if len(found) != len(expected):
            raise ValueError(f"{expected[len(found)]} is missing")
        if said != "".join(f"{digest}  {name}\n" for digest, name in found[:-1]):
            raise ValueError("its checksums differ")


def extract(path: str, index: int, target: str) -> None:
    """Write a volume's content to a file that only root reads, whole or not at all.

    Raises:
        InputError: The archive is damaged.
        HostError: The file cannot be written.
    """
    unfinished = target + UNFINISHED
    with _readable(path) as archive:
        member = archive.getmember(member_of(index))
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(unfinished, flags, 0o600), "wb") as file:
                for block in _blocks(archive, member):
                    file.write(block)
            os.replace(unfinished, target)
        except OSError as error:
            raise HostError(
                f"{target} could not be written: {error.strerror}",
                hint="Free space on that file system" if error.errno == 28 else None,
            ) from None


def _bytes(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > _MOST:
        raise ValueError(f"{member.name} is too large")
    return b"".join(_blocks(archive, member))


def _blocks(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    file = archive.extractfile(member)
    if file is None:
        raise ValueError(f"{member.name} is no file")
    left = member.size
    while left:
        block = file.read(min(left, _BLOCK))
        if not block:
            raise ValueError("it ends too early")
        left -= len(block)
        yield block
