"""Take a signed bundle into the repository of a site without internet; see bundle_cli.py."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from pextra_mirror import files
from pextra_mirror.bundle_read import Bundle, Manifest
from pextra_mirror.errors import (
    BundleRefused,
    Busy,
    Damaged,
    DiskFull,
    NotReady,
)
from pextra_mirror.listing import Entry, Listing
from pextra_mirror.request import Request
from pextra_mirror.tree import KEEP, Tree, discard

_ROOM = 2**24
"""Bytes that stay free on the disk."""


@contextlib.contextmanager
def locked(tree: Tree) -> Iterator[None]:
    """Have the tree to oneself, without what a killed process left in it.

    Raises:
        Busy: Another process has it.
    """
    tree.root.mkdir(parents=True, exist_ok=True)
    files.folder(tree.generations, tree.root)
    with (tree.generations / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise Busy(f"another import works on this tree: process {file.read()}") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        for path in (*files.leftovers(tree.generations), *tree.root.glob("*/.dists.*.new")):
            files.remove(path)
        yield


def accept(tree: Tree, manifest: Manifest, *, signer: str) -> list[Entry]:
    """Refuse a bundle that does not follow what is there.

    The newest publication is taken again where it is not served, or is damaged.

    Returns:
        The packages that it counts on, and that were found to be sound.

    Raises:
        BundleRefused: It is another mirror's, a replay, a downgrade, or its base is missing.
    """
    target, kept = manifest.target, tree.sequences()
    known = next(filter(None, map(tree.readable, reversed(kept))), None)
    if known and target.mirror != known.mirror:
        raise BundleRefused(f"this is a bundle of mirror {target.mirror}, here is {known.mirror}")
    if kept:
        last = tree.readable(kept[-1])
        if last and target.digest == last.digest:
            served = tree.current() == target.sequence
            if served and not tree.damaged(target.sequence) and not tree.astray(target.sequence):
                raise BundleRefused(f"publication {target.sequence} was imported already")
        elif target.sequence < kept[-1] or (last and target.sequence == kept[-1]):
            raise BundleRefused(
                f"the bundle leads to publication {target.sequence}, here is {kept[-1]} "
                f"already (signed by {signer}): going back is `rollback`"
            )
    if manifest.base is None:
        if len(manifest.members) != len(target.files):
            raise BundleRefused("the bundle has no base, and lacks files of its target")
        return []
    return follows(tree, manifest, *manifest.base)


def follows(tree: Tree, manifest: Manifest, sequence: int, digest: str) -> list[Entry]:
    """Refuse a bundle whose base is not here, or not whole.

    Returns:
        The packages that it takes from the base.

    Raises:
        BundleRefused: The message says what is missing.
    """
    kept = tree.sequences()
    known = tree.readable(sequence) if sequence in kept else None
    if known is None or known.digest != digest:
        there = f"here are {', '.join(map(str, kept))}" if kept else "here is nothing yet"
        raise BundleRefused(
            f"the bundle builds on publication {sequence}, which is missing ({there})",
            "Import the bundles in between first, or export again with --since what is here",
        )
    base = {entry.path: entry for entry in known.files}
    brought = {entry.path for entry in manifest.members}
    sound = list[Entry]()
    for entry in manifest.target.files:
        if entry.path in brought:
            continue
        if base.get(entry.path) != entry:
            raise BundleRefused(f"{entry.path} is neither in the bundle nor in its base")
        if not tree.is_sound(sequence, entry):
            raise BundleRefused(
                f"{entry.path} of the base is damaged",
                "`repair` writes a request; import what `pextra-mirror export --for` answers, "
                "or a bundle without base",
            )
        if entry.is_package:
            sound.append(entry)
    return sound


def import_bundle(
    tree: Tree, first: Path, *, keyring: Path | None = None, keep: int = KEEP,
    on_bytes: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Listing, str]:  # fmt: skip
    """Take in a bundle; the publication that is served then, and who signed it.

    Every step may be the last of a process that is killed: the same import finishes then.

    Args:
        tree: Where to.
        first: The bundle, or its first part.
        keyring: The keys to trust from now on; left out, those of the import before.
        keep: How many publications stay for `rollback`.
        on_bytes: Told how many bytes of how many are read.

    Raises:
        MirrorError: Anything at all is wrong; what is served has not changed.
    """
    with locked(tree):
        trusted = tree.generations / "trusted.gpg"
        if keyring is None and not trusted.exists():
            raise BundleRefused(
                "this is the first import here: give the mirror's key with --keyring"
            )
        keys = (keyring or trusted).read_bytes()
        bundle = Bundle(first, keys)
        manifest = bundle.manifest
        incoming = _incoming(tree, bundle)
        sound = accept(tree, manifest, signer=bundle.signer)
        files.folder(incoming, tree.root)
        total = sum(entry.size for entry in manifest.members)
        needed = sum(e.size for e in manifest.members if not (incoming / e.sha256).exists())
        if shutil.disk_usage(tree.root).free < needed + _ROOM:
            raise DiskFull(f"{needed} bytes are needed in {tree.root}, which has not as much room")
        done = 0

        def count(size: int) -> None:
            nonlocal done
            done += size
            on_bytes(done, total)

        try:
            bundle.unpack(incoming, count)
        except BundleRefused:
            shutil.rmtree(incoming)
            raise
        base, brought = manifest.base, {entry.path for entry in manifest.members}

        def source(entry: Entry) -> Path:
            if entry.path in brought:
                return incoming / entry.sha256
            return tree.file(base[0] if base else 0, entry)

        tree.place(manifest.target, source, sound)
        files.write(trusted, keys, ours=True)
        tree.switch(manifest.target.sequence)
        tree.prune(keep)
        shutil.rmtree(incoming)
        return manifest.target, bundle.signer


def _incoming(tree: Tree, bundle: Bundle) -> Path:
    """Where a bundle is unpacked; what others have left there, which is of no use, is removed."""
    incoming = tree.generations / f"incoming-{hashlib.sha256(bundle.data).hexdigest()[:16]}"
    for other in tree.generations.glob("incoming-*"):
        # What belongs to a publication that is served already is of no use, too.
        if other != incoming or tree.current() == bundle.manifest.target.sequence:
            shutil.rmtree(other)
    return incoming


def rollback(tree: Tree, sequence: int | None = None) -> Listing:
    """Serve an earlier publication that is kept; left out, the one before.

    Raises:
        BundleRefused: It is not kept.
    """
    with locked(tree):
        kept, current = tree.sequences(), tree.current()
        earlier = [item for item in kept if current is not None and item < current]
        wanted = sequence if sequence is not None else (earlier[-1] if earlier else None)
        if wanted not in kept:
            there = ", ".join(map(str, kept)) or "nothing"
            what = "no earlier one is" if wanted is None else f"publication {wanted} is not"
            raise BundleRefused(f"{what} kept; kept: {there}")
        tree.switch(wanted)
        return tree.listing(wanted)


def served(tree: Tree) -> int:
    """The publication that is served.

    Raises:
        NotReady: There is none.
    """
    current = tree.current()
    if current is None or current not in tree.sequences():
        raise NotReady("nothing is served here yet", "Import a bundle")
    return current


def verify(tree: Tree) -> int:
    """Hash all that is served; how many files that is.

    Raises:
        Damaged: Something is missing or has changed; the message names it.
    """
    with locked(tree):
        current = served(tree)
        bad = [entry.path for entry in tree.damaged(current, thorough=True)]
        bad += tree.astray(current)
        if bad:
            raise Damaged(
                f"{len(bad)} of {len(tree.listing(current).files)} served files are not what was "
                f"published: {', '.join(bad[:5])}",
                "`repair` mends what it can, and writes a request for the rest",
            )
        return len(tree.listing(current).files)


def repair(tree: Tree, output: Path) -> tuple[Request, int]:
    """Mend what can be mended here, and write a request for what cannot.

    Returns:
        What is missing, and how many files were mended.
    """
    with locked(tree):
        current = served(tree)
        for path in tree.shut():
            path.chmod(0o755 if path.is_dir() else 0o644)
        for path in tree.strays():
            discard(path)
        listing = tree.readable(current)
        if listing is None:
            request = Request("", current, "", ())
            request.write(output)
            return request, 0
        bad = tree.damaged(current, thorough=True)
        others = copies(tree, current, {entry.sha256 for entry in bad})
        for entry in bad:
            if entry.sha256 in others:
                files.folder(tree.file(current, entry).parent, tree.root)
                files.copy(others[entry.sha256], tree.file(current, entry))
        left = tree.damaged(current)
        astray = [] if left else tree.astray(current)
        if astray:
            tree.set_right(current)
        request = Request(listing.mirror, current, listing.digest, tuple(left))
        if left:
            request.write(output)
        return request, len(bad) + len(astray) - len(left)


def copies(tree: Tree, current: int, wanted: set[str]) -> dict[str, Path]:
    """Sound files of other publications that have the contents of some that are damaged."""
    found: dict[str, Path] = {}
    for sequence in tree.sequences():
        known = tree.readable(sequence)
        for entry in known.files if known else ():
            path = tree.file(sequence, entry)
            if entry.sha256 in wanted - set(found) and files.sha256_of(path) == entry.sha256:
                found[entry.sha256] = path
    for digest in wanted - set(found):
        for path in tree.generations.glob(f"{current}/*/dists/**/by-hash/SHA256/{digest}"):
            if files.sha256_of(path) == digest:
                found[digest] = path
    return found
