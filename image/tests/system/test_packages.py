# SPDX-License-Identifier: Apache-2.0
"""The repository that `make packages` made, used as a user would: in an empty Debian 12."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pextra_image.run import Programs
from pextra_image.settings import ROOT
from pextra_image.sources import apt_sources

REPOSITORY = ROOT / "dist/apt"
BASE = ROOT / ".cache/image/test-base.tar"


def inside(root: Path, *argv: str) -> str:
    """Run a program in the Debian below a folder."""
    done = subprocess.run(
        ["chroot", str(root), "/usr/bin/env", "-i", "HOME=/root", "LC_ALL=C.UTF-8",
         "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", *argv],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{argv}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A minimal Debian 12 with the repository as a further source of apt."""
    sources = tmp_path_factory.mktemp("apt") / "sources.list"
    sources.write_text(apt_sources(Programs(), ()))
    if not BASE.exists():
        BASE.parent.mkdir(parents=True, exist_ok=True)
        part = BASE.with_suffix(".part.tar")
        argv = ["mmdebstrap", "--quiet", "--variant=apt", "bookworm", str(part), str(sources)]
        subprocess.run(argv, check=True)
        part.rename(BASE)
    root = tmp_path_factory.mktemp("debian")
    with tarfile.open(BASE) as archive:
        archive.extractall(root, numeric_owner=True)  # noqa: S202 - made above
    (root / "etc/apt/sources.list").write_text(sources.read_text())
    (root / "etc/apt/sources.list.d/pextra-ce.sources").write_text(
        "Types: deb\nURIs: file:/srv/pextra-ce\nSuites: bookworm\nComponents: common meta\n"
        "Signed-By: /srv/pextra-ce/pextra-ce.asc\n"
    )
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    repository = root / "srv/pextra-ce"
    repository.mkdir()
    mounts = [
        (["--bind", "--options=ro", str(REPOSITORY)], repository),
        (["--types=proc", "proc"], root / "proc"),
        (["--types=tmpfs", "tmpfs"], root / "dev/shm"),
    ]
    mounted: list[Path] = []
    try:
        for options, target in mounts:
            target.mkdir(exist_ok=True)
            subprocess.run(["mount", *options, str(target)], check=True)
            mounted.append(target)
        inside(root, "apt-get", "--quiet", "--error-on=any", "update")
        yield root
    finally:
        for target in reversed(mounted):
            subprocess.run(["umount", str(target)], check=True)
    shutil.rmtree(root)  # a gigabyte; not reached while something is still mounted in it


def test_lintian_finds_no_error() -> None:
    debs = sorted(map(str, REPOSITORY.glob("pool/*/*.deb")))
    assert len(debs) >= 4
    subprocess.run(["lintian", "--allow-root", "--fail-on=error", "--quiet", *debs], check=True)


def test_a_changed_repository_is_refused(debian: Path, tmp_path: Path) -> None:
    release = (REPOSITORY / "dists/bookworm/InRelease").read_text()
    forged = tmp_path / "InRelease"
    forged.write_text(release.replace("Origin: pextra-ce", "Origin: pextra-cf"))
    key = REPOSITORY / "pextra-ce.asc"
    for path, good in ((REPOSITORY / "dists/bookworm/InRelease", True), (forged, False)):
        home = tmp_path / f"home-{good}"
        home.mkdir(mode=0o700)
        gpg = ["gpg", "--batch", "--quiet", "--homedir", str(home)]
        subprocess.run([*gpg, "--import", str(key)], check=True, capture_output=True)
        done = subprocess.run([*gpg, "--verify", str(path)], check=False, capture_output=True)
        assert (done.returncode == 0) is good


def test_apt_installs_a_node_with_a_working_ansible(debian: Path) -> None:
    inside(
        debian, "apt-get", "--yes", "--quiet", "--no-install-recommends", "install", "pce-common"
    )
    assert "core 2.19" in inside(debian, "ansible-playbook", "--version")
    assert "PEXTRA.CE.INSTANCE" in inside(debian, "ansible-doc", "pextra.ce.instance").upper()
    listing = inside(debian, "ansible-galaxy", "collection", "list", "pextra.ce")
    assert "/usr/share/ansible/collections/ansible_collections" in listing
    inside(debian, "ansible-playbook", "--syntax-check", "pextra.ce.site")
    assert "localhost" in inside(debian, "ansible-inventory", "--list")
    assert "usage" in inside(debian, "pextra-license", "--help").lower()
    inside(debian, "/usr/bin/python3", "-c", "import libvirt, psycopg")


def test_apt_installs_an_installer_that_checks_answers(debian: Path) -> None:
    inside(
        debian, "apt-get", "--yes", "--quiet", "--no-install-recommends", "install",
        "pextra-installer",
    )  # fmt: skip
    fixtures = ROOT / "installer/tests/fixtures"
    for name in ("accepted", "rejected"):
        shutil.copytree(fixtures / name, debian / "srv" / name)
    accepted = sorted(path.name for path in (fixtures / "accepted").iterdir())
    for name in accepted:
        said = inside(debian, "pextra-installer", "validate", f"/srv/accepted/{name}")
        assert "complete and consistent" in said
    for path in sorted((fixtures / "rejected").glob("*.[yt]*ml")):
        done = subprocess.run(
            ["chroot", str(debian), "pextra-installer", "validate", f"/srv/rejected/{path.name}"],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 3, f"{path.name}: {done.stdout}{done.stderr}"
    unit = "pextra-installer.target"
    assert unit in inside(debian, "systemctl", "--root=/", "list-unit-files", unit)


def test_purging_leaves_nothing_of_the_packages(debian: Path) -> None:
    packages = ("pce-ansible", "pce-config", "pextra-installer")
    inside(debian, "apt-get", "--yes", "--quiet", "purge", *packages)
    ours = ("usr/lib/pextra-ce", "etc/pextra-ce", "usr/share/ansible/collections")
    assert [path for path in ours if (debian / path).exists()] == []
