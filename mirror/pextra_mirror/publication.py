"""Publishing snapshots: aptly makes and signs the indexes, the tree switches to them at once."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from pextra_mirror import record, release
from pextra_mirror.archive import Archive
from pextra_mirror.bundle_import import check_signature
from pextra_mirror.config import Config, Source
from pextra_mirror.errors import ConfigError, Damaged, MirrorError, NotReady
from pextra_mirror.gpg import KeyStore
from pextra_mirror.tree import Entry, Listing, Refused, Tree, sha256_of, write

Snapshots = dict[str, dict[str, str]]
"""The snapshot of each component, by ``prefix/distribution``."""


def identity(config: Config) -> str:
    """What tells this mirror from any other, made once.

    Raises:
        NotReady: `init` was never run.
    """
    try:
        return (config.state / "identity").read_text().strip()
    except FileNotFoundError as error:
        raise NotReady(f"{config.root} is no mirror yet", "pextra-mirror init") from error


def make_identity(config: Config) -> str:
    """The mirror's identity, made if there is none."""
    with contextlib.suppress(NotReady):
        return identity(config)
    config.state.mkdir(parents=True, exist_ok=True)
    write(config.state / "identity", f"{secrets.token_hex(8)}\n".encode())
    return identity(config)


def place(source: Source) -> str:
    """Where a source is published."""
    return f"{source.prefix}/{source.distribution}"


def complete_snapshots(config: Config) -> Snapshots:
    """The snapshots of every source, all of a complete sync.

    Raises:
        NotReady: A source was never synced, or its last sync did not succeed.
    """
    found: Snapshots = {}
    for source in config.sources:
        known = record.read(config.state, source.name)
        if known.state != "complete" or known.complete is None:
            why = {"never": "was never synced", "failed": f"failed to sync: {known.error}"}
            raise NotReady(
                f"source {source.name} {why.get(known.state, 'was interrupted while it synced')}",
                f"pextra-mirror sync {source.name}",
            )
        found[place(source)] = dict(known.complete.snapshots)
    return found


def publish(config: Config, snapshots: Snapshots, *, force: bool = False) -> tuple[Listing, bool]:
    """Have these snapshots served; what is served then, and whether that is new.

    Args:
        config: The mirror.
        snapshots: Of each source that is published.
        force: Publish again, with fresh signatures, also what is served already.

    Raises:
        MirrorError: What was served before still is.
    """
    tree, aptly = Tree(config.public), Archive(config)
    current = tree.current()
    if current is not None and not force and tree.listing(current).snapshots == snapshots:
        return tree.listing(current), False
    key = KeyStore(config.gnupg).chosen(config.signing_key)
    served = tree.listing(current).snapshots if current else {}
    for source in config.sources:
        wanted = snapshots.get(place(source))
        if wanted is None:
            continue
        if (
            force
            or wanted != served.get(place(source))
            or wanted != aptly.published().get(place(source))
        ):
            known = record.read(config.state, source.name).complete
            aptly.publish(source, wanted, key, known.fields if known else {})
    sequences = tree.sequences()
    files = {entry: path for name in snapshots for entry, path in published_files(config, name)}
    listing = Listing(
        mirror=identity(config), sequence=sequences[-1] + 1 if sequences else 1,
        created=int(time.time()), snapshots=snapshots, files=tuple(sorted(files)),
    )  # fmt: skip
    try:
        tree.place(Listing.from_json(json.loads(listing.to_bytes())), files.__getitem__)
    except Refused as error:
        hint = "The source has changed a package under its version"
        raise MirrorError(str(error), hint) from error
    tree.switch(listing.sequence)
    clean_up(config, tree, aptly)
    return listing, True


def published_files(config: Config, name: str) -> Iterator[tuple[Entry, Path]]:
    """Each file of what aptly has published at ``prefix/distribution``, and where it is."""
    prefix, distribution = name.split("/")
    root = config.aptly / "public"
    folder = root / prefix / "dists" / distribution
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "by-hash" not in path.parts:
            size = path.stat().st_size
            yield Entry(str(path.relative_to(root)), size, sha256_of(path)), path
            if path.name == "Packages":
                for package in release.packages(path.read_bytes()):
                    pooled = root / prefix / package["Filename"]
                    entry = Entry(
                        f"{prefix}/{package['Filename']}", int(package["Size"]), package["SHA256"]
                    )
                    yield entry, pooled


def clean_up(config: Config, tree: Tree, aptly: Archive) -> None:
    """Remove publications beyond the last N, and what nothing refers to any more."""
    tree.prune(config.keep)
    kept: set[str] = set()
    for sequence in tree.sequences():
        for components in tree.listing(sequence).snapshots.values():
            kept |= set(components.values())
    for source in config.sources:
        known = record.read(config.state, source.name).complete
        kept |= set(known.snapshots.values()) if known else set()
    aptly.drop_unpublished(kept)


def rollback(config: Config, sequence: int | None) -> Listing:
    """Publish what an earlier publication had, as a new one: apt refuses an older date.

    Until the next `publish`, what `sync --publish` finds is not published.

    Raises:
        ConfigError: It is not kept.
        MirrorError: What was served before still is.
    """
    tree = Tree(config.public)
    kept, current = tree.sequences(), tree.current()
    earlier = [item for item in kept if current is not None and item < current]
    wanted = sequence if sequence is not None else (earlier[-1] if earlier else None)
    if wanted not in kept or wanted == current:
        there = ", ".join(str(item) for item in kept if item != current) or "none"
        raise ConfigError(f"publication {wanted or 'before this one'} is not kept; kept: {there}")
    hold(config, f"rolled back to publication {wanted} at {record.now()}")
    listing, _new = publish(config, tree.listing(wanted).snapshots, force=True)
    return listing


def hold(config: Config, why: str) -> None:
    """Note, or with an empty text forget, why nothing new is published by itself."""
    path = config.state / "held"
    if why:
        write(path, why.encode())
    else:
        path.unlink(missing_ok=True)


def held(config: Config) -> str:
    """Why nothing new is published by itself; empty if it is."""
    path = config.state / "held"
    return path.read_text() if path.exists() else ""


def verify(config: Config) -> Mapping[str, int]:
    """Hold every file that is served against its publication's list, and signatures too.

    Raises:
        NotReady: Nothing is published.
        Damaged: Something is missing or has changed; the message names it.
    """
    tree = Tree(config.public)
    current = tree.current()
    if current is None:
        raise NotReady("nothing is published", "pextra-mirror publish")
    listing = tree.listing(current)
    bad: list[str] = []
    for entry in listing.files:
        path = config.public / entry.path
        try:
            good = path.stat().st_size == entry.size and sha256_of(path) == entry.sha256
        except OSError:
            good = False
        if not good:
            bad.append(entry.path)
    store = KeyStore(config.gnupg)
    keys = store.public(store.chosen(config.signing_key), armour=False)
    for entry in listing.files:
        if entry.path.endswith("/InRelease") and entry.path not in bad:
            check_release(config.public / entry.path, keys, bad)
    if bad:
        raise Damaged(
            f"{len(bad)} of {len(listing.files)} served files are not what was published: "
            f"{', '.join(bad[:5])}", "`pextra-mirror publish --force` makes the indexes again",
        )  # fmt: skip
    return {"sequence": current, "files": len(listing.files),
            "bytes": sum(entry.size for entry in listing.files)}  # fmt: skip


def check_release(path: Path, keys: bytes, bad: list[str]) -> None:
    """Note a Release whose signature is not good."""
    try:
        check_signature(None, path.read_bytes(), keys)
    except Refused:
        bad.append(str(path))
