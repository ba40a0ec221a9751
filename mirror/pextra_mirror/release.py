"""What a source says of itself: its Release file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from pextra_mirror.config import Source
from pextra_mirror.errors import SourceRefused

_AHEAD = timedelta(seconds=10)
"""How far a Release may be ahead of the clock, as apt has it (Acquire::Max-FutureTime)."""
_FILE = re.compile(r"[ \t]+([0-9A-Fa-f]+)[ \t]+([0-9]{1,15})[ \t]+([^ \t]+)")
"""A line of such a list: digest, size and name."""
_DIGESTS = {"SHA256": 64, "SHA512": 128}
"""Lists of files that apt trusts, and hexadecimal digits of each; the first is preferred."""


class File(NamedTuple):
    """Size in bytes and digest, SHA-256 or SHA-512, of a file that a Release names."""

    size: int
    digest: str

    @property
    def by_hash(self) -> str:
        """Its name below the folder it is in."""
        return f"by-hash/{'SHA512' if len(self.digest) == 128 else 'SHA256'}/{self.digest}"


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """A Release file whose signature is good.

    Attributes:
        fields: Its fields of one line.
        files: What it names, by the path below the distribution.
    """

    fields: Mapping[str, str]
    files: Mapping[str, File]

    @property
    def date(self) -> datetime | None:
        """When it was made."""
        return moment(self.fields.get("Date", ""))

    @property
    def by_hash(self) -> bool:
        """Whether indexes can be had by their hash."""
        return self.fields.get("Acquire-By-Hash", "no").lower() == "yes"

    @property
    def splits_all(self) -> bool:
        """Whether packages for all architectures are in an index of their own only."""
        return "Packages" not in self.fields.get("No-Support-for-Architecture-all", "").split()


def moment(text: str) -> datetime | None:
    """The moment that a field of a Release names."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def parse(text: str) -> Release:
    """Read a Release file (https://wiki.debian.org/DebianRepository/Format)."""
    fields: dict[str, str] = {}
    lists: dict[str, dict[str, File]] = {name: {} for name in _DIGESTS}
    key = ""
    # White space at the end of a line is not signed: whoever is in between can put some there.
    for line in (line.rstrip(" \t\r") for line in text.split("\n")):
        if not line.startswith((" ", "\t")):
            key, _colon, value = line.partition(":")
            fields[key] = value.strip()
        elif key in lists and (words := _FILE.fullmatch(line)):
            digest, size, name = words.groups()
            if len(digest) == _DIGESTS[key]:
                lists[key][name.removeprefix("./")] = File(int(size), digest.lower())
    return Release(fields, next((found for found in lists.values() if found), {}))


def check(
    source: Source, release: Release, now: datetime, last: datetime | None, *, older: bool = False
) -> None:
    """Hold a Release against what is wanted and what was seen before.

    Args:
        source: What is wanted.
        release: What is there.
        now: This moment.
        last: The date of the last one. One that is yet to come was a mistake, and blocks nothing.
        older: Take one that is older than the last.

    Raises:
        SourceRefused: It is not valid now, is older than the last, or lacks what is wanted.
    """
    name = f"source {source.name} ({source.address} {source.distribution})"
    ends = release.fields.get("Valid-Until", "")
    until, date = moment(ends), release.date
    if ends and not until:
        raise SourceRefused(
            f"{name}: nobody can tell until when its Release is valid: {ends[:100]}",
            "Tell whoever runs the source; apt refuses it, too",
        )
    if until and until < now:
        raise SourceRefused(
            f"{name}: its Release expired at {until:%Y-%m-%d %H:%M} UTC",
            "The source is outdated, or somebody replays an old state; is the clock right?",
        )
    if date is None:
        raise SourceRefused(f"{name}: its Release has no date")
    if date > now + _AHEAD:
        raise SourceRefused(
            f"{name}: its Release is of {date:%Y-%m-%d %H:%M:%S} UTC and not valid yet, here it is "
            f"{now:%Y-%m-%d %H:%M:%S}", "This machine's clock is behind, or the source's ahead",
        )  # fmt: skip
    if last and date < last <= now + _AHEAD and not older:
        raise SourceRefused(
            f"{name}: its Release is of {date:%Y-%m-%d %H:%M:%S}, older than that of "
            f"{last:%Y-%m-%d %H:%M:%S} which was mirrored before",
            "Somebody may be replaying an old state; if the source really went back, "
            f"`pextra-mirror sync {source.name} --accept older`",
        )
    names = {release.fields[key] for key in ("Suite", "Codename") if release.fields.get(key)}
    if names and source.distribution not in names:
        raise SourceRefused(f"{name}: its Release is of {' or '.join(sorted(names))}")
    if not release.files:
        raise SourceRefused(f"{name}: its Release names no files with SHA-256 or SHA-512")
    # Debian's security archive calls its components updates/main.
    components = [word.rpartition("/")[2] for word in release.fields.get("Components", "").split()]
    architectures = release.fields.get("Architectures", "").split()
    lacking = sorted({*source.components} - {*components}) if components else []
    lacking += sorted({*source.architectures} - {*architectures}) if architectures else []
    if lacking:
        raise SourceRefused(f"{name} has no {', '.join(lacking)}")
