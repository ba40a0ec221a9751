"""Bringing a source here: verify, fetch, snapshot. All of it, or nothing that counts."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pextra_mirror import gpg, record, release
from pextra_mirror.aptly import Aptly
from pextra_mirror.archive import Archive
from pextra_mirror.changes import snapshot_change
from pextra_mirror.closure import Index
from pextra_mirror.config import Config, Source
from pextra_mirror.errors import AptlyFailed, DiskFull, NotReady, SourceRefused
from pextra_mirror.gate import Gate
from pextra_mirror.progress import Progress, size
from pextra_mirror.tree import write
from pextra_mirror.upstream import Upstream

Roots = set[tuple[str, ...]]
"""What is needed: names of packages, or of what packages provide, any of which is enough."""


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What a sync of a source came to.

    Attributes:
        changed: Whether there are new snapshots.
        received: Bytes that were transferred.
        requests: How many requests were made.
    """

    source: str
    changed: bool
    snapshots: Mapping[str, str]
    received: int
    requests: int


def sync(config: Config, source: Source, *, quiet: bool = False) -> Outcome:
    """Bring one source here.

    Raises:
        MirrorError: It did not succeed; the record says so, and nothing will be published of it.
    """
    before = record.read(config.state, source.name)
    running = dataclasses.replace(before, state="running", attempt=record.now(), error="")
    record.save(config.state, source.name, running)
    upstream = Upstream(source.url, timeout=config.timeout, retries=config.retries)
    try:
        found = bring(config, source, upstream, before.complete, quiet=quiet)
    except BaseException as error:
        why = str(error) or "interrupted"
        failed = dataclasses.replace(running, state="failed", error=why)
        record.save(config.state, source.name, failed)
        raise
    done = dataclasses.replace(running, state="complete", complete=found)
    record.save(config.state, source.name, done)
    changed = before.complete is None or found.snapshots != before.complete.snapshots
    return Outcome(source.name, changed, found.snapshots, upstream.received, upstream.requests)


def bring(
    config: Config, source: Source, upstream: Upstream, last: record.Sync | None, *, quiet: bool
) -> record.Sync:
    """The complete state of a source, fetched as far as it is not here."""
    keys = gpg.keyring(source.keyring)
    signed = signed_release(source, upstream)
    text = trusted_text(source, signed, keys)
    found = release.parse(text.decode(errors="replace"))
    last_date = datetime.fromisoformat(last.date) if last else None
    release.check(source, found, datetime.now(UTC), last_date)
    aptly = Archive(config)
    aptly.prepare()
    roots = choice(config, source, aptly)
    digest = hashlib.sha256(text).hexdigest()
    wanted = hashlib.sha256(f"{source}{sorted(roots)}".encode()).hexdigest()
    same = last is not None and (last.release, last.wanted) == (digest, wanted)
    if last and same and set(last.snapshots.values()) <= aptly.names("snapshot"):
        return dataclasses.replace(last, time=record.now())
    keyring = config.state / f"keyring-{source.name}.gpg"
    write(keyring, keys)
    progress = Progress(source.name, quiet=quiet)
    gate = Gate(
        upstream, source.distribution, signed, found, config.cache / source.name,
        config.aptly / "pool",
    )  # fmt: skip
    with gate:
        mirrors = fetch(config, source, aptly, gate, roots, keyring, progress)
    progress.end()
    shutil.rmtree(config.cache / source.name / "partial", ignore_errors=True)
    had = last.snapshots if last else {}
    date = found.date or datetime.now(UTC)
    return record.Sync(
        time=record.now(), date=date.isoformat(), release=digest, wanted=wanted,
        snapshots={
            component: snapshot(aptly, mirror, had.get(component))
            for component, mirror in mirrors.items()
        },
        fields={name: found.fields[name] for name in ("Origin", "Label", "Suite")
                if name in found.fields},
        indexes=tuple(sorted(keep_indexes(config, source, found))),
    )  # fmt: skip


def signed_release(source: Source, upstream: Upstream) -> dict[str, bytes]:
    """The Release of a source with its signature: InRelease, or Release and Release.gpg."""
    folder = f"dists/{source.distribution}"
    inline = upstream.get(f"{folder}/InRelease", missing_ok=True)
    if inline is not None:
        return {"InRelease": inline}
    found = {name: upstream.get(f"{folder}/{name}", missing_ok=True)
             for name in ("Release", "Release.gpg")}  # fmt: skip
    there = {name: data for name, data in found.items() if data is not None}
    if len(there) != len(found):
        raise SourceRefused(
            f"source {source.name}: {source.url}/{folder} has no InRelease, and not both of "
            "Release and Release.gpg", "Are url and distribution right?",
        )  # fmt: skip
    return there


