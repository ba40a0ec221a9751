"""Reading a bundle: once, from its beginning to its end, and nothing large before it is trusted.

Needs Python 3.9 and gpgv, because it is carried to sites with the import.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from pextra_mirror import files
from pextra_mirror.errors import BundleRefused, MirrorError
from pextra_mirror.listing import BROKEN, Entry, Listing
from pextra_mirror.signature import BadSignature, check_signature

MANIFEST_LIMIT = 64 * 2**20
"""Bytes of a manifest; one of 300,000 packages has as many."""
_SIGNATURE_LIMIT = 64 * 2**10
_NAME_LIMIT = 4096
_PART = re.compile(r"(.*\.)([0-9]{3,})", re.DOTALL)


class Parts:
    """A bundle as one stream: a file, or all parts of one that was split."""

    def __init__(self, first: Path) -> None:
        self.paths = [first]
        if part := _PART.fullmatch(first.name):
            numbers = {}
            for path in first.parent.iterdir():
                other = _PART.fullmatch(path.name)
                if other and other[1] == part[1]:
                    numbers[int(other[2])] = path
            for number in range(1, max(numbers, default=1) + 1):
                if number not in numbers:
                    raise BundleRefused(f"part {part[1]}{number:03} is missing")
            self.paths = [numbers[number] for number in sorted(numbers)]
        self._left = list(self.paths)
        self._file: IO[bytes] | None = None

    def read(self, size: int) -> bytes:
        """Some of the next bytes; none only at the end."""
        while self._file or self._left:
            if self._file is None:
                self._file = self._left.pop(0).open("rb", buffering=0)
            if chunk := self._file.read(size):
                return chunk
            self._file.close()
            self._file = None
        return b""


class Archive:
    """A tar archive that is read in order, of plain files, as GNU tar writes them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._left = 0
        self._buffer = b""

    def _exactly(self, size: int) -> bytes:
        """The next bytes, so many; fewer only at the end."""
        found = [self._buffer[:size]]
        missing = size - len(found[0])
        self._buffer = self._buffer[size:]
        while missing and (chunk := self._parts.read(max(missing, tarfile.BLOCKSIZE))):
            found.append(chunk[:missing])
            self._buffer = chunk[missing:]
            missing -= len(found[-1])
        return b"".join(found)

    def _header(self) -> tarfile.TarInfo | None:
        block = self._exactly(tarfile.BLOCKSIZE)
        if len(block) == tarfile.BLOCKSIZE and not block.strip(b"\0"):
            return None
        try:
            return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.TarError as error:
            raise self.cut(str(error)) from error

    def cut(self, why: str) -> BundleRefused:
        """The error of a bundle that ends too early, or is none."""
        count = len(self._parts.paths)
        return BundleRefused(
            f"the bundle is truncated or damaged ({why}); {count} file(s) were read"
        )

    def expect(self, name: str, limit: int, size: int | None = None) -> None:
        """Go to the next file, which must be this one.

        Args:
            name: Its name.
            limit: Bytes that it has at most, where the size is not known.
            size: Bytes that it has.

        Raises:
            BundleRefused: There is another, or none.
        """
        member = self._header()
        if member is None:
            raise BundleRefused(f"the bundle is truncated: it ends before {name}")
        found = member.name
        if member.type == tarfile.GNUTYPE_LONGNAME and 0 < member.size <= _NAME_LIMIT:
            padded = self._exactly(member.size + -member.size % tarfile.BLOCKSIZE)
            found = padded[: member.size].rstrip(b"\0").decode(errors="replace")
            member = self._header()
        if member is None or found != name or not member.isreg():
            raise BundleRefused(f"the bundle has {found[:200]!r} where {name} belongs")
        if not 0 <= member.size <= limit if size is None else member.size != size:
            raise BundleRefused(f"{name} has {member.size} bytes, which is not what is announced")
        self._left = member.size

    def chunks(self) -> Iterator[bytes]:
        """The contents of the file that was expected."""
        padding = -self._left % tarfile.BLOCKSIZE
        while self._left:
            chunk = self._exactly(min(files.CHUNK, self._left))
            if not chunk:
                raise self.cut("unexpected end of data")
            self._left -= len(chunk)
            yield chunk
        if len(self._exactly(padding)) != padding:
            raise self.cut("unexpected end of data")

    def end(self) -> None:
        """Nothing more may come.

        Raises:
            BundleRefused: There is more, or not even the mark of the end.
        """
        if self._header() is not None:
            raise BundleRefused("the bundle has more in it than its manifest names")


class Manifest(NamedTuple):
    """The head of a bundle: what it leads to, from where, and which files it brings."""

    target: Listing
    base: tuple[int, str] | None
    members: tuple[Entry, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read a manifest.

        Raises:
            BundleRefused: It is none.
        """
        try:
            fields = json.loads(data)
            base = fields["base"] and (int(fields["base"]["sequence"]), fields["base"]["digest"])
            paths = [str(path) for path in fields["members"]]
            target = Listing.from_json(fields["target"])
        except BROKEN as error:
            raise BundleRefused(f"the manifest is malformed: {error!r}"[:500]) from error
        entries = {entry.path: entry for entry in target.files}
        if paths != sorted(set(paths)) or not set(paths) <= set(entries):
            raise BundleRefused("the manifest's members are not files of its target, in order")
        return cls(target, base, tuple(entries[path] for path in paths))


class Bundle:
    """A bundle that is read from its beginning to its end, once.

    Args:
        first: The bundle, or its first part.
        keyring: The keys to trust; None where it is only compared with.
    """

    def __init__(self, first: Path, keyring: bytes | None) -> None:
        self._archive = Archive(Parts(first))
        self._archive.expect("manifest.json", MANIFEST_LIMIT)
        self.data = b"".join(self._archive.chunks())
        self.signer = ""
        if keyring is not None:
            self._archive.expect("manifest.json.sig", _SIGNATURE_LIMIT)
            signature = b"".join(self._archive.chunks())
            try:
                self.signer = check_signature(self.data, signature, keyring)
            except BadSignature as error:
                hint = error.hint or (
                    "Is the key the mirror's, as it is now? --keyring takes what "
                    "`pextra-mirror key` prints there"
                )
                raise BundleRefused(error.message, hint) from error
        self.manifest = Manifest.from_bytes(self.data)

    def unpack(self, folder: Path, on_bytes: Callable[[int], None]) -> None:
        """Write each member to the folder under its hash, where it is not there yet.

        Raises:
            BundleRefused: A member is not what the signed manifest says.
        """
        for entry in self.manifest.members:
            self._archive.expect(entry.path, 0, entry.size)
            path = folder / entry.sha256
            if files.sound(path, entry.size, entry.sha256):
                for chunk in self._archive.chunks():
                    on_bytes(len(chunk))
                continue
            digest, part = hashlib.sha256(), folder / f"{entry.sha256}.part"
            with part.open("wb") as out:
                for chunk in self._archive.chunks():
                    digest.update(chunk)
                    out.write(chunk)
                    on_bytes(len(chunk))
            if digest.hexdigest() != entry.sha256:
                raise BundleRefused(f"{entry.path} is not what the signed manifest says")
            files.vouch(part)
            os.replace(part, path)
        self._archive.end()


def manifest_of(path: Path) -> Manifest:
    """The manifest of a bundle, whose signature is not looked at: it is only compared with.

    Raises:
        MirrorError: It is none.
    """
    try:
        return Bundle(path, None).manifest
    except OSError as error:
        raise MirrorError(f"{path} cannot be read: {error}") from error
