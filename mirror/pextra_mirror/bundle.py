"""Writing a signed bundle: what a site without internet lacks, in one file or in parts."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import io
import json
import marshal
import os
import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from pextra_mirror import files
from pextra_mirror.bundle_read import MANIFEST_LIMIT, manifest_of
from pextra_mirror.config import Config
from pextra_mirror.errors import BundleRefused, ConfigError, DiskFull, MirrorError, NotReady
from pextra_mirror.gpg import KeyStore
from pextra_mirror.listing import Entry, Listing
from pextra_mirror.progress import size
from pextra_mirror.request import Request
from pextra_mirror.tree import Tree

STEM, IMPORTER = "pextra-mirror-", "import-bundle.pyz"
CARRIED = (
    "__init__", "errors", "files", "signature", "listing", "tree", "request", "bundle_read",
    "bundle_import", "bundle_cli", "console", "interrupt",
)  # fmt: skip
"""The modules that the import consists of."""
START = """\
import signal
import sys

if sys.version_info < (3, 9):
    sys.stderr.write(
        "import-bundle: Python 3.9 or newer is needed, this is %d.%d. "
        "Run it with another, such as python3.11\\n" % sys.version_info[:2]
    )
    sys.exit(2)

signal.signal(signal.SIGINT, signal.SIG_DFL)

from pextra_mirror.bundle_cli import main

sys.exit(main())
"""
"""How it begins: in words that every Python knows, since an older one is to say what it lacks."""
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_PLAIN = 2
"""The form of marshal that is the same each time: newer ones tell which objects others refer to."""
FAT_LIMIT = 2**32 - 1
"""The largest file that FAT32 takes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that was written.

    Attributes:
        parts: Its files.
        base: The publication that it builds on, None if it stands alone.
        target: The publication that it leads to.
        members: How many files are in it.
        bytes: Their size together.
        key: Fingerprint of the key that signed it.
    """

    parts: tuple[Path, ...]
    base: int | None
    target: int
    members: int
    bytes: int
    key: str


def part_size(text: str) -> int:
    """The bytes of a size such as 4GiB; that one less one byte, so that FAT32 takes it.

    Raises:
        ConfigError: It is no size, or too small.
    """
    found = re.fullmatch(r"(\d+)\s*(|[KMG]|[KMG]B|[KMG]iB)", text)
    unit = (found[2] if found else "").upper().removesuffix("B")
    unit = f"{unit}B" if unit.endswith("I") else unit
    if not found or int(found[1]) * UNITS[unit] < 2**16:
        raise ConfigError(f"--split {text}: give a size of at least 64KiB, such as 4GiB or 700M")
    wanted = int(found[1]) * UNITS[unit]
    return FAT_LIMIT if wanted == FAT_LIMIT + 1 else wanted


@dataclasses.dataclass(frozen=True, slots=True)
class Base:
    """What a site has already.

    Attributes:
        listing: The publication that it serves; None if nothing counts as there.
        lost: What of that is damaged there.
    """

    listing: Listing | None = None
    lost: frozenset[Entry] = frozenset()


def base_of(tree: Tree, since: str) -> Base:
    """The publication that a bundle, a number, or the name of a snapshot stands for.

    Raises:
        ConfigError: It stands for none.
    """
    if Path(since).is_file():
        try:
            return Base(manifest_of(Path(since)).target)
        except MirrorError as error:
            raise ConfigError(
                f"--since {since} is no bundle: {error.message}", "Give its first part"
            ) from error
    kept = tree.sequences()
    if since.isdecimal() and int(since) in kept:
        return Base(tree.listing(int(since)))
    for sequence in reversed(kept):
        listing = tree.readable(sequence)
        if listing and any(since in parts.values() for parts in listing.snapshots.values()):
            return Base(listing)
    raise ConfigError(
        f"--since {since} is no bundle, and no publication or snapshot that is kept",
        f"Kept are {', '.join(map(str, kept)) or 'none'}",
    )


def base_of_request(tree: Tree, target: Listing, path: Path) -> Base:
    """What a site has that wrote a request; nothing if its publication is not kept here.

    Raises:
        BundleRefused: It is another mirror's site.
    """
    request = Request.read(path)
    if request.mirror not in ("", target.mirror):
        raise BundleRefused(
            f"{path} is of a site of mirror {request.mirror}, this is {target.mirror}"
        )
    known = tree.readable(request.sequence) if request.sequence in tree.sequences() else None
    if known is None or known.digest != request.digest:
        return Base()
    return Base(known, frozenset(request.files))


class Split:
    """A file to write to that is one file or several, none visible before all is written."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path, self._limit = path, limit
        self._parts: list[Path] = []
        self._file: IO[bytes] | None = None
        self._room = 0

    def write(self, data: bytes) -> int:
        """Write, and begin another part where one is full."""
        view = memoryview(data)
        while view:
            if self._file is None or (self._limit and not self._room):
                self._next()
            count = min(len(view), self._room) if self._limit else len(view)
            if self._file:
                self._file.write(view[:count])
            self._room -= count
            view = view[count:]
        return len(data)

    def _next(self) -> None:
        self._close()
        suffix = f".{len(self._parts) + 1:03}" if self._limit else ""
        final = self._path.with_name(self._path.name + suffix)
        self._parts.append(final)
        self._file = final.with_name(f"{final.name}.unfinished").open("wb")
        self._room = self._limit

    def _close(self) -> None:
        if self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    def finish(self) -> tuple[Path, ...]:
        """Give all parts their names; the first one last."""
        self._close()
        for final in reversed(self._parts):
            os.replace(final.with_name(f"{final.name}.unfinished"), final)
        return tuple(self._parts)

    def discard(self) -> None:
        """Remove what was written."""
        self._close()
        for final in self._parts:
            final.with_name(f"{final.name}.unfinished").unlink(missing_ok=True)


