"""Snapshots: what a component of a source was at some moment, ready to be published.

    SNAPSHOTS/<name>/snapshot.json                      its packages, and its indexes
    SNAPSHOTS/<name>/binary-<architecture>/Packages     and packed as Packages.gz

They never change, and the name has the hash of the list. One that was damaged counts as missing;
the next sync makes another.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pextra_mirror import files, index, interrupt
from pextra_mirror.index import Origin, Package
from pextra_mirror.listing import BROKEN, Entry, check_types

_DIGITS = 16
"""Hexadecimal digits of the hash that a name ends with; those of version 0.1 have none."""


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot.

    Attributes:
        name: What it is called.
        packages: Its packages, with paths below the prefix of their source.
        indexes: Its indexes, with paths below the component.
        origins: The source's own indexes that it was made of, by architecture.
    """

    name: str
    packages: tuple[Entry, ...]
    indexes: tuple[Entry, ...]
    origins: Mapping[str, Origin]


@dataclasses.dataclass(frozen=True, slots=True)
class Contents:
    """What a component of a source has.

    Attributes:
        origins: The source's own indexes of it, by architecture.
        texts: Its indexes as they are served, by path below the component.
        kept: Packages that it had the last time, too.
        new: Other packages, each once.
        count: How many packages its indexes list.
        same: The last snapshot, where nothing has changed since.
    """

    origins: Mapping[str, Origin]
    texts: Mapping[str, bytes]
    kept: Collection[Entry]
    new: Collection[Package]
    count: int
    same: Snapshot | None = None


class Shelf:
    """All snapshots."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, Snapshot | None] = {}

    def path(self, name: str, entry: Entry) -> Path:
        """Where an index of a snapshot is."""
        return self._folder / name / entry.path

    def read(self, name: str) -> Snapshot | None:
        """A snapshot; None if there is none, or it is damaged."""
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def _load(self, name: str) -> Snapshot | None:
        try:
            data = (self._folder / name / "snapshot.json").read_bytes()
            digest = name.rpartition("-")[2]
            if len(digest) == _DIGITS and not hashlib.sha256(data).hexdigest().startswith(digest):
                return None
            fields = json.loads(data)
            packages, indexes = (tuple(map(Entry._make, fields[key]))
                                 for key in ("packages", "indexes"))  # fmt: skip
            check_types((*packages, *indexes))
            origins = {key: Origin(*item) for key, item in fields.get("origins", {}).items()}
            found = Snapshot(name, packages, indexes, origins)
        except (OSError, *BROKEN):
            return None
        whole = all(files.sha256_of(self.path(name, e)) == e.sha256 for e in found.indexes)
        return found if whole else None

    def stanzas(self, name: str) -> Iterator[dict[str, str]]:
        """The fields of each package of a snapshot, for each architecture."""
        snapshot = self.read(name)
        for entry in snapshot.indexes if snapshot else ():
            if entry.path.endswith("/Packages"):
                for stanza in index.stanzas(self.path(name, entry).read_bytes()):
                    yield index.fields(stanza)

    def text(self, snapshot: Snapshot, path: str) -> bytes | None:
        """An index of a snapshot; None if it has none of that path, or it is damaged."""
        for entry in snapshot.indexes:
            if entry.path == path:
                text = self.path(snapshot.name, entry).read_bytes()
                return text if entry_of(path, text) == entry else None
        return None

    def make(
        self, stem: str, contents: Contents, last: Snapshot | None,
        sha256: Callable[[Package], str],
    ) -> Snapshot:  # fmt: skip
        """A snapshot of some contents: a new one, unless it is as the last.

        Args:
            stem: How its name begins.
            contents: What it has.
            last: The last one; None if there is none.
            sha256: Gives the SHA-256 of a package.
        """
        if contents.same:
            return contents.same
        texts = {**contents.texts}
        plain = {entry_of(path, text) for path, text in texts.items()}
        new = (Entry(item.path, item.size, sha256(item)) for item in contents.new)
        packages = tuple(sorted({*contents.kept, *new}))
        if last and packages == last.packages and plain <= {*last.indexes}:
            return last
        with interrupt.threads(os.cpu_count() or 1) as pool:
            packed = pool.map(lambda text: gzip.compress(text, 6, mtime=0), texts.values())
            texts |= dict(zip((f"{path}.gz" for path in texts), packed, strict=True))
        indexes = tuple(sorted(entry_of(path, text) for path, text in texts.items()))
        listing = json.dumps(
            {"packages": packages, "indexes": indexes, "origins": contents.origins}
        ).encode()
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        name = f"{stem}-{moment}-{hashlib.sha256(listing).hexdigest()[:_DIGITS]}"
        for path, text in texts.items():
            target = self._folder / name / path
            files.folder(target.parent, self._folder.parent)
            target.write_bytes(text)
        # Its list comes last: without one, it is none.
        files.write(self._folder / name / "snapshot.json", listing)
        made = self._read[name] = Snapshot(name, packages, indexes, contents.origins)
        return made

    def names(self) -> set[str]:
        """The names of those that are there."""
        return set(os.listdir(self._folder)) if self._folder.is_dir() else set()

    def remove(self, names: Iterable[str]) -> None:
        """Remove some."""
        for name in names:
            files.remove(self._folder / name)


def index_of(architecture: str) -> str:
    """Where the index of an architecture is, below its component."""
    return f"binary-{architecture}/Packages"


def entry_of(path: str, text: bytes) -> Entry:
    """A file of some contents."""
    return Entry(path, len(text), hashlib.sha256(text).hexdigest())
