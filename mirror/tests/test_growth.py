"""What a mirror of many packages moves: it grows with what is new, not with what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from many import SHARE, states
from mirror_bed import Mirror, SourceRepository, platform
from pextra_mirror.bundle_import import import_bundle
from pextra_mirror.tree import Tree


@pytest.mark.long
@pytest.mark.parametrize("count", [200, 2000])
def test_what_is_moved_grows_with_what_is_new(
    mirror: Mirror, upstream: SourceRepository, folder: Path, count: int
) -> None:
    mirror.configure(platform(upstream, architectures=["amd64"]))
    following = states(count)
    upstream.release(next(following))
    first = mirror.run("sync", "--publish")
    assert first["files"] > count
    (whole,) = mirror.run("export", "--output", folder / "stick")["parts"]

    upstream.paths()
    upstream.sent = 0
    assert mirror.run("sync", "--publish")["changed"] is False
    assert upstream.paths() == ["dists/bookworm/InRelease"]
    assert upstream.sent < 5000

    debs = next(following)
    new = [deb for deb in debs if deb.version == "2"]
    assert len(new) == count // SHARE
    upstream.release(debs)
    upstream.paths()
    upstream.sent = 0
    mirror.run("sync", "--publish")
    fetched = upstream.paths()
    assert sorted(path for path in fetched if path.endswith(".deb")) == sorted(
        deb.path for deb in new
    )
    indexes = [path for path in fetched if "Packages" in path]
    assert len(indexes) == len({deb.component for deb in new})
    packages = sum(len(deb.data) for deb in new)
    sizes = sum((upstream.root / path).stat().st_size for path in {*indexes})
    assert upstream.sent < packages + sizes + 5000

    found = mirror.run("export", "--output", folder / "stick", "--since", whole)
    files = Tree(mirror.public).listing(2).files
    indexed = sum(entry.size for entry in files if "/dists/" in entry.path)
    assert packages < found["bytes"] <= packages + indexed
    assert found["members"] < len(new) + 20
    site = Tree(folder / "site")
    key = mirror.key()
    for bundle in (whole, *found["parts"]):
        import_bundle(site, Path(bundle), keyring=key)
    assert site.listing(2).digest == Tree(mirror.public).listing(2).digest
