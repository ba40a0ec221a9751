"""Indexes of packages: what each package of a source is, and how it is named here."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pextra_mirror import closure, run
from pextra_mirror.errors import SourceRefused

ENDS = (".xz", ".zst", ".gz", ".bz2", ".lzma", "")
"""How indexes are packed, the smallest first."""
_APT = "/usr/lib/apt/apt-helper"
_FIELDS = {
    name: len(name) + 1 for name in (
        b"package", b"version", b"architecture", b"size", b"filename", b"sha256", b"sha512"
    )
}  # fmt: skip
"""What is read of a package, and where the value begins."""
_NEEDED = ("Package", "Filename", "Size", "SHA256 or SHA512")
_SIZE = re.compile(r"[0-9]{1,15}")
_HEX = re.compile(r"[0-9a-f]{64}|[0-9a-f]{128}")
_UNUSUAL = re.compile(r"^\.|[^A-Za-z0-9.+~_-]")
_LONGEST = 200
"""Characters of a package's name that its file has."""


class Origin(NamedTuple):
    """An index as a source has it.

    Attributes:
        name: Its path below the distribution.
        digest: Its SHA-256 or SHA-512.
    """

    name: str
    digest: str


class Package(NamedTuple):
    """A package of a source.

    Attributes:
        name: What it is called.
        version: Its version.
        origin: Where the source has it, below its address.
        size: Its bytes.
        digest: Its SHA-256, or its SHA-512 where the source has no other.
        path: Where it is served, below the prefix of the source.
        stanza: What the index that is served says of it.
    """

    name: str
    version: str
    origin: str
    size: int
    digest: str
    path: str
    stanza: bytes


def unpacked(source: str, name: str, data: bytes) -> bytes:
    """An index without its compression.

    Raises:
        SourceRefused: It cannot be unpacked, though it is what the Release says.
    """
    end = name.rpartition(".")[2] if "." in name.rpartition("/")[2] else ""
    try:
        if end == "gz":
            return gzip.decompress(data)
        if end == "bz2":
            return bz2.decompress(data)
        if end in ("xz", "lzma"):
            return lzma.decompress(data)
        if end == "zst":
            # Debian 12's Python has none, apt does.
            with tempfile.NamedTemporaryFile(suffix=".zst") as file:
                file.write(data)
                file.flush()
                return run.output([_APT, "cat-file", file.name])
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
        raise SourceRefused(f"source {source}: {name} cannot be unpacked: {error}") from error
    return data


def stanzas(text: bytes) -> list[bytes]:
    """What an index says of each package."""
    parts = text.replace(b"\r\n", b"\n").split(b"\n\n")
    return [stripped for part in parts if (stripped := part.strip(b"\n"))]


def packages(source: str, component: str, found: Iterable[bytes]) -> Iterator[Package]:
    """The packages of an index, of which it says something each.

    A package has its hash in the path it is served at. So one that was built again under its
    version is another file, for which clients of earlier publications do not get the new contents,
    and what is unusual in a source's own names never has to be understood by a web server.

    Raises:
        SourceRefused: The index is not one of packages that can be verified.
    """
    for stanza in found:
        lines = stanza.split(b"\n")
        # Of a field that is there twice, apt takes the last.
        at = {line.partition(b":")[0].lower(): number for number, line in enumerate(lines)}
        name, version, architecture, size, origin, sha256, sha512 = [
            lines[at[key]][start:].strip(b" \t\r").decode(errors="surrogateescape")
            if key in at else "" for key, start in _FIELDS.items()
        ]  # fmt: skip
        origin, digest = origin.removeprefix("./"), (sha256 or sha512).lower()
        good = (name, origin and ".." not in origin.split("/"), _SIZE.fullmatch(size),
                _HEX.fullmatch(digest))  # fmt: skip
        if not all(good):
            lacking = [field for field, value in zip(_NEEDED, good, strict=True) if not value]
            raise SourceRefused(
                f"source {source}: its index of {component} says of {name or 'a package'} no "
                f"{' and no '.join(lacking)} that can be used",
                "Tell whoever runs the source; nothing was changed",
            )
        file = _UNUSUAL.sub("_", f"{name}_{version.partition(':')[2] or version}_{architecture}")
        path = f"pool/{component}/{digest[:2]}/{digest[2:12]}_{file[:_LONGEST]}.deb"
        lines[at[b"filename"]] = b"Filename: " + path.encode()
        yield Package(name, version, origin, int(size), digest, path, b"\n".join(lines))


def with_all(found: list[Package], of_all: list[Package]) -> list[Package]:
    """The packages of an architecture, and those of all architectures that are not among them."""
    there = {(package.name, package.version) for package in found}
    return found + [item for item in of_all if (item.name, item.version) not in there]


def fields(stanza: bytes) -> dict[str, str]:
    """The fields of a package; lines that continue a field are left out."""
    lines = stanza.decode(errors="replace").splitlines()
    pairs = (line.partition(":") for line in lines if line[:1].strip())
    return {key: value.strip() for key, _colon, value in pairs}


def depended_on(found: Iterable[dict[str, str]]) -> Iterator[list[str]]:
    """What packages depend on: the names that each dependency could be met by."""
    for package in found:
        yield from closure.groups(package.get(field, "") for field in ("Pre-Depends", "Depends"))


def provided(found: Iterable[dict[str, str]]) -> set[str]:
    """Names that packages have or provide."""
    names: set[str] = set()
    for package in found:
        names |= {package["Package"], *closure.names(package.get("Provides", ""))}
    return names
