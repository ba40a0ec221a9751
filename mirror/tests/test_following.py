"""A sync that reads only what is new comes to what one comes to that reads all."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_heal import flip_silently
from unusual import put, stanza

from mirror_bed import Builder, Deb, Mirror, SourceRepository, platform
from pextra_mirror import index
from pextra_mirror.config import load
from pextra_mirror.holdings import Holdings
from pextra_mirror.index import Package
from pextra_mirror.listing import Entry
from pextra_mirror.sync import sync
from pextra_mirror.tree import Tree


def contents(mirror: Mirror) -> list[Entry]:
    """What is served, besides what has the moment in it."""
    tree = Tree(mirror.public)
    files = tree.listing(tree.current() or 0).files
    return [entry for entry in files if "Release" not in entry.path]


@pytest.fixture
def fresh(folder: Path, upstream: SourceRepository) -> Iterable[Callable[[], Mirror]]:
    """Makes mirrors of the source that had nothing before."""
    made: list[Mirror] = []

    def make() -> Mirror:
        one = Mirror(folder / f"fresh{len(made)}", platform(upstream, components=["common"]))
        made.append(one)
        one.run("init")
        one.run("sync", "--publish")
        return one

    yield make
    for one in made:
        one.stop()


def states(builder: Builder) -> Iterable[dict[str, bytes]]:
    """Indexes of a source: packages come, go, change, are of all architectures, or there twice."""
    web, node, both = (builder.deb(*words) for words in (
        ("pce-web", "1.0", "amd64"), ("pce-node", "1.0", "amd64"), ("pce-doc", "1.0", "all"),
    ))  # fmt: skip
    arm = builder.deb("pce-web", "1.0", "arm64")

    def told(*amd: Deb | bytes, arm64: Iterable[Deb | bytes]) -> dict[str, bytes]:
        texts = {"amd64": amd, "arm64": arm64}
        return {
            f"common/binary-{name}/Packages.gz": gzip.compress(
                b"\n\n".join(i if isinstance(i, bytes) else stanza(i).encode() for i in items),
                mtime=0,
            )
            for name, items in texts.items()
        }  # fmt: skip

    other = stanza(web).replace("Description: ", "Section: net\nDescription: ").encode()
    yield told(web, both, arm64=[arm, both])
    yield told(web, node, both, arm64=[arm, both])
    yield told(node, web, both, arm64=[arm])
    yield told(node, other, web, arm64=[arm, both])
    yield told(node, other, other, arm64=[both])
    yield told(node, arm64=[both])
    yield told(arm64=[])
    yield told(web, both, arm64=[arm, both])


def test_whatever_changes_what_is_served_is_what_a_new_mirror_serves(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, fresh: Callable[[], Mirror]
) -> None:
    mirror.configure(platform(upstream, components=["common"]))
    debs = [
        builder.deb("pce-web", "1.0", "amd64"),
        builder.deb("pce-node", "1.0", "amd64"),
        builder.deb("pce-doc", "1.0", "all"),
        builder.deb("pce-web", "1.0", "arm64"),
    ]
    for files in states(builder):
        put(upstream, files, debs)
        mirror.run("sync", "--publish", "--accept", "fewer")
        assert contents(mirror) == contents(fresh())


def test_only_what_an_index_says_anew_is_read(
    published: Mirror, upstream: SourceRepository, builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    read = index.packages

    def packages(*words: Any) -> Iterator[Package]:
        for package in read(*words):
            seen.append(f"{package.name} {package.version}")
            yield package

    monkeypatch.setattr(index, "packages", packages)
    debs = builder.platform("1.0")
    for new in (builder.deb("other", "1", "amd64"), builder.deb("other", "2", "arm64", "meta")):
        debs.append(new)
        upstream.release(debs)
        config = load(published.config)
        sync(config, config.sources[0], Holdings(config), quiet=True)
    assert seen == ["other 1", "other 2"]


def swap_digits(path: Path) -> None:
    """Two digits of the last hash are swapped."""
    text = path.read_text()
    start = text.rindex('], "indexes"') - 70
    found = re.compile("([0-9])([a-f])").search(text, start)
    assert found
    changed = f"{text[: found.start()]}{found[2]}{found[1]}{text[found.end() :]}"
    path.write_text(changed)


@pytest.mark.parametrize(("kept", "damage"), [
    ("cache/pextra/index/*", flip_silently),
    ("cache/pextra/index/*", Path.unlink),
    ("snapshots/pextra-common-*/binary-*/Packages", flip_silently),
    ("snapshots/pextra-common-*/snapshot.json", swap_digits),
])  # fmt: skip
def test_what_is_kept_of_the_last_sync_is_not_believed_where_it_is_damaged(
    published: Mirror, upstream: SourceRepository, builder: Builder,
    fresh: Callable[[], Mirror], kept: str, damage: Callable[[Path], object],
) -> None:  # fmt: skip
    published.configure(platform(upstream, components=["common"]))
    published.run("sync", "--publish")
    for path in list(published.root.glob(kept)):
        damage(path)
    upstream.release([*builder.platform("1.0"), builder.deb("other", "1", "amd64")])
    published.run("sync", "--publish")
    assert contents(published) == contents(fresh())
    assert published.run("status")["problems"] == []
    assert published.run("verify")["mended"] == 0
