# SPDX-License-Identifier: Apache-2.0
"""A signed apt repository from .deb files: distribution bookworm, components common and meta."""

from __future__ import annotations

import gzip
import lzma
import shutil
from pathlib import Path

from pextra_image.files import sha256_of
from pextra_image.run import Programs, require
from pextra_image.signing import Key

DISTRIBUTION = "bookworm"
COMPONENTS = ("common", "meta")
ARCHITECTURES = ("amd64", "arm64")


def component_of(section: str) -> str:
    """Say which component a package of a section goes to: metapackages have their own."""
    return "meta" if section == "metapackages" else "common"


def publish(programs: Programs, debs: list[Path], key: Key, epoch: int, root: Path) -> None:
    """Make the repository anew in a folder, from nothing.

    Indices are found by their hash too (by-hash), so that a client that updates while the
    repository is replaced never mixes two states.
    """
    require({"apt-ftparchive": "apt-utils"})
    shutil.rmtree(root, ignore_errors=True)
    dists = root / "dists" / DISTRIBUTION
    for component in COMPONENTS:
        (root / "pool" / component).mkdir(parents=True)
    for deb in debs:
        section = programs.read(["dpkg-deb", "--field", deb, "Section"]).strip()
        shutil.copy2(deb, root / "pool" / component_of(section) / deb.name)
    for component in COMPONENTS:
        for architecture in ARCHITECTURES:
            folder = dists / component / f"binary-{architecture}"
            folder.mkdir(parents=True)
            argv = ["apt-ftparchive", "--arch", architecture, "packages", f"pool/{component}"]
            _write_index(folder, programs.read(argv, cwd=root).encode())
    release = programs.read([*_release_options(), "release", f"dists/{DISTRIBUTION}"], cwd=root,
                            env={"SOURCE_DATE_EPOCH": str(epoch)})  # fmt: skip
    (dists / "Release").write_text(release, encoding="utf-8")
    key.sign(programs, dists / "Release", dists / "InRelease", clear=True)
    key.sign(programs, dists / "Release", dists / "Release.gpg")
    key.export(programs, root / "pextra-ce.asc")


def _write_index(folder: Path, packages: bytes) -> None:
    contents = {
        "Packages": packages,
        "Packages.gz": gzip.compress(packages, mtime=0),
        "Packages.xz": lzma.compress(packages),
    }
    by_hash = folder / "by-hash" / "SHA256"
    by_hash.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        shutil.copy2(folder / name, by_hash / sha256_of(folder / name))


def _release_options() -> list[str]:
    fields = {
        "Origin": "pextra-ce",
        "Label": "pextra-ce",
        "Suite": DISTRIBUTION,
        "Codename": DISTRIBUTION,
        "Components": " ".join(COMPONENTS),
        "Architectures": " ".join(ARCHITECTURES),
        "Description": "Pextra CloudEnvironment",
        "Acquire-By-Hash": "yes",
    }
    options = [f"--option=APT::FTPArchive::Release::{name}={text}" for name, text in fields.items()]
    # Only SHA256: the others are of no use to any apt that could install these packages.
    unused = [f"--option=APT::FTPArchive::{name}=false" for name in ("MD5", "SHA1", "SHA512")]
    return ["apt-ftparchive", *options, *unused]
