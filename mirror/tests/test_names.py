"""What is served has all the names that clients ask for, whatever other tools did to them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mirror_site import Site

from mirror_bed import Mirror


def lose_link(tree: Path) -> None:
    """The link that a prefix is served by is gone."""
    (tree / "pextra/dists").unlink()


def lead_elsewhere(tree: Path) -> None:
    """It leads nowhere."""
    (tree / "pextra/dists").unlink()
    (tree / "pextra/dists").symlink_to("../.generations/7/pextra/dists")


def as_folder(tree: Path) -> None:
    """It is a folder, as a copy that follows links has it."""
    (tree / "pextra/dists").unlink()
    shutil.copytree(tree / ".generations/1/pextra/dists", tree / "pextra/dists")


def lose_hashes(tree: Path) -> None:
    """No index is there by its hash."""
    for path in tree.rglob("by-hash"):
        shutil.rmtree(path)


def exchange_hashes(tree: Path) -> None:
    """Other files are there by the hashes of indexes."""
    for path in [path for path in tree.rglob("by-hash/*/*") if path.is_file()]:
        path.unlink()
        path.write_text("another")


def earlier_hash(tree: Path) -> None:
    """One of an earlier publication is damaged."""
    folder = next(tree.rglob("by-hash/SHA256"))
    (folder / ("0" * 64)).write_text("another")


HARMS = pytest.mark.parametrize(
    "harm", [lose_link, lead_elsewhere, as_folder, lose_hashes, exchange_hashes, earlier_hash]
)


def seen(tree: Path) -> dict[str, bytes]:
    """What clients see of the indexes."""
    top = tree / "pextra/dists"
    return {
        str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("cure", [("sync", "--publish"), ("verify", "--repair"), ("doctor",)])
@HARMS
def test_a_mirror_tells_and_sets_right_by_what_names_it_is_served(
    published: Mirror, harm: Callable[[Path], None], cure: tuple[str, ...]
) -> None:
    before = seen(published.public)
    harm(published.public)
    assert published.call("status").code == 10
    assert published.call("verify").code == 8
    assert published.call("doctor", "--check").code == 8
    published.run(*cure)
    assert seen(published.public) == before
    assert (published.public / "pextra/dists").is_symlink()
    assert published.run("status")["problems"] == []
    assert published.run("sync", "--publish")["changed"] is False


@HARMS
def test_a_site_tells_and_sets_right_by_what_names_it_is_served(
    place: Site, harm: Callable[[Path], None], folder: Path
) -> None:
    (bundle,) = folder.glob("out/*.tar")
    before = seen(place.tree)
    for cure in (("repair",), ("import", bundle)):
        harm(place.tree)
        assert place.call("status").code == 8
        assert place.call("verify").code == 8
        done = place.call(*cure)
        assert done.code == 0, done.err
        assert seen(place.tree) == before
        assert place.call("status").json["damaged"] == 0
    assert place.take(bundle).code == 7, "now it is a replay"
