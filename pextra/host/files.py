# SPDX-License-Identifier: Apache-2.0
"""Files of a system whose root is any directory: compared, and made whole or not at all."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass

from pextra.model import errors

ABOVE = 0o755
"""Permissions of a directory that is made because something is to be below it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file with its text, a symbolic link with its target, or a directory; all are root's.

    Attributes:
        path: As the system itself has it, absolute.
        mode: Permissions; those of a link are not compared.
    """

    path: str
    mode: int
    text: str | None = None
    link: str | None = None

    @property
    def shown(self) -> str:
        """What a difference shows of it."""
        if self.link is not None:
            return f"link to {self.link}\n"
        return self.text if self.text is not None else f"mode {self.mode:04o}\n"


def missing(root: str, entries: Iterable[Entry]) -> list[Entry]:
    """What is not as it is to be, below a root directory; "" is this system's own."""
    return [one for one in entries if _differs(root + one.path, one)]


def _differs(path: str, entry: Entry) -> bool:
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    if entry.link is not None:
        return not stat.S_ISLNK(found.st_mode) or os.readlink(path) != entry.link
    kind = stat.S_ISDIR if entry.text is None else stat.S_ISREG
    if not kind(found.st_mode) or stat.S_IMODE(found.st_mode) != entry.mode:
        return True
    if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
        return True
    return entry.text is not None and read(path) != entry.text


def read(path: str) -> str | None:
    """The text of a file, None where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def shown(path: str) -> str:
    """What a difference shows of what is there now; nothing of a directory."""
    if os.path.islink(path):
        return f"link to {os.readlink(path)}\n"
    return read(path) or ""


def make(root: str, entry: Entry) -> None:
    """Make it as it is to be, and the directories above it where there are none.

    Raises:
        HostError: Something else is in its place, it cannot be written, or a link leads out of
            the root directory.
    """
    path = root + entry.path
    try:
        _make_above(root, os.path.dirname(path))
        if entry.link is not None:
            _replaced(path)
            os.symlink(entry.link, f"{path}.new")
            os.replace(f"{path}.new", path)
            return
        if entry.text is None:
            os.makedirs(path, exist_ok=True)
        else:
            _replaced(path)
            descriptor = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(entry.text)
                file.flush()
                os.fchown(descriptor, os.geteuid(), os.getegid())
                os.fchmod(descriptor, entry.mode)
                os.fsync(descriptor)
            os.replace(f"{path}.new", path)
            return
        os.chown(path, os.geteuid(), os.getegid())
        os.chmod(path, entry.mode)
    except OSError as error:
        raise errors.HostError(f"{path} cannot be made: {error}") from None


def _replaced(path: str) -> None:
    """Remove what a run that was killed has left beside a path."""
    if os.path.lexists(f"{path}.new"):
        os.unlink(f"{path}.new")


def _stay(root: str, directory: str) -> None:
    """Refuse a directory that links lead out of the root directory."""
    inside, found = os.path.realpath(root or "/"), os.path.realpath(directory)
    if os.path.commonpath((inside, found)) != inside:
        raise OSError(f"{directory} leads to {found}, out of {inside}")


def _make_above(root: str, directory: str) -> None:
    _stay(root, directory)
    lacking = []
    while not os.path.lexists(directory):
        lacking.append(directory)
        directory = os.path.dirname(directory)
    for one in reversed(lacking):
        os.mkdir(one)
        os.chmod(one, ABOVE)


def surplus(root: str, patterns: Iterable[str], wanted: Iterable[Entry]) -> list[str]:
    """What patterns of paths fit and is not wanted, without the root directory."""
    kept = {entry.path for entry in wanted}
    found = {
        path.removeprefix(root)
        for pattern in patterns
        for path in glob.iglob(glob.escape(root) + pattern)
    }
    return sorted(found - kept)


def remove(root: str, path: str) -> None:
    """Remove a file or a link.

    Raises:
        HostError: It cannot be removed, or a link leads out of the root directory.
    """
    try:
        _stay(root, os.path.dirname(root + path))
        os.unlink(root + path)
    except OSError as error:
        raise errors.HostError(f"{root + path} cannot be removed: {error}") from None
