"""Naming what is wrong with a mirror, and mending it: what nothing else would ever remove or make.

What is served changes only where it is damaged, or has a source that is not configured any more.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from pextra_mirror import bundle, files, identity, notes, publication, record
from pextra_mirror.config import Config
from pextra_mirror.errors import MirrorError, NotReady
from pextra_mirror.gpg import KeyStore
from pextra_mirror.holdings import Holdings
from pextra_mirror.listing import Listing
from pextra_mirror.publication import Publisher
from pextra_mirror.status import OTHER_KEY, SIGN_ANEW, unreadable
from pextra_mirror.sync import sync
from pextra_mirror.tree import Tree, discard

Mend = Callable[[], object]


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Attributes:
        what: What it is.
        advice: What to do about it, where it was not mended.
        mended: Whether it was.
    """

    what: str
    advice: str = ""
    mended: bool = False


def examine(config: Config, *, mend: bool) -> list[Finding]:
    """What is wrong with a mirror.

    Args:
        config: The mirror.
        mend: Mend what can be mended without a source.
    """
    found: list[Finding] = []
    for look in (records, sources, publications, strays, damage, modes, keys):
        for what, advice, cure in look(config):
            mended = False
            if mend and cure is not None:
                try:
                    cure()
                    mended = True
                except (MirrorError, OSError) as error:
                    advice = f"{advice}: {error}" if advice else str(error)
            found.append(Finding(what, advice, mended))
    return found


def remove(paths: Iterable[Path], *, from_pool: bool = False) -> None:
    """Remove files and folders; from a pool, folders that they were alone in, too."""
    for path in paths:
        (discard if from_pool else files.remove)(path)


def show_to_all(paths: Iterable[Path]) -> None:
    """Have files and folders readable by a web server."""
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)


Wrong = Iterator[tuple[str, str, Mend | None]]


def records(config: Config) -> Wrong:
    """Records that are lost or cannot be read."""
    mirror, found = identity.served(config), ""
    with contextlib.suppress(NotReady):
        found = identity.read(config)
    if mirror and found != mirror:
        yield (
            f"{config.state / 'identity'} is lost or damaged, without which sites refuse bundles",
            "", partial(identity.restore, config, mirror),
        )  # fmt: skip
    for source in config.sources:
        known = record.read(config.state, source.name)
        if known.state == "never" and known.error:
            yield (
                f"source {source.name}: {known.error}", f"pextra-mirror sync {source.name}",
                partial(files.remove, record.path(config.state, source.name)),
            )  # fmt: skip
        shelf = Publisher(config).shelf
        names = known.complete.snapshots.values() if known.complete else ()
        for name in names:
            if shelf.read(name) is None:
                advice = f"`pextra-mirror sync {source.name}` makes it again"
                yield f"the snapshot {name} is missing or damaged", advice, None


def sources(config: Config) -> Wrong:
    """What is left of sources that are not configured any more, of exports, and of version 0.1."""
    names = {source.name for source in config.sources}
    for path in sorted(config.state.glob("source-*.json")):
        if (name := path.stem.removeprefix("source-")) not in names:
            yield f"{path} is of source {name}, which is not configured", "", path.unlink
    for path in sorted(config.cache.glob("*")):
        if path.name not in {*names, "signed"} and path.is_dir():
            yield (
                f"{path} is of source {path.name}, which is not configured", "",
                partial(remove, [path]),
            )  # fmt: skip
    tree = Tree(config.public)
    current = tree.current()
    listing = tree.readable(current) if current is not None else None
    places = {publication.place(source) for source in config.sources}
    for place in sorted(set(listing.snapshots) - places if listing else ()):
        yield (
            f"{place} is served and not configured", "pextra-mirror publish",
            lambda: None if publication.held(config) else Publisher(config).publish(
                publication.complete_snapshots(config)),
        )  # fmt: skip
    note = config.state / "export"
    if note.exists():
        folder = Path(notes.noted(note).replace("\0", ""))
        left = bundle.unfinished(folder, identity.read(config))
        yield (
            f"an export to {folder} was killed; it left {len(left)} unfinished files there", "",
            partial(remove, [*left, note]),
        )  # fmt: skip
    old = [path for path in (config.root / "aptly", config.root / "aptly.conf") if path.exists()]
    if (
        old
        and listing
        and all(
            config.snapshots.joinpath(name).exists()
            for parts in listing.snapshots.values()
            for name in parts.values()
        )
    ):
        for path in old:
            yield (
                f"{path} was aptly's, and is not used any more", "",
                partial(remove, [path]),
            )  # fmt: skip


