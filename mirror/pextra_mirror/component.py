"""What a component of a source has: read anew, or told from what it had the last time."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from pextra_mirror import index
from pextra_mirror.errors import SourceRefused
from pextra_mirror.fetch import Indexes
from pextra_mirror.index import Origin, Package
from pextra_mirror.snapshot import Contents, Shelf, Snapshot, index_of

_FILENAME = re.compile(rb"\nFilename: (.*)")


def read(origins: Mapping[str, Origin], packages: Mapping[str, Sequence[Package]]) -> Contents:
    """A component of which all was read.

    Args:
        origins: The source's own indexes of it.
        packages: Its packages, by architecture.

    Raises:
        SourceRefused: Two that are not the same would have one name.
    """
    texts = {
        index_of(architecture): served(package.stanza for package in found)
        for architecture, found in packages.items()
    }
    every = unique(package for found in packages.values() for package in found)
    return Contents(origins, texts, (), every, sum(map(len, packages.values())))


def follow(
    indexes: Indexes, origins: Mapping[str, Origin], name: str, last: Snapshot, shelf: Shelf
) -> Contents | None:
    """A component that has all packages of its indexes, of which only what is new is read.

    What an index says of a package, word for word as the last one did, is served as it was.

    Args:
        indexes: The source's indexes.
        origins: Those of the component.
        name: What it is called.
        last: What it had the last time.
        shelf: Where that is.

    Returns:
        The component; None if all has to be read.

    Raises:
        SourceRefused: An index is not one of packages that can be verified.
    """
    if "all" in origins or {*origins} != {*last.origins}:
        return None
    texts: dict[str, bytes] = {}
    new: list[Package] = []
    count = 0
    for architecture, origin in origins.items():
        path = index_of(architecture)
        told, before = indexes.earlier(last.origins[architecture]), shelf.text(last, path)
        if told is None or before is None:
            return None
        old, as_served = index.stanzas(told), index.stanzas(before)
        if len(old) != len(as_served):
            return None
        known = dict(zip(old, as_served, strict=True))
        now = index.stanzas(indexes.text(origin))
        unknown = [stanza for stanza in now if stanza not in known]
        packages = list(index.packages(indexes.name, name, unknown))
        known.update(zip(unknown, (package.stanza for package in packages), strict=True))
        texts[path] = served(map(known.__getitem__, now))
        new += packages
        count += len(now)
    paths = {path for text in texts.values() for path in _FILENAME.findall(b"\n" + text)}
    kept = [entry for entry in last.packages if entry.path.encode() in paths]
    return Contents(origins, texts, kept, unique(new), count)


def served(stanzas: Iterable[bytes]) -> bytes:
    """An index of packages."""
    return b"".join([b"%s\n\n" % stanza for stanza in stanzas])


def unique(packages: Iterable[Package]) -> Collection[Package]:
    """Packages, each once.

    Raises:
        SourceRefused: Two that are not the same would have one name.
    """
    every: dict[str, Package] = {}
    for package in packages:
        other = every.setdefault(package.path, package)
        if (other.size, other.digest) != (package.size, package.digest):
            raise SourceRefused(
                f"the index says of {package.name} {package.version} that it has {other.size} "
                f"bytes with the hash {other.digest}, and {package.size} bytes with "
                f"{package.digest}", "Tell whoever runs the source; nothing was changed",
            )  # fmt: skip
    return every.values()
