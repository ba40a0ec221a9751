# SPDX-License-Identifier: Apache-2.0
"""The ISO that `make iso` made: verified, written to a stick, and booted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pextra_image.cli import main
from pextra_image.files import sha256_of
from pextra_image.settings import ROOT

FULL_BOOTS = [("uefi", "usb"), ("secureboot", "cd"), ("bios", "usb")]


def test_the_iso_and_what_lies_beside_it_verify(iso: Path) -> None:
    assert main(["verify", str(iso), "--key", str(iso.with_name("pextra-gpg-key.asc"))]) == 0


def test_a_changed_iso_is_refused_and_the_failure_named(
    iso: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in iso.parent.glob(f"{iso.name}*"):
        shutil.copy(path, tmp_path / path.name)
    shutil.copy(iso.with_name("pextra-gpg-key.asc"), tmp_path)
    changed = tmp_path / iso.name
    with changed.open("r+b") as file:
        file.seek(changed.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    key = str(tmp_path / "pextra-gpg-key.asc")
    assert main(["verify", str(changed), "--key", key]) == 1
    told = capsys.readouterr().out
    assert f"FAILED  SHA256 of {iso.name}" in told
    assert f"FAILED  signature of {iso.name}: " in told
    assert f"ok      signature of {iso.name}.sha256" in told
    changed.unlink()


def test_the_guides_own_commands_accept_the_iso(iso: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--batch", "--quiet", "--homedir", str(home)]
    folder = iso.parent
    said = subprocess.run(
        ["sha256sum", "pextra-ce.iso"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
    assert said.split()[0] == (folder / "pextra-ce.iso.sha256").read_text().split()[0]
    subprocess.run(["sha256sum", "--check", f"{iso.name}.sha256"], cwd=folder, check=True)
    subprocess.run([*gpg, "--import", "pextra-gpg-key.asc"], cwd=folder, check=True)
    for signed in ("pextra-ce.iso.sha256", "pextra-ce.iso", f"{iso.name}.sha256", iso.name):
        subprocess.run([*gpg, "--verify", f"{signed}.asc", signed], cwd=folder, check=True)


def test_the_bill_of_materials_has_every_package_of_the_root_file_system(
    iso: Path, tmp_path: Path
) -> None:
    status = subprocess.run(
        ["xorriso", "-osirrox", "on", "-indev", str(iso), "-extract",
         "/live/filesystem.squashfs", str(tmp_path / "root.squashfs")],
        check=False, capture_output=True,
    )  # fmt: skip
    assert status.returncode == 0, status.stderr
    listing = subprocess.run(
        ["unsquashfs", "-cat", str(tmp_path / "root.squashfs"), "var/lib/dpkg/status"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    there = {
        line.removeprefix("Package: ")
        for line in listing.splitlines()
        if line.startswith("Package: ")
    }
    bom = json.loads(Path(f"{iso}.cdx.json").read_text())
    assert {component["name"] for component in bom["components"]} == there
    assert {"pce-common", "libvirt-daemon", "linux-image-amd64"} <= there
    assert all(component["hashes"] for component in bom["components"])


@pytest.fixture
def stick(iso: Path, tmp_path: Path) -> Iterator[Path]:
    """A loop device somewhat larger than the ISO."""
    backing = tmp_path / "stick.img"
    with backing.open("wb") as file:
        file.truncate(iso.stat().st_size + (64 << 20))
    argv = ["losetup", "--find", "--show", str(backing)]
    device = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    yield Path(device)
    subprocess.run(["losetup", "--detach", device], check=True)
    backing.unlink()


def test_a_written_stick_holds_the_iso(
    iso: Path, stick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["write", str(iso), str(stick), "--yes"]) == 1
    assert "--fixed-disk" in capsys.readouterr().err
    assert main(["write", str(iso), str(stick), "--yes", "--fixed-disk"]) == 0
    size = iso.stat().st_size
    argv = ["cmp", f"--bytes={size}", str(iso), str(stick)]
    subprocess.run(argv, check=True)


def test_a_mounted_stick_is_not_written(
    iso: Path, stick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["mkfs.ext4", "-q", str(stick)], check=True)
    point = tmp_path / "mnt"
    point.mkdir()
    subprocess.run(["mount", str(stick), str(point)], check=True)
    try:
        assert main(["write", str(iso), str(stick), "--yes", "--fixed-disk"]) == 1
        assert str(point) in capsys.readouterr().err
    finally:
        subprocess.run(["umount", str(point)], check=True)


@pytest.mark.parametrize(
    ("firmware", "attachment"),
    [("bios", "cd"), *(pytest.param(*boot, marks=pytest.mark.full) for boot in FULL_BOOTS)],
)
def test_the_medium_boots_to_a_shell_and_to_the_installer(
    iso: Path, firmware: str, attachment: str
) -> None:
    assert main(["boot-test", str(iso), "--firmware", firmware, "--attach", attachment]) == 0


@pytest.fixture(scope="module")
def arm64_iso(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A medium for arm64, made here, in a cache of its own: nobody waits for the long build."""
    output = tmp_path_factory.mktemp("arm64")
    cache = str(ROOT / ".cache/image-arm64")
    argv = ["build", "--arch", "arm64", "--cache", cache, "--output", str(output)]
    assert main(argv) == 0
    yield (output / "pextra-ce-arm64.iso").resolve(strict=True)
    shutil.rmtree(output)


@pytest.mark.full
def test_a_medium_for_arm64_verifies(arm64_iso: Path) -> None:
    key = arm64_iso.with_name("pextra-gpg-key.asc")
    assert main(["verify", str(arm64_iso), "--key", str(key)]) == 0


@pytest.mark.full
@pytest.mark.parametrize(("firmware", "attachment"), [("uefi", "cd"), ("secureboot", "usb")])
def test_a_medium_for_arm64_boots_to_a_shell_and_to_the_installer(
    arm64_iso: Path, firmware: str, attachment: str
) -> None:
    assert main(["boot-test", str(arm64_iso), "--firmware", firmware, "--attach", attachment]) == 0


def differences(first: Path, second: Path) -> str:
    """What is another in the newest root file systems of two caches, as diffoscope tells."""
    roots = [
        max(cache.glob("root/*/filesystem.squashfs"), key=lambda path: path.stat().st_mtime_ns)
        for cache in (first, second)
    ]
    argv = ["diffoscope", "--no-progress", "--max-report-size=20000", "--text=-", *map(str, roots)]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    return done.stdout + done.stderr or "the root file systems are the same: compare the ISOs"


@pytest.mark.parametrize(
    "kept", [("pool", "base"), pytest.param(("pool",), marks=pytest.mark.full)], ids="-".join
)
def test_a_second_build_of_the_same_tree_has_the_same_bytes(
    iso: Path, tmp_path: Path, output: Path, kept: tuple[str, ...]
) -> None:
    """In a cache that has only this: from our packages on, or all but the downloads."""
    cache = iso.parents[1] / ".cache/image"
    again = output.parent / ".cache/image-again"
    shutil.rmtree(again, ignore_errors=True)
    again.mkdir(parents=True)
    for name in kept:
        shutil.copytree(cache / name, again / name, copy_function=os.link)
    try:
        assert main(["build", "--cache", str(again), "--output", str(tmp_path)]) == 0
        repeated = (tmp_path / "pextra-ce.iso").resolve()
        assert repeated.name == iso.name
        if sha256_of(repeated) != sha256_of(iso):
            pytest.fail(differences(cache, again))
    finally:
        shutil.rmtree(again)
        shutil.rmtree(tmp_path)
