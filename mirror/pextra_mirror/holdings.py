"""Which packages are here already, and sound: served, or fetched and not served yet."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pextra_mirror import files
from pextra_mirror.config import Config
from pextra_mirror.index import Package
from pextra_mirror.listing import Entry
from pextra_mirror.snapshot import Contents, Shelf, Snapshot
from pextra_mirror.tree import Tree


class Holdings:
    """The packages of a mirror, as one command finds them.

    Args:
        config: The mirror.

    Attributes:
        shelf: Its snapshots.
        tree: Its tree.
        sound: Packages that were found to be sound in the tree.
    """

    def __init__(self, config: Config) -> None:
        self.shelf = Shelf(config.snapshots)
        self.tree = Tree(config.public)
        self.sound: set[Entry] = set()
        self._public = config.public
        self._fetched = config.fetched

    def _has(self, prefix: str, path: str, size: int, digest: str) -> bool:
        if files.sound(f"{self._public}/{prefix}/{path}", size, digest):
            self.sound.add(Entry(f"{prefix}/{path}", size, digest))
            return True
        return files.sound(f"{self._fetched}/{digest}", size, digest)

    def whole(self, prefix: str, snapshots: Iterable[Snapshot | None]) -> bool:
        """Whether snapshots are there with all their packages."""
        return all(
            snapshot is not None and all(self._has(prefix, *entry) for entry in snapshot.packages)
            for snapshot in snapshots
        )

    def missing(self, prefix: str, components: Iterable[Contents]) -> list[Package]:
        """Those of the packages that have to be fetched, each once."""
        wanted = {
            package.digest: package for contents in components for package in contents.new
            if not self._has(prefix, package.path, package.size, package.digest)
        }  # fmt: skip
        if wanted:
            self._take_from_other_places(wanted)
        return list(wanted.values())

    def _take_from_other_places(self, wanted: dict[str, Package]) -> None:
        """Take what is served at another place, as by another source; it is not wanted then."""
        current = self.tree.current()
        listing = self.tree.readable(current) if current else None
        self._fetched.mkdir(parents=True, exist_ok=True)
        for entry in listing.files if listing else ():
            if entry.sha256 in wanted and files.sound(self._public / entry.path, *entry[1:]):
                files.link(self._public / entry.path, self._fetched / entry.sha256)
                del wanted[entry.sha256]

    def sha256(self, prefix: str, package: Package) -> str:
        """The SHA-256 of a package that is here, under which it is found from then on.

        Its source may have told its SHA-512 only.
        """
        if len(package.digest) == 64:
            return package.digest
        fetched = self._fetched / package.digest
        if not files.sound(fetched, package.size, package.digest):
            return files.sha256_of(self._public / prefix / package.path)
        found = files.sha256_of(fetched)
        files.link(fetched, self._fetched / found)
        return found

    def source(self, entry: Entry) -> Path | None:
        """The verified file of a package that is not served yet; None if it is not here."""
        path = f"{self._fetched}/{entry.sha256}"
        return Path(path) if files.sound(path, entry.size, entry.sha256) else None

    def forget(self, served: set[str], wanted: Iterable[Snapshot | None]) -> None:
        """Remove what is served by now, and what no snapshot wants any more.

        Args:
            served: SHA-256 of what is served.
            wanted: Snapshots that may be published next.
        """
        left = set(os.listdir(self._fetched)) if self._fetched.is_dir() else set()
        if not left <= served:
            kept = {entry.sha256 for item in wanted if item for entry in item.packages}
            left -= kept - served
        for name in left:
            files.remove(f"{self._fetched}/{name}")
