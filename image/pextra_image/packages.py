# SPDX-License-Identifier: Apache-2.0
"""Debian packages from the source tree: wheels are fetched first, then all is built offline."""

from __future__ import annotations

import shutil
import sys
from email.utils import formatdate
from pathlib import Path

from pextra_image.architecture import Architecture
from pextra_image.run import Programs, require
from pextra_image.tree import Snapshot, export

PROGRAMS = {
    "dh": "debhelper",
    "dpkg-buildpackage": "dpkg-dev",
    "git": "git",
    "pip3": "python3-pip",
}


def fetch_wheels(
    programs: Programs, requirements: Path, architecture: Architecture, destination: Path
) -> None:
    """Download the wheels of a lock file, by the hashes in it; what is there is taken."""
    destination.mkdir(parents=True, exist_ok=True)
    tags = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")
    platforms = [f"--platform={tag}_{architecture.machine}" for tag in tags]
    abis = [f"--abi={abi}" for abi in ("cp311", "abi3", "none")]
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    argv += ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp"]
    argv += [*platforms, *abis, f"--find-links={destination}", f"--dest={destination}"]
    programs.run([*argv, f"--requirement={requirements}"])


def build(programs: Programs, tree: Snapshot, architecture: Architecture, work: Path) -> list[Path]:
    """Build the packages for an architecture in an empty folder; returns the .deb files."""
    require(PROGRAMS)
    shutil.rmtree(work, ignore_errors=True)
    # The folder's name is part of nothing: dpkg maps it away, and nothing is compiled.
    source = work / "source"
    export(tree, source)
    changelog = source / "debian/changelog"
    changelog.write_text(_entry(tree), encoding="utf-8")
    wheels = work.parent / f"wheels-{architecture.name}"
    fetch_wheels(programs, source / "requirements/installer.txt", architecture, wheels)
    shutil.copytree(wheels, source / "wheels")
    env = {"SOURCE_DATE_EPOCH": str(tree.epoch), "DEB_BUILD_OPTIONS": "nocheck"}
    argv = ["dpkg-buildpackage", "--build=binary", "--no-sign", f"--host-arch={architecture.name}"]
    # Nothing is compiled, so a compiler for that architecture is not asked for.
    programs.run([*argv, "--no-check-builddeps"], cwd=source, env=env)
    return sorted(work.glob("*.deb"))


def _entry(tree: Snapshot) -> str:
    """Compose the changelog of an unreleased state; it stands for the entry of the release."""
    return (
        f"pextra-ce ({tree.version}) bookworm; urgency=medium\n\n"
        "  * Built from the source tree.\n\n"
        " -- pextra-ce contributors <pextra-ce@pextra-ce.invalid>  "
        f"{formatdate(tree.epoch)}\n\n"
    )
