"""Bringing a source here: verify, fetch, snapshot. All of it, or nothing that counts."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from pextra_mirror import component, gpg, index, record, release
from pextra_mirror.closure import Index
from pextra_mirror.config import Config, Source
from pextra_mirror.errors import DiskFull, NotReady, SourceRefused
from pextra_mirror.fetch import Indexes, fetch
from pextra_mirror.holdings import Holdings
from pextra_mirror.index import Origin, Package
from pextra_mirror.progress import Progress, size
from pextra_mirror.snapshot import Contents, Shelf
from pextra_mirror.upstream import Upstream

Roots = set[tuple[str, ...]]
"""What is needed: names of packages, or of what packages provide, any of which is enough."""
OLDER, FEWER = "older", "fewer"
"""What is refused unless it is accepted: an older Release, and one without most packages."""
_RELEASE_LIMIT = 16 * 2**20
"""Bytes of a Release file, which is read before anybody is trusted; Debian's has 0.2 million."""
_PUBLISHED_FIELDS = (
    "Origin", "Label", "Suite", "Codename", "Version", "Description", "NotAutomatic",
    "ButAutomaticUpgrades",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What a sync of a source came to.

    Attributes:
        changed: Whether there are new snapshots.
        received: Bytes that were transferred.
        requests: How many requests were made.
        signer: Fingerprint of the key that signed its Release.
    """

    source: str
    changed: bool
    snapshots: Mapping[str, str]
    received: int
    requests: int
    signer: str


def sync(
    config: Config, source: Source, holdings: Holdings, *, quiet: bool = False,
    accept: Collection[str] = (),
) -> Outcome:  # fmt: skip
    """Bring one source here.

    Args:
        config: The mirror.
        source: Which source.
        holdings: What is here.
        quiet: No progress.
        accept: Any of ``OLDER`` and ``FEWER``.

    Raises:
        MirrorError: It did not succeed; the record says so, and nothing will be published of it.
    """
    before = record.read(config.state, source.name)
    running = dataclasses.replace(before, state="running", attempt=record.now(), error="")
    record.save(config.state, source.name, running)
    upstream = Upstream(
        source.url, timeout=config.timeout, retries=config.retries, slowest=config.slowest
    )
    try:
        found, signer = bring(
            config, source, holdings, upstream, before.complete, quiet=quiet, accept=accept
        )
    except BaseException as error:
        why = str(error) or "interrupted"
        failed = dataclasses.replace(running, state="failed", error=why)
        record.save(config.state, source.name, failed)
        raise
    finally:
        upstream.stop()
    done = dataclasses.replace(running, state="complete", complete=found)
    record.save(config.state, source.name, done)
    changed = before.complete is None or found.snapshots != before.complete.snapshots
    return Outcome(
        source.name, changed, found.snapshots, upstream.received, upstream.requests, signer
    )  # fmt: skip


def bring(
    config: Config, source: Source, holdings: Holdings, upstream: Upstream,
    last: record.Sync | None, *, quiet: bool, accept: Collection[str],
) -> tuple[record.Sync, str]:  # fmt: skip
    """The complete state of a source, fetched as far as it is not here; and who signed it."""
    signed = signed_release(source, upstream)
    text, signer = trusted_text(source, signed, gpg.keyring(source.keyring))
    found = release.parse(text.decode(errors="replace"))
    last_date = datetime.fromisoformat(last.date) if last else None
    release.check(source, found, datetime.now(UTC), last_date, older=OLDER in accept)
    shelf = holdings.shelf
    roots = choice(config, source, shelf)
    digest = hashlib.sha256(text).hexdigest()
    told = dataclasses.replace(source, url=source.address)
    wanted = hashlib.sha256(f"{told}{sorted(roots)}".encode()).hexdigest()
    same = last is not None and (last.release, last.wanted) == (digest, wanted)
    had = {name: shelf.read(item) for name, item in last.snapshots.items()} if last else {}
    whole = holdings.whole(source.prefix, had.values())
    if last and same and whole:
        return dataclasses.replace(last, time=record.now()), signer
    cache = config.cache / source.name
    indexes = Indexes(upstream, source.name, source.distribution, found, cache / "index")
    follows = last if last and last.wanted == wanted and whole else None
    components = contents(source, indexes, roots, follows, shelf)
    counts = {name: item.count for name, item in components.items()}
    if FEWER not in accept:
        refuse_fewer(source, last.counts if last else {}, counts)
    missing = holdings.missing(source.prefix, components.values())
    check_room(config, source, missing)
    progress = Progress(source.name, quiet=quiet)
    progress.expect(sum(package.size for package in missing))
    if missing:
        fetch(upstream, missing, cache / "partial", config.fetched, config.transfers, progress.add)
    progress.end()
    for package in missing:
        holdings.sha256(source.prefix, package)
    shutil.rmtree(cache / "partial", ignore_errors=True)
    snapshots = {
        name: shelf.make(
            f"{source.name}-{name}", item, had.get(name),
            lambda package: holdings.sha256(source.prefix, package),
        ).name
        for name, item in components.items()
    }  # fmt: skip
    indexes.forget_others()
    date = found.date or datetime.now(UTC)
    return record.Sync(
        time=record.now(), date=date.isoformat(), release=digest, wanted=wanted,
        snapshots=snapshots, counts=counts,
        fields={key: found.fields[key] for key in _PUBLISHED_FIELDS if key in found.fields},
    ), signer  # fmt: skip


def signed_release(source: Source, upstream: Upstream) -> dict[str, bytes]:
    """The Release of a source with its signature: InRelease, or Release and Release.gpg."""
    folder = f"dists/{source.distribution}"
    inline = upstream.get(f"{folder}/InRelease", _RELEASE_LIMIT, missing_ok=True)
    if inline is not None:
        return {"InRelease": inline}
    found = {name: upstream.get(f"{folder}/{name}", _RELEASE_LIMIT, missing_ok=True)
             for name in ("Release", "Release.gpg")}  # fmt: skip
    there = {name: data for name, data in found.items() if data is not None}
    if len(there) != len(found):
        raise SourceRefused(
            f"source {source.name}: {source.address}/{folder} has no InRelease, and not both of "
            "Release and Release.gpg", "Are url and distribution right?",
        )  # fmt: skip
    return there


def trusted_text(source: Source, signed: Mapping[str, bytes], keys: bytes) -> tuple[bytes, str]:
    """The text of a Release whose signature is good, and who signed it."""
    only = source.fingerprints
    if "InRelease" in signed:
        text = gpg.split_clearsigned(source.name, signed["InRelease"])
        return text, gpg.verified(source.name, None, signed["InRelease"], keys, only)
    text = signed["Release"]
    return text, gpg.verified(source.name, text, signed["Release.gpg"], keys, only)


def contents(
    source: Source, indexes: Indexes, roots: Roots, last: record.Sync | None, shelf: Shelf
) -> dict[str, Contents]:
    """What each component of a source has that is wanted: all, or a choice.

    Args:
        source: Which source.
        indexes: Its indexes.
        roots: What a choice begins with.
        last: The last time, where the same was wanted and all of it is here.
        shelf: Its snapshots.

    Raises:
        SourceRefused: A package that the configuration names is in no index.
    """
    found: dict[str, Contents] = {}
    for name in source.components:
        origins = indexes.origins(name, source.architectures)
        had = shelf.read(last.snapshots.get(name, "")) if last else None
        known = None
        if last and had and had.origins == origins:
            known = Contents(origins, {}, had.packages, (), last.counts.get(name, 0), had)
        elif had and not source.selects:
            known = component.follow(indexes, origins, name, had, shelf)
        found[name] = known or component.read(
            origins, chosen(source, indexes, name, origins, roots)
        )
    return found


def chosen(
    source: Source, indexes: Indexes, component: str, origins: Mapping[str, Origin], roots: Roots
) -> dict[str, list[Package]]:
    """The packages of a component that are wanted, by architecture.

    Raises:
        SourceRefused: A package that the configuration names is in no index.
    """
    there: set[str] = set()
    found: dict[str, list[Package]] = {}
    for architecture in source.architectures:
        packages = indexes.packages(component, architecture, origins)
        if source.selects:
            known = Index(map(index.fields, (package.stanza for package in packages)))
            there |= {name for name in source.packages if known.found(name)}
            base = {(name,) for name in known.base()} if source.base else set()
            names = known.closure(roots | base, recommends=source.recommends)
            packages = [package for package in packages if package.name in names]
        found[architecture] = packages
    if missing := {*source.packages} - there:
        raise SourceRefused(
            f"source {source.name} has no package {', '.join(sorted(missing))} in {component}",
            "`packages` of the configuration names it",
        )
    return found


def refuse_fewer(source: Source, had: Mapping[str, int], counts: Mapping[str, int]) -> None:
    """Refuse a source that lost most of its packages at once.

    Raises:
        SourceRefused: It did; the message says how to take it all the same.
    """
    for name, count in counts.items():
        before = had.get(name, 0)
        if count < before and (before - count) * 100 > before * source.shrink:
            raise SourceRefused(
                f"source {source.name} has {count} packages in {name}, where it had {before}",
                f"If that is meant, `pextra-mirror sync {source.name} --accept {FEWER}`; `shrink` "
                "of the source is how many percent may vanish unasked",
            )


def check_room(config: Config, source: Source, missing: Collection[Package]) -> None:
    """Refuse to begin what does not fit.

    Raises:
        DiskFull: There is not enough room for the packages that are wanted.
    """
    needed = sum(package.size for package in missing)
    free = shutil.disk_usage(config.root).free
    if missing and free < needed + config.reserve:
        raise DiskFull(
            f"source {source.name}: {len(missing)} packages of {size(needed)} are to be "
            f"fetched, {config.root} has {size(free)} free, of which {size(config.reserve)} must "
            "stay free", "Make room, or choose fewer packages",
        )  # fmt: skip


def choice(config: Config, source: Source, shelf: Shelf) -> Roots:
    """What the choice of packages begins with, if it is one.

    Raises:
        NotReady: A source that it refers to was not synced.
    """
    roots: Roots = {(name,) for name in source.packages}
    for other in source.needs:
        complete = record.read(config.state, other).complete
        if complete is None or not all(map(shelf.read, complete.snapshots.values())):
            raise NotReady(
                f"source {source.name} takes what {other} needs, and {other} was never synced",
                f"pextra-mirror sync {other}",
            )
        names = complete.snapshots.values()
        packages = [fields for name in names for fields in shelf.stanzas(name)]
        if other in source.depends_of:
            own = index.provided(packages)
            groups = map(tuple, index.depended_on(packages))
            roots |= {group for group in groups if not own.intersection(group)}
        else:
            roots |= {(package["Package"],) for package in packages}
    return roots
