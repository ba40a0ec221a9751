"""The served tree, the same on the mirror and on a site without internet.

    TREE/<prefix>/pool/…                     packages; files are added before, removed after
    TREE/<prefix>/dists                      a link to ../.generations/current/<prefix>/dists
    TREE/.generations/<sequence>/…           one publication: <prefix>/dists/… and listing.json
    TREE/.generations/current                a link to one of them: its renaming is the switch

Clients that began with one publication and go on with the next find what they ask for: indexes
stay under their hashes, and packages stay, as long as their publication is kept.

Needs Python 3.9 and nothing else, because it is carried to sites in one file with the import.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FORMAT = 1
GENERATIONS = ".generations"
KEEP = 3
"""How many publications stay for `rollback`, unless told otherwise."""
CHUNK = 2**20
ALGORITHMS = ("MD5Sum", "SHA1", "SHA256", "SHA512")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(dists|pool)/[A-Za-z0-9+~_.:%/-]+")


class Refused(Exception):
    """A bundle or a request is refused; nothing that is served has changed."""


@dataclasses.dataclass(frozen=True, order=True)
class Entry:
    """A file of the tree: its path below it, its size in bytes, its SHA-256."""

    path: str
    size: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class Listing:
    """What one publication consists of; ``created`` is its time, seconds since 1970."""

    mirror: str
    sequence: int
    created: int
    snapshots: dict[str, dict[str, str]]
    files: tuple[Entry, ...]

    def to_bytes(self) -> bytes:
        """The one way to write it down."""
        fields = dataclasses.asdict(self) | {"format": FORMAT}
        fields["files"] = [[entry.path, entry.size, entry.sha256] for entry in self.files]
        return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()

    @property
    def digest(self) -> str:
        """What tells this publication from any other."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_json(cls, fields: Any) -> Listing:
        """Read what ``to_bytes`` wrote.

        Raises:
            Refused: It is not of that form, or a path leads out of the tree.
        """
        try:
            if fields["format"] != FORMAT:
                raise Refused(f"format {fields['format']} is unknown here, only {FORMAT} is")
            files = tuple(Entry(str(path), int(size), str(sha))
                          for path, size, sha in fields["files"])  # fmt: skip
            listing = cls(
                str(fields["mirror"]), int(fields["sequence"]), int(fields["created"]),
                {str(key): dict(value) for key, value in fields["snapshots"].items()}, files,
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Refused(f"the list of files is malformed: {error!r}") from error
        for entry in files:
            parts = entry.path.split("/")
            if not _SAFE.fullmatch(entry.path) or {"", ".", "..", "by-hash"} & set(parts):
                raise Refused(f"the path {entry.path!r} has no place in a repository")
            if not re.fullmatch(r"[0-9a-f]{64}", entry.sha256) or entry.size < 0:
                raise Refused(f"size or hash of {entry.path} is malformed")
        if list(files) != sorted(set(files)) or len({entry.path for entry in files}) != len(files):
            raise Refused("the list of files is not in order, or names one twice")
        return listing


class Tree:
    """The served tree."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.generations = root / GENERATIONS

    def sequences(self) -> list[int]:
        """The publications that are kept, oldest first."""
        if not self.generations.is_dir():
            return []
        names = (path.name for path in self.generations.iterdir() if not path.is_symlink())
        return sorted(int(name) for name in names if re.fullmatch(r"[1-9][0-9]*", name))

    def current(self) -> int | None:
        """The publication that is served."""
        with contextlib.suppress(OSError):
            return int(os.readlink(self.generations / "current"))
        return None

    def listing(self, sequence: int) -> Listing:
        """What a publication that is kept consists of."""
        path = self.generations / str(sequence) / "listing.json"
        return Listing.from_json(json.loads(path.read_bytes()))

    def file(self, sequence: int, entry: Entry) -> Path:
        """Where a file of a publication is."""
        is_pool = entry.path.split("/")[1] == "pool"
        return (self.root if is_pool else self.generations / str(sequence)) / entry.path

    def place(self, listing: Listing, source: Callable[[Entry], Path]) -> None:
        """Put a publication beside the others, not served yet; may be repeated.

        Args:
            listing: What it consists of.
            source: Gives the verified file of an entry that is not in the tree yet.

        Raises:
            Refused: A package that is served has the same name and other contents.
        """
        made = self.generations / str(listing.sequence)
        staging = self.generations / f"{listing.sequence}.new"
        shutil.rmtree(staging, ignore_errors=True)
        served = {e.path: e.sha256 for seq in self.sequences() for e in self.listing(seq).files}
        for entry in listing.files:
            if entry.path.split("/")[1] == "dists":
                link(source(entry), staging / entry.path)
            elif served.get(entry.path) == entry.sha256 and (self.root / entry.path).exists():
                continue
            elif entry.path in served and served[entry.path] != entry.sha256:
                raise Refused(f"{entry.path} is served already, with other contents")
            else:
                link(source(entry), self.root / entry.path)
        staging.mkdir(parents=True, exist_ok=True)
        for sequence in [None, *self.sequences()[-KEEP:]]:
            other = staging if sequence is None else self.generations / str(sequence)
            for path, name in by_hash(other):
                link(other / path, staging / name, keep=True)
        write(staging / "listing.json", listing.to_bytes())
        shutil.rmtree(made, ignore_errors=True)
        staging.rename(made)
        sync_directory(self.generations)

    def switch(self, sequence: int) -> None:
        """Serve a publication that is kept, from one moment to the next."""
        for prefix in sorted({e.path.split("/")[0] for e in self.listing(sequence).files}):
            path = self.root / prefix / "dists"
            path.parent.mkdir(exist_ok=True)
            target = f"../{GENERATIONS}/current/{prefix}/dists"
            if not path.is_symlink():
                replace_link(path, target)
        replace_link(self.generations / "current", str(sequence))

    def prune(self, keep: int) -> list[int]:
        """Remove all but the last ``keep`` publications and the one served; those removed."""
        sequences = self.sequences()
        kept = {*sequences[-keep:], self.current()}
        gone = [sequence for sequence in sequences if sequence not in kept]
        files = {entry.path for sequence in gone for entry in self.listing(sequence).files}
        files -= {e.path for seq in kept if seq is not None for e in self.listing(seq).files}
        for name in files:
            path = self.root / name
            if name.split("/")[1] == "pool":
                path.unlink(missing_ok=True)
                with contextlib.suppress(OSError):
                    path.parent.rmdir()
        for sequence in gone:
            shutil.rmtree(self.generations / str(sequence))
        return gone


def by_hash(generation: Path) -> Iterator[tuple[str, str]]:
    """Each index of a publication that is there, and its name by its hash."""
    for release in generation.glob("*/dists/*/Release"):
        algorithm, folder = "", release.parent.relative_to(generation)
        for line in release.read_text().splitlines():
            if not line.startswith(" "):
                algorithm = line.partition(":")[0]
            elif algorithm in ALGORITHMS:
                digest, _size, name = line.split()
                path = folder / name
                if (generation / path).is_file() and digest.isalnum():
                    yield str(path), str(path.parent / "by-hash" / algorithm / digest)


def link(source: Path, target: Path, *, keep: bool = False) -> None:
    """Have a file under another name too, or copied where the file system has no links."""
    if keep and target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name[:60]}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copyfile(source, temporary)
    temporary.chmod(0o644)
    os.replace(temporary, target)
    temporary.unlink(missing_ok=True)  # both were the same file already: nothing was renamed


def replace_link(path: Path, target: str) -> None:
    """Have a symbolic link lead elsewhere, from one moment to the next."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    os.replace(temporary, path)
    sync_directory(path.parent)


def write(path: Path, data: bytes) -> None:
    """Write a file that is there wholly or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def sync_directory(path: Path) -> None:
    """Have the names in a directory survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(CHUNK):
            digest.update(chunk)
        return digest.hexdigest()
