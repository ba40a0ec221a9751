"""Killed before any step that renames, links or writes, the next run finishes the job."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from killed import NAMES, WRITES, places, steps

from mirror_bed import Builder, Key, Mirror, SourceRepository, platform
from pextra_mirror import commands
from pextra_mirror.bundle_import import import_bundle
from pextra_mirror.config import load
from pextra_mirror.files import remove
from pextra_mirror.tree import Tree

SHORT = pytest.param(NAMES, 12, id="some-names")
WHOLE = pytest.param(WRITES, None, id="every-write", marks=pytest.mark.long)
SWEEPS = pytest.mark.parametrize(("kinds", "most"), [SHORT, WHOLE])


@pytest.fixture(scope="module")
def bundles(
    bed: Path, vendor: Key, builder: Builder
) -> Iterator[tuple[Path, Path, list[Path], Mirror]]:
    """A mirror with two publications, its key, and the bundles of both."""
    folder = bed / "killed"
    upstream = SourceRepository(folder / "source", vendor)
    mirror = Mirror(folder / "mirror", platform(upstream))
    mirror.run("init")
    found: list[Path] = []
    for debs in (builder.platform("1.0"), builder.platform("1.0") + builder.platform("2.0")):
        upstream.release(debs)
        mirror.run("sync", "--publish")
        since = ("--since", found[-1]) if found else ()
        found += map(Path, mirror.run("export", "--output", folder / "out", *since)["parts"])
    yield folder, mirror.key(), found, mirror
    upstream.stop()
    mirror.stop()
    shutil.rmtree(folder)


def contents(tree: Path) -> dict[str, bytes]:
    """All that is in a tree, besides the lock."""
    return {
        str(path.relative_to(tree)): os.readlink(path).encode() if path.is_symlink()
        else path.read_bytes()
        for path in tree.rglob("*") if not path.is_dir() or path.is_symlink()
        if path.name != "lock"
    }  # fmt: skip


@pytest.mark.parametrize("first", [True, False], ids=["first", "delta"])
@SWEEPS
def test_an_import_killed_before_any_step_is_finished_by_the_same_import(
    bundles: tuple[Path, Path, list[Path], Mirror], folder: Path, first: bool,
    kinds: frozenset[str], most: int | None,
) -> None:  # fmt: skip
    _home, key, (one, two), _mirror = bundles
    bundle, number = (one, 1) if first else (two, 2)
    start = folder / "start"
    start.mkdir()
    if not first:
        import_bundle(Tree(start), one, keyring=key)

    def fresh(name: str) -> Tree:
        shutil.copytree(start, folder / name, symlinks=True)
        return Tree(folder / name)

    whole = fresh("whole")
    count = steps(lambda: import_bundle(whole, bundle, keyring=key), kinds)
    assert count is not None
    wanted = contents(whole.root)
    for last in places(count, most):
        tree = fresh(f"tree{last}")
        assert steps(lambda: import_bundle(tree, bundle, keyring=key), kinds, last) is None  # noqa: B023
        # What is served after a kill is one publication or the other, whole.
        assert tree.current() in ({None, 1} if first else {1, 2})
        if (current := tree.current()) is not None:
            assert not tree.damaged(current, thorough=True)
        if tree.current() != number:
            import_bundle(Tree(tree.root), bundle, keyring=key)
        else:
            with pytest.raises(Exception, match="imported already"):
                import_bundle(Tree(tree.root), bundle, keyring=key)
        assert contents(tree.root) == wanted, f"killed before step {last} of {count}"
        assert tree.current() == number
        shutil.rmtree(tree.root)


@SWEEPS
def test_a_sync_killed_before_any_step_is_finished_by_the_next(
    upstream: SourceRepository, mirror: Mirror, builder: Builder, folder: Path,
    kinds: frozenset[str], most: int | None,
) -> None:  # fmt: skip
    mirror.run("sync", "--publish")
    upstream.release(builder.platform("1.0") + builder.platform("2.0"))
    first = folder / "first"
    shutil.copytree(mirror.root, first, symlinks=True, ignore=shutil.ignore_patterns("gnupg"))

    def again() -> None:
        for path in mirror.root.iterdir():
            if path.name != "gnupg":
                remove(path)
        shutil.copytree(first, mirror.root, symlinks=True, dirs_exist_ok=True)

    def work() -> object:
        wanted = argparse.Namespace(source=[], publish=True, accept=[], quiet=True, wait=0)
        return commands.sync(load(mirror.config), wanted)

    count = steps(work, kinds)
    assert count is not None
    tree = Tree(mirror.public)
    wanted = {entry for entry in tree.listing(2).files if entry.is_package}
    for last in places(count, most):
        again()
        assert steps(work, kinds, last) is None
        tree = Tree(mirror.public)
        assert tree.current() in (1, 2)
        assert not tree.damaged(tree.current() or 0, thorough=True)
        assert steps(work, kinds) is not None
        tree = Tree(mirror.public)
        assert tree.current() == 2, f"killed before step {last} of {count}"
        assert not tree.damaged(2, thorough=True)
        assert {entry for entry in tree.listing(2).files if entry.is_package} == wanted
    mirror.run("doctor")
    assert not tree.strays()
    assert mirror.run("status")["healthy"] is True


@SWEEPS
def test_an_export_killed_before_any_step_leaves_nothing_to_the_next(
    bundles: tuple[Path, Path, list[Path], Mirror], folder: Path, kinds: frozenset[str],
    most: int | None,
) -> None:  # fmt: skip
    _home, _key, found, mirror = bundles
    config = load(mirror.config)
    wanted = argparse.Namespace(
        output=folder / "out", since=str(found[0]), request=None, split="64KiB", quiet=True, wait=0
    )
    work: Callable[[], object] = lambda: commands.export(config, wanted)  # noqa: E731
    count = steps(work, kinds)
    assert count is not None
    whole = contents(folder / "out")
    for last in places(count, most):
        shutil.rmtree(folder / "out")
        assert steps(work, kinds, last) is None
        assert steps(work, kinds) is not None
        assert contents(folder / "out") == whole, f"killed before step {last} of {count}"
    steps(work, WRITES, 12)
    named = [item["what"] for item in mirror.call("doctor").json["findings"]]
    assert not named or "was killed" in named[0]
    assert not list((folder / "out").glob("*.unfinished"))