def export(
    config: Config, folder: Path, *, since: str = "", request: Path | None = None, split: int = 0,
    on_total: Callable[[int], None] = lambda _total: None,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> Exported:  # fmt: skip
    """Write what is served now as a bundle, the same byte for byte each time.

    Args:
        config: The mirror.
        folder: Where to.
        since: Leave out what this bundle, publication or snapshot had.
        request: Answer the request of a site whose files are damaged.
        split: Bytes of a part; 0 for one file.
        on_total: Told how many bytes there are.
        on_bytes: Told of each piece that is written.

    Raises:
        MirrorError: Nothing was written.
    """
    tree = Tree(config.public)
    current = tree.current()
    if current is None:
        raise NotReady("nothing is published", "pextra-mirror publish")
    key = KeyStore(config.gnupg).chosen(config.signing_key)
    target = tree.listing(current)
    base = base_of_request(tree, target, request) if request else Base()
    base = base_of(tree, since) if since else base
    known = base.listing
    if known and known.mirror != target.mirror:
        raise BundleRefused(f"--since {since} is of mirror {known.mirror}, this is {target.mirror}")
    if known and known.sequence >= target.sequence and not base.lost:
        there = "served now" if known.sequence == current else "newer"
        raise BundleRefused(
            f"nothing is newer: --since is publication {known.sequence}, which is {there}"
        )
    had = set(known.files) - base.lost if known else set()
    members = [entry for entry in target.files if entry not in had]
    total = sum(entry.size for entry in members)
    folder.mkdir(parents=True, exist_ok=True)
    # What an export left that was killed is of no use: parts are written anew.
    for path in unfinished(folder, target.mirror):
        path.unlink()
    overhead = len(target.data) * 2 + len(members) * 2048 + 2**20
    if shutil.disk_usage(folder).free < total + overhead:
        raise DiskFull(f"the bundle takes {size(total + overhead)}, which {folder} has not")
    on_total(total)
    out = Split(folder / _name(target, base), split)
    note = config.state / "export"
    files.write(note, os.fsencode(folder.resolve()), ours=True)
    try:
        write_tar(config, out, target, known, members, key, on_bytes)
    except BaseException:
        out.discard()
        raise
    write_importer(folder / IMPORTER)
    parts = out.finish()
    note.unlink()
    return Exported(parts, known.sequence if known else None, target.sequence, len(members), total,
                    key)  # fmt: skip


def _name(target: Listing, base: Base) -> str:
    """What a bundle is called."""
    known = base.listing
    kind = f"-{'repair' if base.lost else 'since'}-{known.sequence:06}" if known else ""
    return f"{STEM}{target.mirror}-{target.sequence:06}{kind}.tar"


def unfinished(folder: Path, mirror: str) -> list[Path]:
    """What exports of a mirror left in a folder that were killed."""
    if not folder.is_dir():
        return []
    return [
        path for path in folder.iterdir() if path.name.endswith(".unfinished")
        and path.name.startswith((f"{STEM}{mirror}-", IMPORTER))
    ]  # fmt: skip


def write_tar(
    config: Config, out: Split, target: Listing, base: Listing | None, members: list[Entry],
    key: str, on_bytes: Callable[[int], None],
) -> None:  # fmt: skip
    """Write manifest, signature and members."""
    tree, store = Tree(config.public), KeyStore(config.gnupg)
    fields = {
        "base": {"sequence": base.sequence, "digest": base.digest} if base else None,
        "members": [entry.path for entry in members],
        "target": target.to_json(),
    }
    manifest = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    if len(manifest) > MANIFEST_LIMIT:
        raise BundleRefused(f"the publication has {len(target.files)} files, too many for a bundle")
    signature = store.sign(manifest, key, target.created)
    add(out, "manifest.json", len(manifest), target.created, io.BytesIO(manifest))
    add(out, "manifest.json.sig", len(signature), target.created, io.BytesIO(signature))
    for entry in members:
        with tree.file(target.sequence, entry).open("rb") as file:
            digest = add(out, entry.path, entry.size, target.created, file, on_bytes)
        if digest != entry.sha256:
            raise BundleRefused(
                f"{entry.path} is not what was published",
                "`pextra-mirror verify --repair` mends it",
            )
    out.write(b"\0" * 2 * tarfile.BLOCKSIZE)


def add(
    out: Split, name: str, length: int, moment: int, file: IO[bytes],
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> str:  # fmt: skip
    """Write one file, owned by nobody in particular; the SHA-256 of its contents."""
    header = tarfile.TarInfo(name)
    header.size, header.mtime, header.mode = length, moment, 0o644
    out.write(header.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict"))
    digest, left = hashlib.sha256(), length
    while left and (chunk := file.read(min(files.CHUNK, left))):
        digest.update(chunk)
        out.write(chunk)
        on_bytes(len(chunk))
        left -= len(chunk)
    if left or file.read(1):
        raise BundleRefused(f"{name} is not of the size that was published")
    out.write(b"\0" * (-length % tarfile.BLOCKSIZE))
    return digest.hexdigest()


def bytecode(name: str, source: bytes) -> bytes:
    """A module as this version of Python has it compiled; others compile its source.

    To compile them takes a third of a small import, since Python compiles each module of an archive
    twice. The form is that of PEP 552, of a file that is not held against its source.
    """
    unchecked, code = 1, compile(source, name, "exec", dont_inherit=True)
    head = importlib.util.MAGIC_NUMBER + unchecked.to_bytes(4, "little")
    return head + importlib.util.source_hash(source) + marshal.dumps(code, _PLAIN)


def write_importer(path: Path) -> None:
    """Put the import beside the bundle: one file that Python runs, the same each time."""
    temporary = path.with_name(f"{path.name}.unfinished")
    here = Path(__file__).parent
    contents = {f"{here.name}/{name}.py": (here / f"{name}.py").read_bytes() for name in CARRIED}
    compiled = {f"{name}c": bytecode(name, data) for name, data in contents.items()}
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"__main__.py": START.encode(), **contents, **compiled}.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr, info.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    temporary.replace(path)
