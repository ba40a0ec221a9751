# SPDX-License-Identifier: Apache-2.0
"""Lock files: what is read is what was written, one line a package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pextra_image import lock
from pextra_image.architecture import ARCHITECTURES
from pextra_image.run import ImageError
from pextra_image.settings import ROOT

PACKAGE = lock.Package("b", "1:2-3", "all", "pool/main/b/b_2-3_all.deb", "ab" * 32, 17)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "folder/amd64.json"
    other = lock.Package("a", "1", "amd64", "pool/main/a/a_1_amd64.deb", "cd" * 32, 5)
    lock.write(lock.Lock("amd64", 1795372256, (PACKAGE, other)), path)
    assert lock.read(path) == lock.Lock("amd64", 1795372256, (other, PACKAGE))
    assert sum("sha256" in line for line in path.read_text().splitlines()) == 2


@pytest.mark.parametrize("text", ['{"format": 99}', "{", ""])
def test_a_lock_of_another_format_or_a_damaged_one_says_what_to_do(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "amd64.json"
    path.write_text(text)
    with pytest.raises(ImageError, match="lock"):
        lock.read(path)


def test_a_missing_lock_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="pextra-image lock"):
        lock.read(tmp_path / "amd64.json")


def test_a_stanza_of_apt_is_read() -> None:
    text = (
        "Package: b\nVersion: 1:2-3\nArchitecture: all\nDescription: x\n Filename: no\n"
        f"Filename: {PACKAGE.path}\nSize: 17\nSHA256: {PACKAGE.sha256}\n"
    )
    assert lock.parse_stanza(text) == PACKAGE


def test_the_list_of_packages_has_what_boots_each_architecture() -> None:
    listing = (ROOT / "image/packages.list").read_text()
    for architecture, loader in (("amd64", "grub-pc-bin"), ("arm64", "grub-efi-arm64-signed")):
        names = lock.wanted(listing, architecture)
        assert {"live-boot", "shim-signed", loader, f"linux-image-{architecture}"} <= set(names)
        assert len(names) == len(set(names))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_committed_lock_has_the_packages_of_the_list(architecture: str) -> None:
    pinned = lock.read(ROOT / f"image/lock/{architecture}.json")
    listing = (ROOT / "image/packages.list").read_text()
    assert set(lock.wanted(listing, architecture)) <= {one.name for one in pinned.packages}
    assert {one.architecture for one in pinned.packages} == {architecture, "all"}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_committed_lock_has_what_the_installer_needs_and_nothing_of_ours(
    architecture: str,
) -> None:
    control = (ROOT / "debian/control").read_text()
    ours = set(re.findall(r"^Package: (\S+)$", control, re.MULTILINE))
    stanza = control.split("Package: pextra-installer\n")[1]
    depends = stanza.split("Depends: ")[1].split("\nDescription")[0]
    needed = {one.split()[0] for one in depends.split(",") if not one.strip().startswith("$")}
    locked = lock.read(ROOT / f"image/lock/{architecture}.json")
    pinned = {package.name for package in locked.packages}
    assert needed - ours <= pinned
    assert not ours & pinned
