"""A disk that is really full: in the middle of everything that writes."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mirror_bed import PYTHON, Builder, Fault, Mirror, SourceRepository, platform, run

Filler = Callable[[], Path]


@pytest.fixture
def disk(folder: Path) -> Iterator[Callable[[Path, str], Filler]]:
    """A function that mounts a small disk somewhere; it returns one that fills the disk up."""
    mounted: list[Path] = []

    def mount(path: Path, size: str) -> Filler:
        path.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", path)
        mounted.append(path)

        def fill() -> Path:
            filler = path / "filler"
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            assert shutil.disk_usage(path).free == 0
            return filler

        return fill

    yield mount
    for path in mounted:
        run("umount", "--lazy", path)


@pytest.fixture
def small(
    folder: Path, upstream: SourceRepository, disk: Callable[[Path, str], Filler]
) -> Iterator[tuple[Mirror, Filler]]:
    """A mirror on a small disk, and what fills it up."""
    made = Mirror(folder / "mirror", platform(upstream), retries=50)
    fill = disk(made.root, "24M")
    made.run("init")
    yield made, fill
    made.stop()


def test_a_sync_that_runs_into_a_full_disk_is_finished_when_there_is_room(
    small: tuple[Mirror, Filler], upstream: SourceRepository, builder: Builder
) -> None:
    mirror, fill = small
    mirror.run("sync", "--publish")
    big = builder.deb("big", "1", "amd64", size=3_000_000)
    upstream.release([*builder.platform("1.0"), big])
    upstream.faults["big_1_amd64.deb"] = Fault(after=1_000_000)
    process = mirror.start("sync", "--publish")
    while upstream.faults["big_1_amd64.deb"].seen < 2:  # the first megabyte has come
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    filler = fill()
    upstream.faults.clear()
    _out, err = process.communicate()
    assert process.returncode == 5, err
    filler.unlink()
    assert mirror.call("status").code == 10
    assert mirror.run("verify")["sequence"] == 1
    upstream.requests.clear()
    assert mirror.run("sync", "--publish")["publication"] == 2
    (asked,) = [asked for path, asked in upstream.requests if path == big.path]
    assert int(asked.removeprefix("bytes=").rstrip("-")) >= 1_000_000


def test_a_publication_that_runs_into_a_full_disk_leaves_what_is_served(
    small: tuple[Mirror, Filler], upstream: SourceRepository, builder: Builder
) -> None:
    mirror, fill = small
    mirror.run("sync", "--publish")
    upstream.release(builder.platform("2.0"))
    mirror.run("sync")
    filler = fill()
    full = mirror.call("publish")
    assert full.code == 5, full.err
    assert "no space left" in full.err.lower()
    filler.unlink()
    assert mirror.run("verify")["sequence"] == 1
    assert mirror.run("publish")["publication"] == 2
    assert mirror.run("verify")["sequence"] == 2


def test_a_stick_that_is_too_small_is_refused_before_anything_is_written(
    mirror: Mirror, folder: Path, disk: Callable[[Path, str], Filler]
) -> None:
    mirror.run("sync", "--publish")
    disk(folder / "stick", "1M")
    full = mirror.call("export", "--output", folder / "stick")
    assert full.code == 5
    assert not list((folder / "stick").iterdir())


def test_an_import_that_runs_into_a_full_disk_changes_nothing_that_is_served(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, folder: Path,
    disk: Callable[[Path, str], Filler],
) -> None:  # fmt: skip
    tree, stick, key = folder / "site", folder / "stick", mirror.key()
    fill = disk(tree, "32M")
    mirror.run("sync", "--publish")
    (first,) = mirror.run("export", "--output", stick)["parts"]
    importer = [PYTHON, str(stick / "import-bundle.pyz"), "--tree", str(tree), "import"]
    run(*importer, first, "--keyring", key)
    upstream.release([*builder.platform("1.0"), builder.deb("big", "1", "amd64", size=3_000_000)])
    mirror.run("sync", "--publish")
    (second,) = mirror.run("export", "--output", stick, "--since", first)["parts"]
    before = served(tree)

    fifo = folder / "slow.tar"
    os.mkfifo(fifo)
    process = subprocess.Popen([*importer, str(fifo)], stderr=subprocess.PIPE, text=True)
    data = Path(second).read_bytes()
    # It gives up while it is written to.
    with contextlib.suppress(BrokenPipeError), fifo.open("wb", buffering=0) as pipe:
        pipe.write(data[: len(data) // 2])
        while not list(tree.glob(".generations/incoming-*/*")):
            assert process.poll() is None
        fill()
        pipe.write(data[len(data) // 2 :])
    assert process.wait() == 5
    assert process.stderr is not None
    assert "No space left" in process.stderr.read()
    process.stderr.close()
    assert served(tree) == before
    (tree / "filler").unlink()
    run(*importer, second)
    assert served(tree) != before


def served(tree: Path) -> dict[str, bytes]:
    """The indexes that a client would see."""
    return {str(path): path.read_bytes() for path in tree.glob("pextra/dists/bookworm/*Release*")}


def test_a_full_disk_is_told_by_what_only_looks(
    small: tuple[Mirror, Filler], upstream: SourceRepository
) -> None:
    mirror, fill = small
    mirror.run("sync", "--publish")
    fill()
    told = mirror.call("status")
    assert told.code == 10, told.err
    assert "is nearly full" in str(told.json["problems"])
    assert mirror.run("key")["fingerprint"]
