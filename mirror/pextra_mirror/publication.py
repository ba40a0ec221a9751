"""Publishing snapshots: their indexes are signed, and the tree switches to them at once."""

from __future__ import annotations

import contextlib
import email.utils
import re
import time
from collections.abc import Mapping
from pathlib import Path

from pextra_mirror import files, identity, notes, record
from pextra_mirror.config import Config, Source
from pextra_mirror.errors import BundleRefused, ConfigError, Damaged, MirrorError, NotReady
from pextra_mirror.gpg import KeyStore
from pextra_mirror.holdings import Holdings
from pextra_mirror.listing import Entry, Listing
from pextra_mirror.signature import BadSignature, check_signature
from pextra_mirror.snapshot import Shelf, Snapshot, entry_of
from pextra_mirror.tree import Tree

Snapshots = dict[str, dict[str, str]]
"""The snapshot of each component, by ``prefix/distribution``."""
_SIGNED = ("Release", "InRelease", "Release.gpg")


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


class Publisher:
    """Lays out publications of a mirror.

    Args:
        config: The mirror.
        holdings: What this command found to be here, if it looked.
    """

    def __init__(self, config: Config, holdings: Holdings | None = None) -> None:
        self.config = config
        self._holdings = holdings or Holdings(config)
        self.tree = self._holdings.tree
        self.shelf = self._holdings.shelf
        self._signed = config.cache / "signed"

    def publish(self, snapshots: Snapshots, *, force: bool = False) -> tuple[Listing, bool]:
        """Have these snapshots served; what is served then, and whether that is new.

        Args:
            snapshots: Of each source that is published.
            force: Publish again, with fresh signatures, also what is served already.

        Raises:
            MirrorError: What was served before still is.
        """
        current = self.tree.current()
        served = self.tree.readable(current) if current is not None else None
        if served and not force and served.snapshots == snapshots and not self.heal():
            return served, False
        key = KeyStore(self.config.gnupg).chosen(self.config.signing_key)
        self._forget_unserved(current)
        entries: set[Entry] = set()
        files.remove(self._signed)
        for name, components in snapshots.items():
            parts = {part: self._snapshot(item) for part, item in components.items()}
            entries |= self._contents(name, parts)
            same = served if served and not force else None
            if same and same.snapshots.get(name) == components and self._signed_before(same, name):
                entries |= {e for e in same.files if e.path in self._signed_paths(name)}
            else:
                entries |= self._sign(name, parts, key)
        # Sites take no number twice, also where the publications were lost that had it.
        numbers = (*self.tree.sequences(), last_number(self.config))
        listing = Listing(
            mirror=identity.read(self.config), sequence=max(numbers) + 1,
            created=int(time.time()), snapshots=snapshots, files=tuple(sorted(entries)),
        )  # fmt: skip
        listing.check({*served.files} if served else set())
        try:
            self.tree.place(listing, self._source(listing), self._holdings.sound)
        except BundleRefused as error:
            raise MirrorError(error.message, error.hint) from error
        self.tree.switch(listing.sequence)
        notes.note(self.config.state / "last-number", str(listing.sequence))
        self._clean_up(listing)
        return listing, True

    def _snapshot(self, name: str) -> Snapshot:
        found = self.shelf.read(name)
        if found is None:
            raise Damaged(
                f"the snapshot {name} is missing or damaged",
                "`pextra-mirror sync` makes it again, if the source still is as it was then",
            )
        return found

    def _contents(self, name: str, parts: Mapping[str, Snapshot]) -> set[Entry]:
        """Packages and indexes of what is published at ``prefix/distribution``."""
        prefix, distribution = name.split("/")
        found: set[Entry] = set()
        for component, part in parts.items():
            folder = f"{prefix}/dists/{distribution}/{component}"
            found |= {Entry(f"{prefix}/{path}", size, sha) for path, size, sha in part.packages}
            found |= {Entry(f"{folder}/{path}", size, sha) for path, size, sha in part.indexes}
        return found

    def _signed_paths(self, name: str) -> dict[str, Path]:
        """Paths of the Release files of ``prefix/distribution``, and where they are kept."""
        prefix, distribution = name.split("/")
        return {
            f"{prefix}/dists/{distribution}/{file}": self._signed / prefix / distribution / file
            for file in _SIGNED
        }

    def _signed_before(self, served: Listing, name: str) -> bool:
        """Keep the Release files that are served; False if they are damaged."""
        paths = self._signed_paths(name)
        for entry in served.files:
            if entry.path in paths:
                if not self.tree.is_sound(served.sequence, entry):
                    return False
                paths[entry.path].parent.mkdir(parents=True, exist_ok=True)
                files.copy(self.tree.file(served.sequence, entry), paths[entry.path])
        return True

    def _sign(self, name: str, parts: Mapping[str, Snapshot], key: str) -> set[Entry]:
        """Write and sign the Release of what is published at ``prefix/distribution``."""
        source = next((item for item in self.config.sources if place(item) == name), None)
        known = record.read(self.config.state, source.name).complete if source else None
        text = release_text(name.split("/")[1], parts, known.fields if known else {})
        made = KeyStore(self.config.gnupg).sign_release(text, key)
        entries = set()
        for path, kept in self._signed_paths(name).items():
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(made[kept.name])
            entries.add(entry_of(path, made[kept.name]))
        return entries

    def _source(self, listing: Listing) -> SourceOf:
        return SourceOf(self.shelf, self._holdings, listing, self._signed)

    def _forget_unserved(self, current: int | None) -> None:
        """Remove publications that were made and never served: a process was killed."""
        for sequence in self.tree.sequences() if current is not None else ():
            if sequence > (current or 0):
                files.remove(self.tree.generations / str(sequence))

    def heal(self) -> list[Entry]:
        """Mend what is served, as far as what it takes is here; what is left damaged."""
        current = self.tree.current()
        if current is None or current not in self.tree.sequences():
            return []
        bad = self.tree.damaged(current, self._holdings.sound)
        if bad:
            listing = self.tree.listing(current)
            source = self._source(listing)
            for entry in bad:
                with contextlib.suppress(MirrorError):
                    good = source(entry)
                    target = self.tree.file(current, entry)
                    files.folder(target.parent, self.tree.root)
                    (files.link if entry.is_package else files.copy)(good, target)
            bad = self.tree.damaged(current)
            if not bad:
                self._forget_fetched(listing)
        if not bad and self.tree.astray(current):
            self.tree.set_right(current)
        return bad

    def _clean_up(self, listing: Listing) -> None:
        """Remove publications beyond the last N, and what nothing refers to any more."""
        others = self.shelf.names() - self._next_snapshots()
        self.shelf.remove(self.tree.prune(self.config.keep, others))
        self._forget_fetched(listing)

    def _next_snapshots(self) -> set[str]:
        """The snapshots that the sources have now."""
        found: set[str] = set()
        for source in self.config.sources:
            complete = record.read(self.config.state, source.name).complete
            found |= set(complete.snapshots.values()) if complete else set()
        return found

    def _forget_fetched(self, listing: Listing) -> None:
        """Remove fetched packages that are served by now, or not wanted any more."""
        wanted = map(self.shelf.read, self._next_snapshots())
        self._holdings.forget({entry.sha256 for entry in listing.files}, wanted)


