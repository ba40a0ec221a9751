"""What a source says of itself: its Release file and its indexes of packages."""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import lzma
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pextra_mirror import closure
from pextra_mirror.config import Source
from pextra_mirror.errors import SourceRefused

_UNPACK = {"gz": gzip.decompress, "xz": lzma.decompress, "bz2": bz2.decompress}


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """A Release file whose signature is good.

    Attributes:
        fields: Its fields of one line.
        files: Size and SHA-256 of each file that it names, by its path below the distribution.
    """

    fields: Mapping[str, str]
    files: Mapping[str, tuple[int, str]]

    @property
    def date(self) -> datetime | None:
        """When it was made."""
        return moment(self.fields.get("Date", ""))

    @property
    def by_hash(self) -> bool:
        """Whether indexes can be had by their hash."""
        return self.fields.get("Acquire-By-Hash", "no").lower() == "yes"


def moment(text: str) -> datetime | None:
    """The moment that a field of a Release names."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def parse(text: str) -> Release:
    """Read a Release file (https://wiki.debian.org/DebianRepository/Format)."""
    fields: dict[str, str] = {}
    files: dict[str, tuple[int, str]] = {}
    key = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            key, _colon, value = line.partition(":")
            fields[key] = value.strip()
        elif key == "SHA256" and len(words := line.split()) == 3:
            files[words[2]] = (int(words[1]), words[0].lower())
    return Release(fields, files)


def check(source: Source, release: Release, now: datetime, last: datetime | None) -> None:
    """Hold a Release against what is wanted and what was seen before.

    Raises:
        SourceRefused: It has expired, is older than the last, or lacks what is wanted.
    """
    name = f"source {source.name} ({source.url} {source.distribution})"
    until = moment(release.fields.get("Valid-Until", ""))
    if until and until < now:
        raise SourceRefused(
            f"{name}: its Release expired at {until:%Y-%m-%d %H:%M} UTC",
            "The source is outdated, or somebody replays an old state; is the clock right?",
        )
    if release.date is None:
        raise SourceRefused(f"{name}: its Release has no date")
    if last and release.date < last:
        raise SourceRefused(
            f"{name}: its Release is of {release.date:%Y-%m-%d %H:%M:%S}, older than that of "
            f"{last:%Y-%m-%d %H:%M:%S} which was mirrored before",
            "Somebody may be replaying an old state",
        )
    names = {release.fields.get("Suite"), release.fields.get("Codename")}
    if source.distribution not in names:
        raise SourceRefused(f"{name}: its Release is of {' or '.join(map(str, names))}")
    # Debian's security archive calls its components updates/main.
    components = {word.rpartition("/")[2] for word in release.fields.get("Components", "").split()}
    architectures = {*release.fields.get("Architectures", "").split()}
    lacking = sorted({*source.components} - components) + sorted(
        {*source.architectures} - architectures
    )
    if lacking:
        raise SourceRefused(f"{name} has no {', '.join(lacking)}")


def unpacked(path: str, data: bytes) -> bytes:
    """An index without its compression."""
    unpack = _UNPACK.get(path.rpartition(".")[2])
    return unpack(data) if unpack else data


def packages(index: bytes) -> Iterator[dict[str, str]]:
    """The fields of each package of an index; lines that continue a field are left out."""
    for paragraph in index.decode(errors="replace").split("\n\n"):
        pairs = (line.partition(":") for line in paragraph.splitlines() if line[:1].strip())
        found = {key: value.strip() for key, _colon, value in pairs}
        if "Package" in found:
            yield found


def depended_on(index: bytes) -> Iterator[list[str]]:
    """What the packages of an index depend on: the names that each dependency could be met by."""
    for package in packages(index):
        yield from closure.groups(package.get(field, "") for field in ("Pre-Depends", "Depends"))


def provided(index: bytes) -> set[str]:
    """Names that the packages of an index have or provide."""
    found: set[str] = set()
    for package in packages(index):
        found |= {package["Package"], *closure.names(package.get("Provides", ""))}
    return found
