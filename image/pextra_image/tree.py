# SPDX-License-Identifier: Apache-2.0
"""The source tree that is built: its files, what they hash to, its version and its time."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pextra_image.run import ImageError, Programs

# What the Debian packages are made from.
PACKAGED = (
    "ansible_collections",
    "debian",
    "installer/pextra_installer",
    "inventories/local",
    "LICENSE",
    "mirror/pextra_mirror",
    "pextra",
    "requirements/controller.txt",
    "requirements/installer.txt",
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state of the tree.

    :ivar version: the Debian version of what is built from it.
    :ivar epoch: seconds since 1970, the time of the last commit: SOURCE_DATE_EPOCH.
    :ivar digest: hash (hex) of the files that the packages are made from.
    """

    root: Path
    files: tuple[Path, ...]
    version: str
    epoch: int
    digest: str


def tracked(programs: Programs, root: Path, parts: tuple[str, ...]) -> tuple[Path, ...]:
    """List the files below some parts of the tree, without what git ignores."""
    argv: list[str | Path] = ["git", "-C", root, "ls-files", "-z", "--cached", "--others"]
    argv += ["--exclude-standard"]
    names = programs.read([*argv, "--", *parts]).split("\0")
    paths = sorted({Path(name) for name in names if name})
    return tuple(path for path in paths if os.path.lexists(root / path))


def digest_of(root: Path, files: tuple[Path, ...]) -> str:
    """Hash the names, types, executable bits and contents of files."""
    total = hashlib.sha256()
    for path in files:
        whole = root / path
        mode = whole.lstat().st_mode
        if stat.S_ISLNK(mode):
            kind, content = "link", os.fsencode(whole.readlink())
        else:
            kind, content = ("program" if mode & 0o100 else "file"), whole.read_bytes()
        total.update(f"{path}\0{kind}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()


def version_of(released: str, commit: str, when: str, changed: str) -> str:
    """Compose a version that sorts below the release, and by the time of the commit.

    >>> version_of("0.1.0", "abcdef0", "20261122175549", "")
    '0.1.0~git20261122175549.abcdef0'

    :param changed: if the files differ from the commit, the time of the newest and their hash,
        with a dot between them; else empty.
    """
    local = f"+local{changed[:23]}" if changed else ""
    return f"{released}~git{when}.{commit}{local}"


def _newest(root: Path, files: tuple[Path, ...]) -> str:
    """Tell when the newest file was changed, as 14 digits of UTC."""
    newest = max((root / path).lstat().st_mtime for path in files)
    return datetime.fromtimestamp(newest, UTC).strftime("%Y%m%d%H%M%S")


def released_version(changelog: str) -> str:
    """Read the version at the top of a Debian changelog."""
    match = re.match(r"\S+ \(([^)]+)\)", changelog)
    if match is None:
        raise ImageError("debian/changelog does not begin with a version")
    return match.group(1)


def snapshot(programs: Programs, root: Path, parts: tuple[str, ...] = PACKAGED) -> Snapshot:
    """Look at parts of the tree as they are now; files that are not committed count too."""
    if not (root / ".git").exists():
        raise ImageError(f"{root} is no git clone: the versions come from its commits")
    files = tracked(programs, root, parts)
    digest = digest_of(root, files)
    git: list[str | Path] = ["git", "-C", root]
    env = {"TZ": "UTC0"}
    form = ["--format=%ct %cd %h", "--abbrev=7", "--date=format-local:%Y%m%d%H%M%S"]
    epoch, when, commit = programs.read([*git, "log", "-1", *form], env=env).split()
    found = programs.read([*git, "status", "--porcelain", "--", *parts]).strip()
    released = released_version((root / "debian/changelog").read_text(encoding="utf-8"))
    changed = f"{_newest(root, files)}.{digest}" if found else ""
    version = version_of(released, commit, when, changed)
    return Snapshot(root, files, version, int(epoch), digest)


def export(tree: Snapshot, destination: Path) -> None:
    """Copy the files to a new folder."""
    for path in tree.files:
        target = destination / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tree.root / path, target, follow_symlinks=False)
