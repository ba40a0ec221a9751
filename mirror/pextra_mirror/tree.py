"""The served tree, the same on the mirror and on a site without internet.

    TREE/<prefix>/pool/…                     packages; files are added before, removed after
    TREE/<prefix>/dists                      a link to ../.generations/current/<prefix>/dists
    TREE/.generations/<sequence>/…           one publication: <prefix>/dists/… and listing.json
    TREE/.generations/current                a link to one of them: its renaming is the switch

Clients that began with one publication and go on with the next find what they ask for: indexes
stay under their hashes, and packages stay, as long as their publication is kept.

Needs Python 3.9 and nothing else, because it is carried to sites with the import.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from pextra_mirror import files
from pextra_mirror.errors import BundleRefused, Damaged
from pextra_mirror.listing import BROKEN, SAFE, Entry, Listing

GENERATIONS = ".generations"
KEEP = 3
"""How many publications stay for `rollback`, unless told otherwise."""
ALGORITHMS = ("MD5Sum", "SHA1", "SHA256", "SHA512")
_HASHED = "*/dists/**/by-hash/SHA256/*"
"""Indexes of a publication under their hashes."""
_DIGITS = 64
"""Of a SHA-256."""
_LISTED = re.compile(rb'\["([^"]*)')
"""Where the list of a publication has a path."""


class Tree:
    """The served tree."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.generations = root / GENERATIONS
        self._listings: dict[int, Listing] = {}

    def sequences(self) -> list[int]:
        """The publications that are kept, oldest first."""
        if not self.generations.is_dir():
            return []
        names = (path.name for path in self.generations.iterdir() if not path.is_symlink())
        return sorted(int(name) for name in names if re.fullmatch(r"[1-9][0-9]{0,17}", name))

    def current(self) -> int | None:
        """The publication that is served."""
        with contextlib.suppress(OSError, ValueError):
            return int(os.readlink(self.generations / "current"))
        return None

    def listing(self, sequence: int) -> Listing:
        """What a publication that is kept consists of.

        Raises:
            Damaged: Its list cannot be read.
        """
        if sequence not in self._listings:
            path = self.generations / str(sequence) / "listing.json"
            try:
                self._listings[sequence] = Listing.from_json(json.loads(path.read_bytes()))
            except (BundleRefused, OSError, *BROKEN) as error:
                raise Damaged(
                    f"{path} cannot be read: {error}", "Run `doctor` or `repair`"
                ) from error
        return self._listings[sequence]

    def readable(self, sequence: int) -> Listing | None:
        """What a publication consists of; None if its list cannot be read."""
        try:
            return self.listing(sequence)
        except Damaged:
            return None

    def _mentioned(self, sequence: int, names: Collection[bytes]) -> Iterator[bytes]:
        """Paths that the list of a publication has, and those of the names.

        It takes a tenth of the time that reading the list takes; of a damaged list, it is what is
        left.
        """
        with contextlib.suppress(OSError):
            text = (self._folder(sequence) / "listing.json").read_bytes()
            yield from _LISTED.findall(text)
            yield from (name for name in names if name in text)

    def file(self, sequence: int, entry: Entry) -> Path:
        """Where a file of a publication is."""
        return (self.root if entry.is_package else self._folder(sequence)) / entry.path

    def _folder(self, sequence: int) -> Path:
        return self.generations / str(sequence)

    def is_sound(self, sequence: int, entry: Entry) -> bool:
        """Whether a file is there as it was published; indexes, of which few are, by hash."""
        if entry.is_package:
            return files.sound(f"{self.root}/{entry.path}", entry.size, entry.sha256)
        return files.sha256_of(self.file(sequence, entry)) == entry.sha256

    def damaged(
        self, sequence: int, known: Collection[Entry] = (), *, thorough: bool = False
    ) -> list[Entry]:
        """The files of a publication that are not as they were published.

        Args:
            sequence: Which one.
            known: Packages that this command found to be sound.
            thorough: Hash every package, also those whose time says that they were verified.
        """
        listing = self.listing(sequence)
        if thorough:
            for entry in listing.files:
                path = self.file(sequence, entry)
                if entry.is_package and files.sha256_of(path) != entry.sha256:
                    with contextlib.suppress(OSError):
                        files.distrust(path)
        left = listing.files if not known else {*listing.files}.difference(known)
        return sorted(entry for entry in left if not self.is_sound(sequence, entry))

    def place(
        self, listing: Listing, source: Callable[[Entry], Path], known: Collection[Entry] = ()
    ) -> None:
        """Put a publication beside the others, not served yet; heal it if it is there.

        Args:
            listing: What it consists of.
            source: Gives the verified file of an entry that is not in the tree, or damaged there.
            known: Packages that this command found to be sound in the tree.

        Raises:
            BundleRefused: A package that is served has the same name and other contents.
        """
        made = self._folder(listing.sequence)
        there = self.readable(listing.sequence) == listing
        staging = made if there else self.generations / f"{listing.sequence}.new"
        if not there:
            files.remove(staging)
            files.folder(staging, self.root)
        folders: set[str] = set()
        new: list[str] = []
        for entry in listing.files if not known else {*listing.files}.difference(known):
            is_package = entry.is_package
            if (is_package or there) and self.is_sound(listing.sequence, entry):
                continue
            target = f"{self.root if is_package else staging}/{entry.path}"
            if is_package and os.path.lexists(target):
                self._refuse_other(entry)
            folder = os.path.dirname(target)
            if folder not in folders:
                files.folder(Path(folder), self.root)
                folders.add(folder)
            (files.link if is_package else files.copy)(source(entry), target)
            new.append(target)
        self._keep_indexes(staging)
        if not there:
            files.write(staging / "listing.json", listing.data)
            files.remove(made)
            files.sync_files(new, self.root)
            staging.rename(made)
            self._listings[listing.sequence] = listing
        files.sync_directory(self.generations)

    def _refuse_other(self, entry: Entry) -> None:
        """Refuse to put a package in place of another that is kept."""
        for sequence in self.sequences():
            kept = self.readable(sequence)
            if kept and any(e.path == entry.path and e.sha256 != entry.sha256 for e in kept.files):
                raise BundleRefused(f"{entry.path} is served already, with other contents")

    def _keep_indexes(self, folder: Path) -> None:
        """Have the indexes of a publication, and of the last ones before, under their hashes."""
        for path in [*folder.glob(_HASHED)]:
            if files.sha256_of(path) != path.name:
                files.remove(path)
        for other in (folder, *map(self._folder, self.sequences()[-KEEP:])):
            for index, name in by_hash(other):
                self._keep_index(other / index, folder / name)

    def _keep_index(self, source: Path, target: Path) -> None:
        """Have an index under its hash, unless a sound one is there."""
        is_named = len(target.name) == _DIGITS
        if target.is_file() and not (is_named and files.sha256_of(target) != target.name):
            return
        if not is_named or files.sha256_of(source) == target.name:
            files.folder(target.parent, self.root)
            files.link(source, target)

    def astray(self, sequence: int) -> list[str]:
        """Names that a publication is served by and that lead elsewhere, or nowhere.

        They are the links of its prefixes, and its indexes under their hashes, with those of
        earlier publications that are there.
        """
        folder = self._folder(sequence)
        links = [self._dists(prefix) for prefix in self.listing(sequence).prefixes]
        found = [str(path) for path, target in links if not leads(path, target)]
        names = {folder / name: folder / path for path, name in by_hash(folder)}
        names |= {path: path for path in folder.glob(_HASHED)} | names
        for path, index in sorted(names.items()):
            # Most often it is the index itself, which is looked at as such.
            same = path != index and path.is_file() and path.samefile(index)
            if not same and len(path.name) == _DIGITS and files.sha256_of(path) != path.name:
                found.append(str(path))
        return found

    def set_right(self, sequence: int) -> None:
        """Have the publication that is served be so by its names."""
        self._keep_indexes(self._folder(sequence))
        self.switch(sequence)

    def _dists(self, prefix: str) -> tuple[Path, str]:
        """The link that a prefix is served by, and where it leads."""
        return self.root / prefix / "dists", f"../{GENERATIONS}/current/{prefix}/dists"

    def switch(self, sequence: int) -> None:
        """Serve a publication that is kept, from one moment to the next."""
        for path in (self.root, self.generations):
            path.chmod(0o755)
        for prefix in self.listing(sequence).prefixes:
            path, target = self._dists(prefix)
            files.folder(path.parent, self.root)
            if not leads(path, target):
                files.replace_link(path, target)
        files.replace_link(self.generations / "current", str(sequence))

    def prune(self, keep: int, names: Collection[str] = ()) -> list[str]:
        """Remove all but the last ``keep`` publications and the one served.

        Args:
            keep: How many.
            names: Some snapshots.

        Returns:
            Those of the snapshots that no publication has which is kept.
        """
        sequences = self.sequences()
        kept = {*sequences[-keep:], self.current()}
        gone = [sequence for sequence in sequences if sequence not in kept]
        asked = {name.encode() for name in names}
        unused = asked.union(*(self._mentioned(sequence, ()) for sequence in gone))
        for sequence in kept - {None} if unused else ():
            unused.difference_update(self._mentioned(sequence or 0, asked))
        left = {text.decode(errors="replace") for text in unused}
        packages = [path for path in filter(SAFE.fullmatch, left) if Entry(path, 0, "").is_package]
        # A damaged list may name a folder.
        paths = [path for name in packages if not os.path.isdir(path := f"{self.root}/{name}")]
        files.each(discard, paths)
        for sequence in gone:
            files.remove(self._folder(sequence))
        self._remove_empty()
        return [name for name in names if name in left]

    def _remove_empty(self) -> None:
        """Remove the folders of what no publication has any more: they lead nowhere."""
        prefixes: set[str] = set()
        left = [link for link in self.root.glob("[!.]*/dists") if link.is_symlink()]
        for sequence in reversed(self.sequences()):
            # Most often, the newest one has all of them.
            if not left:
                return
            listing = self.readable(sequence)
            if listing is None:
                return
            prefixes |= {*listing.prefixes}
            left = [link for link in left if link.parent.name not in prefixes]
        for link in left:
            files.remove(link)
            for place, _folders, _names in os.walk(link.parent, topdown=False):
                with contextlib.suppress(OSError):  # what others have put there stays
                    os.rmdir(place)

    def _packages(self, sequence: int) -> Iterator[str]:
        """Paths of the packages of a publication; none if its list cannot be read."""
        listing = self.readable(sequence)
        return (entry.path for entry in (listing.files if listing else ()) if entry.is_package)

    def strays(self) -> list[Path]:
        """Packages of no publication, and what processes left that were killed."""
        kept = {name for sequence in self.sequences() for name in self._packages(sequence)}
        found = list(self.generations.glob("[!.]*.new"))
        found += files.leftovers(self.root)
        if all(self.readable(sequence) for sequence in self.sequences()):
            for pool in self.root.glob("[!.]*/pool"):
                found += (
                    path for path in pool.rglob("*") if (path.is_file() or path.is_symlink())
                    and str(path.relative_to(self.root)) not in kept and path not in found
                )  # fmt: skip
        return found

    def shut(self) -> list[Path]:
        """Folders and files that a web server with a user of its own cannot read."""
        found = []
        for place, _folders, names in os.walk(self.root):
            folder = Path(place)
            # Whoever only looks may see what another process just removes.
            with contextlib.suppress(FileNotFoundError):
                found += [folder] if folder.stat().st_mode & 0o5 != 0o5 else []
            for path in (folder / name for name in names):
                with contextlib.suppress(FileNotFoundError):
                    found += [path] if path.is_file() and not path.stat().st_mode & 4 else []
        return [path for path in found if path.name not in ("lock", "trusted.gpg")]


def leads(path: Path, target: str) -> bool:
    """Whether a symbolic link is there and leads to a place."""
    try:
        return os.readlink(path) == target
    except OSError:
        return False


def discard(path: Path | str) -> None:
    """Remove a package, and the folder it was alone in."""
    files.remove(path)
    with contextlib.suppress(OSError):
        os.rmdir(os.path.dirname(path))


def by_hash(generation: Path) -> Iterator[tuple[str, str]]:
    """Each index of a publication that is there, and its name by its hash."""
    for release in generation.glob("*/dists/*/Release"):
        if not release.is_file():
            continue
        algorithm, folder = "", release.parent.relative_to(generation)
        for line in release.read_text(errors="replace").splitlines():
            words = line.split()
            if not line.startswith(" "):
                algorithm = line.partition(":")[0]
            elif algorithm in ALGORITHMS and len(words) == 3 and words[0].isalnum():
                path = folder / words[2]
                if ".." not in path.parts and (generation / path).is_file():
                    yield str(path), str(path.parent / "by-hash" / algorithm / words[0])
