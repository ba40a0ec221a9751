"""The list of what a publication consists of.

Needs Python 3.9 and nothing else, because it is carried to sites with the import.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import operator
import re
from collections.abc import Collection
from functools import cached_property
from typing import Any, NamedTuple

from pextra_mirror.errors import BundleRefused

FORMAT = 1
SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(dists|pool)(/[A-Za-z0-9+~_:%-][A-Za-z0-9+~_.:%-]*)+")
"""A path that has a place in a tree."""
_DIGITS = 64
"""Of a SHA-256."""
_MOST = 10**18
_NAME_MAX = 255
"""Bytes of a name that file systems take."""
BROKEN = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What reading JSON of any contents raises."""


class Entry(NamedTuple):
    """A file of the tree: its path below it, its size in bytes, its SHA-256."""

    path: str
    size: int
    sha256: str

    @property
    def is_package(self) -> bool:
        """Whether it is in the pool; else it is an index."""
        return self.path.split("/", 2)[1] == "pool"


class _Fields(NamedTuple):
    """The fields of a listing."""

    mirror: str
    sequence: int
    created: int
    snapshots: dict[str, dict[str, str]]
    files: tuple[Entry, ...]


class Listing(_Fields):
    """What one publication consists of; ``created`` is its time, seconds since 1970."""

    def to_json(self) -> dict[str, Any]:
        """Its fields."""
        return {
            "format": FORMAT, "mirror": self.mirror, "sequence": self.sequence,
            "created": self.created, "snapshots": self.snapshots, "files": self.files,
        }  # fmt: skip

    @cached_property
    def data(self) -> bytes:
        """The one way to write it down."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":")).encode()

    @cached_property
    def digest(self) -> str:
        """What tells this publication from any other."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def prefixes(self) -> list[str]:
        """The folders that it has below the tree."""
        return sorted({entry.path.split("/", 1)[0] for entry in self.files})

    @classmethod
    def from_json(cls, fields: Any) -> Listing:
        """Read what ``to_json`` wrote.

        Raises:
            BundleRefused: It is not of that form, or a path leads out of the tree.
        """
        try:
            if fields["format"] != FORMAT:
                raise BundleRefused(f"format {fields['format']} is unknown here, only {FORMAT} is")
            listing = cls(
                str(fields["mirror"]), int(fields["sequence"]), int(fields["created"]),
                {str(key): dict(value) for key, value in fields["snapshots"].items()},
                tuple(map(Entry._make, fields["files"])),
            )  # fmt: skip
            check_types(listing.files)
        except BROKEN as error:
            raise BundleRefused(f"the list of files is malformed: {error!r}"[:500]) from error
        listing.check()
        return listing

    def check(self, known: Collection[Entry] = ()) -> None:
        """Refuse what is no publication's.

        Args:
            known: Files that were checked already.

        Raises:
            BundleRefused: Its number is none, or a path leads out of the tree.
        """
        if not 0 < self.sequence < _MOST:
            raise BundleRefused(f"{self.sequence} is no number of a publication")
        unknown = {*self.files}.difference(known) if known else self.files
        paths = [entry.path for entry in unknown]
        for path in itertools.filterfalse(SAFE.fullmatch, paths):
            raise BundleRefused(f"the path {path!r} has no place in a repository")
        for path in paths:
            if "/by-hash/" in path:
                raise BundleRefused(f"the path {path!r} has no place in a repository")
            if len(path) > _NAME_MAX and any(len(x) > _NAME_MAX for x in path.split("/")):
                raise BundleRefused(f"the path {path!r} has a name that is too long")
        for path, size, sha in unknown:
            if len(sha) != _DIGITS or not 0 <= size < _MOST:
                raise BundleRefused(f"size or hash of {path} is malformed")
        digits = "".join([entry.sha256 for entry in unknown]).encode(errors="replace")
        if digits.translate(None, b"0123456789abcdef"):
            raise BundleRefused("the hash of a file is malformed")
        paths = [entry.path for entry in self.files]
        if not all(map(operator.lt, paths, paths[1:])):
            raise BundleRefused("the list of files is not in order, or names one twice")


def check_types(entries: Collection[Entry]) -> None:
    """Refuse what is no list of files.

    Raises:
        ValueError: A path or hash is no text, or a size no number.
    """
    if not {tuple(map(type, entry)) for entry in entries} <= {(str, int, str)}:
        raise ValueError("it has something else where paths, sizes and hashes belong")