def publications(config: Config) -> Wrong:
    """Publications that cannot be served."""
    tree = Tree(config.public)
    kept, current = tree.sequences(), tree.current()
    for sequence in kept:
        folder = tree.generations / str(sequence)
        if tree.readable(sequence) is None and sequence != current:
            yield (
                f"publication {sequence} cannot be read", "",
                partial(remove, [folder]),
            )  # fmt: skip
        elif tree.readable(sequence) is None:

            def cure(folder: Path = folder) -> None:
                snapshots = publication.complete_snapshots(config)
                Publisher(config).publish(snapshots, force=True)
                files.remove(folder)

            what = f"publication {sequence}, which is served, has no list that can be read"
            yield what, "pextra-mirror sync, then doctor", cure
        elif current is not None and sequence > current:
            yield (
                f"publication {sequence} was never served: a process was killed", "",
                partial(remove, [folder]),
            )  # fmt: skip
    good = [sequence for sequence in kept if tree.readable(sequence)]
    if good and current not in kept:
        yield "no publication is served", "", lambda: tree.switch(good[-1])


def strays(config: Config) -> Wrong:
    """Files that belong to nothing."""
    tree = Tree(config.public)
    found = tree.strays()
    for folder in (config.state, config.cache, config.snapshots):
        found += files.leftovers(folder)
    if found:
        yield (
            f"{len(found)} files in {config.root} belong to nothing: "
            f"{', '.join(str(path) for path in found[:3])}", "",
            partial(remove, found, from_pool=True),
        )  # fmt: skip
    unlisted = [
        path for path in sorted(config.snapshots.glob("*")) if not (path / "snapshot.json").exists()
    ]
    for path in unlisted:
        yield f"{path} is unfinished", "", partial(remove, [path])


def damage(config: Config) -> Wrong:
    """Served files that are damaged."""
    publisher = Publisher(config)
    tree, current = publisher.tree, publisher.tree.current()
    for sequence in tree.sequences():
        bad = [e.path for e in tree.damaged(sequence)] if tree.readable(sequence) else []
        if sequence == current and tree.readable(sequence):
            bad += tree.astray(sequence)
        if bad and sequence == current:

            def cure() -> None:
                if left := publisher.heal():
                    raise NotReady(f"{len(left)} files are not here")

            yield (
                f"{len(bad)} served files are damaged: "
                f"{', '.join(bad[:3])}",
                "pextra-mirror verify --repair", cure,
            )  # fmt: skip
        elif bad:
            yield (
                f"publication {sequence} is kept and has {len(bad)} damaged files",
                "It cannot be rolled back to; it goes when `keep` others have come", None,
            )  # fmt: skip


def modes(config: Config) -> Wrong:
    """What a web server cannot read, and what others must not."""
    if found := unreadable(config):
        yield (
            f"{len(found)} files and folders cannot be read by a web server: "
            f"{', '.join(str(path) for path in found[:3])}", "",
            partial(show_to_all, found),
        )  # fmt: skip
    if config.gnupg.is_dir() and config.gnupg.stat().st_mode & 0o77:
        yield f"{config.gnupg} can be read by others", "", lambda: config.gnupg.chmod(0o700)


def keys(config: Config) -> Wrong:
    """Signing keys that are lost, or will be of no use."""
    store = KeyStore(config.gnupg)
    try:
        store.chosen(config.signing_key)
    except NotReady as error:
        yield error.message, error.hint, None
        return
    for path in publication.wrongly_signed(config, Tree(config.public)):
        yield f"{path} {OTHER_KEY}", SIGN_ANEW, None
    for key in store.secret_keys():
        if key.warning:
            yield (
                f"signing: {key.warning}",
                store.extending(key.fingerprint), None,
            )  # fmt: skip


def repair(config: Config, *, quiet: bool) -> tuple[Listing, list[str]]:
    """Mend what is served: from what is here, else from its sources.

    Returns:
        What is served then, and what is left damaged.
    """
    publisher = Publisher(config)
    if publisher.heal():
        for source in config.sources:
            sync(config, source, Holdings(config), quiet=quiet)
        publisher = Publisher(config)
        if publisher.heal() and not publication.held(config):
            publisher.publish(publication.complete_snapshots(config))
    listing, bad = publication.verify(config, thorough=False)
    if bad:
        with contextlib.suppress(MirrorError):
            publisher.publish(listing.snapshots, force=True)
            listing, bad = publication.verify(config, thorough=False)
    return listing, bad
