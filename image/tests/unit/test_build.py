# SPDX-License-Identifier: Apache-2.0
"""What a build does where its packages, or what it needs of this machine, are not there."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import socket
import time
from pathlib import Path

import pytest

from pextra_image import build, lock, pool, root
from pextra_image.architecture import AMD64
from pextra_image.run import ImageError, Programs
from pextra_image.settings import Settings
from pextra_image.steps import Screen, Steps

OLD = lock.Package("libc6", "2.36-1", "amd64", "pool/libc6_2.36-1.deb", "ab" * 32, 17)
NEW = dataclasses.replace(OLD, version="2.36-2")
SAME = lock.Package("bash", "5.2", "amd64", "pool/bash_5.2.deb", "cd" * 32, 5)


class Bed:
    """A tree with a lock file, and mirrors that have the new package alone."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.shown = io.StringIO()
        self.lock = folder / "image/lock/amd64.json"
        lock.write(lock.Lock("amd64", 1, (OLD, SAME)), self.lock)
        monkeypatch.setattr(build, "_locked_root_steps", self.root)
        monkeypatch.setattr(build, "lock_packages", self.lock_packages)

    def build(self, *, locked: bool = False) -> Path:
        settings = Settings(
            self.folder, self.folder, self.folder, AMD64, None, (), Programs(),
            Screen(self.shown), locked=locked,
        )  # fmt: skip
        return build.root_steps(settings, 1, [], Steps(self.folder, settings.screen))

    def root(self, settings: Settings, epoch: int, debs: list[Path], steps: Steps) -> Path:
        gone = [one for one in lock.read(self.lock).packages if one == OLD]
        if gone:
            raise pool.GoneError(gone)
        return self.folder

    def lock_packages(self, settings: Settings) -> Path:
        lock.write(lock.Lock("amd64", 2, (NEW, SAME)), self.lock)
        return self.lock


@pytest.fixture
def bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bed:
    return Bed(tmp_path, monkeypatch)


def test_where_locked_packages_are_gone_the_newest_are_locked_and_shown(bed: Bed) -> None:
    assert bed.build() == bed.folder
    assert lock.read(bed.lock).packages == (SAME, NEW)
    shown = bed.shown.getvalue()
    assert "locked packages that are gone: 1" in shown
    assert "libc6: 2.36-1, now 2.36-2" in shown
    assert "bash" not in shown
    assert f"{bed.lock}: commit it" in shown


def test_a_build_that_is_to_keep_to_the_lock_ends_there(bed: Bed) -> None:
    with pytest.raises(pool.GoneError, match=r"libc6 2\.36-1"):
        bed.build(locked=True)
    assert OLD in lock.read(bed.lock).packages


def test_a_machine_whose_name_does_not_resolve_is_told_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_arguments: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.gethostname", lambda: "localhost")
    root.check_name()
    monkeypatch.setattr("socket.gethostname", lambda: "builder")
    monkeypatch.setattr("socket.getaddrinfo", unknown)
    with pytest.raises(ImageError, match=r"/etc/hosts: 127\.0\.1\.1 builder"):
        root.check_name()


def test_the_short_names_are_those_of_all_that_lies_beside_the_newest_iso(tmp_path: Path) -> None:
    target = tmp_path / "pextra-ce-0.2.0-amd64.iso"
    endings = ("", ".sha256", ".sha256.asc", ".asc", ".cdx.json", ".manifest.json")
    beside = [Path(f"{target}{ending}") for ending in endings]
    for path in (*beside, tmp_path / "pextra-gpg-key.asc"):
        path.write_text(path.name)
    for _time in range(2):
        build._link_latest("pextra-ce.iso", target, [*beside[1:], tmp_path / "pextra-gpg-key.asc"])
    for ending in endings:
        assert (tmp_path / f"pextra-ce.iso{ending}").read_text() == f"{target.name}{ending}"
    assert len(list(tmp_path.iterdir())) == 2 * len(endings) + 1


def agents(home: Path) -> list[str]:
    """The processes that were started for keys in a home folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_text(errors="replace").replace("\0", " ")
            found += [line] if str(home) in line and line.startswith("gpg") else []
    return found


@pytest.mark.parametrize("fails", [False, True])
def test_no_agent_of_gpg_is_left_behind(tmp_path: Path, fails: bool) -> None:
    settings = Settings(
        tmp_path, tmp_path, tmp_path, AMD64, None, (), Programs(), Screen(io.StringIO())
    )
    signed = tmp_path / "x"
    signed.write_text("x")
    with contextlib.suppress(ImageError), settings.key() as key:
        key.sign(settings.programs, signed, tmp_path / "x.asc")
        assert len(agents(tmp_path)) == 1
        if fails:
            raise ImageError("it failed")
    until = time.monotonic() + 30
    while agents(tmp_path) and time.monotonic() < until:
        time.sleep(0.05)
    assert agents(tmp_path) == []