def trusted_text(source: Source, signed: Mapping[str, bytes], keys: bytes) -> bytes:
    """The text of a Release whose signature is good."""
    if "InRelease" in signed:
        text = gpg.split_clearsigned(source.name, signed["InRelease"])
        gpg.verified(source.name, None, signed["InRelease"], keys, source.fingerprints)
        return text
    text = signed["Release"]
    gpg.verified(source.name, text, signed["Release.gpg"], keys, source.fingerprints)
    return text


def fetch(
    config: Config, source: Source, aptly: Archive, gate: Gate, roots: Roots, keyring: Path,
    progress: Progress,
) -> dict[str, str]:  # fmt: skip
    """Have aptly take each component through the gate; the mirror of each."""
    mirrors: dict[str, str] = {}
    for component in source.components:
        query = want(source, component, gate, roots)
        if gate.wanted:
            check_room(config, source, gate)
            progress.expect(sum(length for length, _digest in gate.wanted.values()))
            gate.fetch(config.transfers, progress.add)
        try:
            name = aptly.follow(source, component, query, keyring, gate.proxy)
            aptly.update(name, keyring, gate.proxy)
        except AptlyFailed as error:
            raise gate.fault or error from error
        mirrors[component] = name
    return mirrors


def want(source: Source, component: str, gate: Gate, roots: Roots) -> str:
    """Have the gate want the packages of a component; aptly's query for them, empty for all.

    Raises:
        SourceRefused: A package that the configuration names is in no index.
    """
    chosen: set[str] = set()
    there: set[str] = set()
    for architecture in source.architectures:
        packages = gate.packages(component, architecture)
        if not source.selects:
            gate.want(packages)
            continue
        index = Index(packages)
        there |= {name for name in source.packages if index.found(name)}
        base = {(name,) for name in index.base()} if source.base else set()
        names = index.closure(roots | base, recommends=source.recommends)
        gate.want(package for package in packages if package["Package"] in names)
        chosen |= names
    if missing := {*source.packages} - there:
        raise SourceRefused(
            f"source {source.name} has no package {', '.join(sorted(missing))} in {component}",
            "`packages` of the configuration names it",
        )
    if source.selects and not chosen:
        return "Name (= none-was-chosen)"  # an empty query stands for all
    return " | ".join(f"Name (= {name})" for name in sorted(chosen))


def check_room(config: Config, source: Source, gate: Gate) -> None:
    """Refuse to begin what does not fit.

    Raises:
        DiskFull: There is not enough room for the packages that are wanted.
    """
    needed = sum(length for length, _digest in gate.wanted.values())
    free = shutil.disk_usage(config.root).free
    if free < needed + config.reserve:
        raise DiskFull(
            f"source {source.name}: {len(gate.wanted)} packages of {size(needed)} are to be "
            f"fetched, {config.root} has {size(free)} free, of which {size(config.reserve)} must "
            "stay free", "Make room, or choose fewer packages",
        )  # fmt: skip


def snapshot(aptly: Aptly, mirror: str, last: str | None) -> str:
    """A snapshot of a mirror: a new one, unless it would be as the last."""
    there = aptly.packages("mirror", mirror)
    if last and aptly.has("snapshot", last) and aptly.packages("snapshot", last) == there:
        return last
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    name = f"{mirror}-{moment}-{secrets.token_hex(3)}"
    aptly.carry_out(snapshot_change(None, {"name": name, "mirror": mirror}))
    return name


def keep_indexes(config: Config, source: Source, found: release.Release) -> set[str]:
    """Forget indexes of earlier states; the hashes of those of packages that stay."""
    folder = config.cache / source.name / "index"
    current = {digest: name for name, (_size, digest) in found.files.items()}
    kept: set[str] = set()
    for path in folder.glob("*"):
        name = current.get(path.name, "")
        if not name:
            path.unlink()
        elif name.rpartition("/")[2].startswith("Packages"):
            kept.add(f"{path.name} {name.rpartition('.')[2]}")
    return kept


def dependencies(config: Config, source: str, indexes: Iterable[str]) -> Roots:
    """What the packages of a source depend on and it does not have itself."""
    groups: list[list[str]] = []
    own: set[str] = set()
    for item in indexes:
        digest, kind = item.split()
        data = (config.cache / source / "index" / digest).read_bytes()
        index = release.unpacked(f"Packages.{kind}", data)
        groups += release.depended_on(index)
        own |= release.provided(index)
    return {tuple(group) for group in groups if not own.intersection(group)}


def choice(config: Config, source: Source, aptly: Aptly) -> Roots:
    """What the choice of packages begins with, if it is one.

    Raises:
        NotReady: A source that it refers to was not synced.
    """
    roots: Roots = {(name,) for name in source.packages}
    for other in source.needs:
        complete = record.read(config.state, other).complete
        if complete is None:
            raise NotReady(
                f"source {source.name} takes what {other} needs, and {other} was never synced",
                f"pextra-mirror sync {other}",
            )
        if other in source.depends_of:
            roots |= dependencies(config, other, complete.indexes)
        else:
            for name in complete.snapshots.values():
                roots |= {(key.split()[1],) for key in aptly.packages("snapshot", name)}
    return roots