class SourceOf:
    """Where the files of a publication come from that are not in the tree, or damaged there."""

    def __init__(self, shelf: Shelf, holdings: Holdings, listing: Listing, signed: Path) -> None:
        self._shelf, self._holdings, self._signed = shelf, holdings, signed
        self._snapshots = listing.snapshots

    def __call__(self, entry: Entry) -> Path:
        """The verified file of an entry.

        Raises:
            Damaged: It is not here.
        """
        prefix, _kind, distribution, *rest = entry.path.split("/")
        found: Path | None
        if entry.is_package:
            found = self._holdings.source(entry)
        elif len(rest) == 1:
            found = self._signed / prefix / distribution / rest[0]
        else:
            name = self._snapshots.get(f"{prefix}/{distribution}", {}).get(rest[0], "")
            found = self._shelf.path(name, Entry("/".join(rest[1:]), *entry[1:]))
        if found is None or (not entry.is_package and files.sha256_of(found) != entry.sha256):
            raise Damaged(
                f"{entry.path} is missing or damaged",
                "`pextra-mirror sync` fetches it again, if the source still has it",
            )
        return found


def release_text(
    distribution: str, parts: Mapping[str, Snapshot], fields: Mapping[str, str]
) -> bytes:
    """A Release file (https://wiki.debian.org/DebianRepository/Format)."""
    names = {fields.get("Suite"), fields.get("Codename")}
    architectures = {
        entry.path.split("/")[0].removeprefix("binary-")
        for part in parts.values() for entry in part.indexes
    }  # fmt: skip
    kept = {**fields} if distribution in names else {**fields, "Codename": distribution}
    lines = [f"{key}: {value}" for key, value in kept.items()]
    lines += [
        f"Date: {email.utils.formatdate(usegmt=True)}",
        f"Architectures: {' '.join(sorted(architectures))}",
        f"Components: {' '.join(parts)}",
        "Acquire-By-Hash: yes",
        "SHA256:",
    ]
    for component, part in parts.items():
        for path, size, sha in part.indexes:
            lines.append(f" {sha} {size:>12} {component}/{path}")
    return "".join(f"{line}\n" for line in lines).encode(errors="replace")


