"""Snapshots: what a component of a source was at some moment, ready to be published.

    SNAPSHOTS/<name>/snapshot.json                      its packages, and its indexes
    SNAPSHOTS/<name>/binary-<architecture>/Packages     and packed as Packages.gz

They never change. One that was damaged counts as missing; the next sync makes another.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pextra_mirror import files, index, interrupt
from pextra_mirror.index import Package
from pextra_mirror.tree import BROKEN, Entry


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot.

    Attributes:
        name: What it is called.
        packages: Its packages, with paths below the prefix of their source.
        indexes: Its indexes, with paths below the component.
    """

    name: str
    packages: tuple[Entry, ...]
    indexes: tuple[Entry, ...]


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
            fields = json.loads((self._folder / name / "snapshot.json").read_bytes())
            found = Snapshot(name, *(
                tuple(Entry(str(path), int(size), str(sha)) for path, size, sha in fields[key])
                for key in ("packages", "indexes")
            ))  # fmt: skip
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

    def make(
        self, stem: str, packages: Mapping[str, Sequence[Package]], last: str,
        sha256: Callable[[Package], str],
    ) -> Snapshot:  # fmt: skip
        """A snapshot of the packages of each architecture: a new one, unless it is as the last.

        Args:
            stem: How its name begins.
            packages: What it has.
            last: The name of the last one; empty if there is none.
            sha256: Gives the SHA-256 of a package.
        """
        texts = {
            f"binary-{architecture}/Packages": b"".join(b"%s\n\n" % item.stanza for item in found)
            for architecture, found in packages.items()
        }
        plain = {entry_of(path, text) for path, text in texts.items()}
        before = self.read(last) if last else None
        if before and plain == {e for e in before.indexes if not e.path.endswith(".gz")}:
            return before
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        name = f"{stem}-{moment}-{secrets.token_hex(3)}"
        with interrupt.threads(os.cpu_count() or 1) as pool:
            packed = pool.map(lambda text: gzip.compress(text, 6, mtime=0), texts.values())
            texts |= dict(zip((f"{path}.gz" for path in texts), packed, strict=True))
        every = {item.path: item for found in packages.values() for item in found}
        entries = {Entry(item.path, item.size, sha256(item)) for item in every.values()}
        made = Snapshot(name, tuple(sorted(entries)), tuple(sorted(
            entry_of(path, text) for path, text in texts.items()
        )))  # fmt: skip
        for path, text in texts.items():
            target = self._folder / name / path
            files.folder(target.parent, self._folder.parent)
            target.write_bytes(text)
        # Its list comes last: without one, it is none.
        listing = json.dumps({"packages": made.packages, "indexes": made.indexes})
        files.write(self._folder / name / "snapshot.json", listing.encode())
        self._read[name] = made
        return made

    def names(self) -> set[str]:
        """The names of those that are there."""
        return set(os.listdir(self._folder)) if self._folder.is_dir() else set()

    def remove(self, names: Iterable[str]) -> None:
        """Remove some."""
        for name in names:
            files.remove(self._folder / name)


def entry_of(path: str, text: bytes) -> Entry:
    """A file of some contents."""
    return Entry(path, len(text), hashlib.sha256(text).hexdigest())
