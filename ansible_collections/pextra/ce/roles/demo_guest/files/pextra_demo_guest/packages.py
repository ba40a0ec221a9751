# Copyright: pextra-ce contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian packages through the machine's own apt configuration, without installing them."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .run import BuildError, run

SANDBOX_USER = "_apt"
# Debian Policy Manual, section 5.6.1.
_PACKAGE_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")


@dataclass(frozen=True, slots=True)
class Package:
    """One version of a package as the signed package index describes it."""

    name: str
    version: str
    sha256: str
    depends: str

    @property
    def file_name(self) -> str:
        """The name of the package's file in the cache."""
        return f"{self.name}_{self.version.replace(':', '%3a')}.deb"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A package and the place of its file."""

    package: Package
    path: Path

    def is_intact(self) -> bool:
        """Say whether the file is there with the checksum of the package index."""
        return self.path.is_file() and sha256_of(self.path) == self.package.sha256


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def find(names: Sequence[str]) -> dict[str, Package]:
    """Return the versions of packages that apt would install, by their names.

    :raises BuildError: apt knows no such package.
    """
    for name in names:
        if not _PACKAGE_NAME.fullmatch(name):
            raise BuildError(f"{name!r} is no name of a Debian package")
    # One call, because each reads the whole index. It fails when it knows none of the packages.
    try:
        records = run(["apt-cache", "show", "--no-all-versions", *names])
    except BuildError as unknown:
        raise _unknown(names) from unknown
    found: dict[str, Package] = {}
    for record in records.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", record, flags=re.MULTILINE))
        # An installed version that no source offers has no checksum: it cannot be downloaded.
        if "Package" in fields and "SHA256" in fields:
            found[fields["Package"]] = Package(
                fields["Package"], fields["Version"], fields["SHA256"], fields.get("Depends", "")
            )
    missing = [name for name in names if name not in found]
    if missing:
        raise _unknown(missing)
    return found


def _unknown(names: Sequence[str]) -> BuildError:
    return BuildError(
        f"apt offers no package {', '.join(names)}. Check the name and the sources in /etc/apt, "
        "and that `apt-get update` succeeds"
    )


def find_with_kernel(names: Sequence[str], kernel: str) -> dict[str, Package]:
    """Return packages and a kernel; a metapackage's name gives the kernel that it depends on."""
    found = find([*names, kernel])
    real = re.search(r"\b(linux-image-[0-9][^ ,|()]*)", found[kernel].depends)
    return {**found, kernel: find([real.group(1)])[real.group(1)]} if real else found


def fetch(names: Sequence[str], kernel: str, cache: Path) -> dict[str, Fetched]:
    """Download packages and a kernel into `cache`, unless they are there and intact.

    Once more with a fresh package index if that fails: a mirror drops superseded versions, so an
    index of last week may name a file that is gone. The kernel is returned under the name that
    was asked for.

    :raises BuildError: a package is unknown, not downloadable or not what the index promises.
    """
    try:
        return _fetch(names, kernel, cache)
    except BuildError as first:
        try:
            run(["apt-get", "update", "-q"])
        except BuildError as offline:
            raise BuildError(
                f"{first}. Refreshing the package index did not help: {offline}"
            ) from offline
        return _fetch(names, kernel, cache)


def _fetch(names: Sequence[str], kernel: str, cache: Path) -> dict[str, Fetched]:
    fetched = {
        name: Fetched(package, cache / package.file_name)
        for name, package in find_with_kernel(names, kernel).items()
    }
    _download([one for one in fetched.values() if not one.is_intact()], cache)
    current = {one.path for one in fetched.values()}
    for stale in set(cache.glob("*.deb")) - current:
        stale.unlink()
    return fetched


def _download(missing: Sequence[Fetched], cache: Path) -> None:
    """Let apt download, which verifies each file against its signed index."""
    if not missing:
        return
    scratch = cache / "download"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    # apt fetches as an unprivileged user, who must be able to write here.
    if os.geteuid() == 0 and SANDBOX_USER in {user.pw_name for user in pwd.getpwall()}:
        shutil.chown(scratch, SANDBOX_USER)
    versions = [f"{one.package.name}={one.package.version}" for one in missing]
    run(["apt-get", "download", "-q", *versions], cwd=scratch)
    by_checksum = {sha256_of(path): path for path in scratch.glob("*.deb")}
    for one in missing:
        if one.package.sha256 not in by_checksum:
            raise BuildError(
                f"apt downloaded no {one.package.name} {one.package.version} "
                "with the checksum of its package index"
            )
        by_checksum[one.package.sha256].replace(one.path)
    shutil.rmtree(scratch)