def rollback(config: Config, sequence: int | None) -> Listing:
    """Publish what an earlier publication had, as a new one: apt refuses an older date.

    Until the next `publish`, what `sync --publish` finds is not published.

    Raises:
        ConfigError: It is not kept.
        MirrorError: What was served before still is.
    """
    publisher = Publisher(config)
    tree = publisher.tree
    kept, current = tree.sequences(), tree.current()
    earlier = [item for item in kept if current is not None and item < current]
    wanted = sequence if sequence is not None else (earlier[-1] if earlier else None)
    if wanted not in kept or wanted == current:
        there = ", ".join(str(item) for item in kept if item != current) or "none"
        what = "no earlier one is" if wanted is None else f"publication {wanted} is not"
        raise ConfigError(f"{what} kept; kept besides the one that is served: {there}")
    before = held(config)
    hold(config, f"rolled back to publication {wanted} at {record.now()}")
    try:
        return publisher.publish(tree.listing(wanted).snapshots, force=True)[0]
    except MirrorError:
        hold(config, before)
        raise


def hold(config: Config, why: str) -> None:
    """Note, or with an empty text forget, why nothing new is published by itself."""
    notes.note(config.state / "held", why)


def held(config: Config) -> str:
    """Why nothing new is published by itself; empty if it is."""
    return notes.noted(config.state / "held")


def note_failure(config: Config, why: str) -> None:
    """Note, or with an empty text forget, that the last publication failed."""
    notes.note(config.state / "publication-failed", why)


def failure(config: Config) -> str:
    """Why the last publication failed; empty if it did not."""
    return notes.noted(config.state / "publication-failed")


def last_number(config: Config) -> int:
    """The number of the last publication, as far as that was noted."""
    found = notes.noted(config.state / "last-number")
    return int(found) if re.fullmatch("[0-9]{1,17}", found) else 0


def verify(config: Config, *, thorough: bool = True) -> tuple[Listing, list[str]]:
    """Hold every file that is served against its publication's list, and signatures too.

    Args:
        config: The mirror.
        thorough: Hash every package; else those alone whose time tells that they were written to.

    Returns:
        What is served, and the paths that are not as published.

    Raises:
        NotReady: Nothing is published, or the signing key is gone.
    """
    tree = Tree(config.public)
    current = tree.current()
    if current is None:
        raise NotReady("nothing is published", "pextra-mirror publish")
    listing = tree.listing(current)
    bad = [entry.path for entry in tree.damaged(current, thorough=thorough)]
    bad += tree.astray(current)
    KeyStore(config.gnupg).chosen(config.signing_key)
    return listing, [*dict.fromkeys([*bad, *wrongly_signed(config, tree)])]


def wrongly_signed(config: Config, tree: Tree) -> list[str]:
    """The InRelease files that are served, and that no key of the mirror's key store has signed.

    Of a publication whose list cannot be read, none are known; what is not as published is
    damaged, whoever signed it.
    """
    current = tree.current()
    listing = tree.readable(current) if current is not None else None
    if listing is None:
        return []
    store, found = KeyStore(config.gnupg), []
    keys = b"".join(store.public(name, armour=False) for name in store.fingerprints())
    for entry in listing.files:
        if entry.path.endswith("/InRelease") and tree.is_sound(listing.sequence, entry):
            try:
                check_signature(None, tree.file(listing.sequence, entry).read_bytes(), keys)
            except (BadSignature, OSError):
                found.append(entry.path)
    return found
