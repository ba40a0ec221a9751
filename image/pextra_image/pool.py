# SPDX-License-Identifier: Apache-2.0
"""The locked packages as files: fetched once, checked by hash, and served as a local repository."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pextra_image.files import sha256_of
from pextra_image.lock import Lock, Package
from pextra_image.run import ImageError, Programs
from pextra_image.sources import apt_sources
from pextra_image.steps import Screen


class GoneError(ImageError):
    """No mirror has some of the locked packages; Debian keeps the newest ones only.

    :ivar packages: those.
    """

    def __init__(self, packages: list[Package]) -> None:
        names = ", ".join(f"{package.name} {package.version}" for package in packages[:5])
        super().__init__(
            f"No mirror has {len(packages)} of the locked packages any more ({names} …). Lock the "
            "newer ones with `pextra-image lock`, or name a mirror that keeps old ones with "
            "--mirror"
        )
        self.packages = packages


HELPER = "/usr/lib/apt/apt-helper"


def fetch(
    programs: Programs, screen: Screen, lock: Lock, mirrors: tuple[str, ...], folder: Path
) -> None:
    """Download the locked packages that a folder lacks; those that it has are checked.

    :raises GoneError: no mirror has a package with the locked hash.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [package for package in lock.packages if not _is_whole(folder, package)]
    if not missing:
        return
    screen.say(f"{'pool':<10} {len(missing)} of {len(lock.packages)} packages to fetch …")
    addresses = archive_addresses(apt_sources(programs, mirrors))
    for address in addresses:
        words: list[str] = []
        for package in missing:
            target = folder / package.file_name
            words += [f"{address}/{package.path}", str(target), f"SHA256:{package.sha256}"]
        done = 0

        def count(line: str) -> None:
            nonlocal done
            done += line.startswith("Get:")
            screen.show(f"pool       {done} packages  {line}")

        try:
            programs.run([HELPER, "--option=APT::Sandbox::User=root", "--option=Acquire::Retries=3",
                          "download-file", *words], line=count)  # fmt: skip
        except ImageError:
            # What this mirror does not have, the next one may: security updates have their own.
            if address == addresses[-1]:
                screen.say(f"pool       {address} did not have all packages")
        missing = [package for package in missing if not _is_whole(folder, package)]
        if not missing:
            return
    raise GoneError(missing)


def serve(programs: Programs, lock: Lock, pool: Path, root: Path) -> None:
    """Make a flat apt repository of exactly the locked packages, with links into the pool."""
    root.mkdir(parents=True, exist_ok=True)
    for package in lock.packages:
        os.link(pool / package.file_name, root / package.file_name)
    (root / "Packages").write_text(programs.read(["apt-ftparchive", "packages", "."], cwd=root))
    options = [f"--option=APT::FTPArchive::Release::{name}=bookworm" for name in
               ("Codename", "Suite")]  # fmt: skip
    release = programs.read(["apt-ftparchive", *options, "release", "."], cwd=root)
    (root / "Release").write_text(release)


def archive_addresses(sources: str) -> list[str]:
    """Read the addresses in a sources.list, each once."""
    found = re.findall(r"^deb (?:\[[^\]]*\] )?(\S+)", sources, re.MULTILINE)
    return list(dict.fromkeys(address.rstrip("/") for address in found))


def _is_whole(folder: Path, package: Package) -> bool:
    path = folder / package.file_name
    return (
        path.exists() and path.stat().st_size == package.size and sha256_of(path) == package.sha256
    )
