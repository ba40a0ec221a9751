"""Files that are there wholly or not at all, and of which it is known whether they are sound.

A package whose contents were verified has ``MARK`` as its time of modification. Whatever writes to
it, or puts another file in its place, changes that; so a look at size and time tells what has to
be hashed again, and a mirror of any size is looked through in a moment.

Needs Python 3.9 and nothing else, because it is carried to sites with the import.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from pextra_mirror import interrupt
from pextra_mirror.errors import Damaged

MARK = 1_000_000_000
"""The time of modification of a file whose contents were verified; the year is 2001."""
CHUNK = 2**20
_FEW = 500
"""Files that are synced one by one: the whole file system may wait for others' writes."""
_AT_ONCE = 4
"""Threads that wait for the disk; for fewer files than eight of them each, there are none."""
LOST = (errno.ENOENT, errno.EIO, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG)
"""What the system says of a file that is not there, or cannot be read by anybody."""
_TEMPORARY = re.compile(r"\..*\.[0-9]+\.new")


def sound(name: Path | str, size: int, digest: str) -> bool:
    """Whether a package is there as it should be; hashed only where its time says nothing."""
    try:
        found = os.lstat(name)
    except OSError:
        return False
    if not stat.S_ISREG(found.st_mode) or found.st_size != size:
        return False
    if found.st_mtime_ns != MARK * 10**9:
        if digest_of(Path(name), digest) != digest:
            return False
        vouch(Path(name))
    if not found.st_mode & stat.S_IROTH:
        with contextlib.suppress(OSError):
            os.chmod(name, 0o644)
    return True


def vouch(path: Path | str) -> None:
    """Note that the contents of a file were verified; who may not, or cannot, does not."""
    with contextlib.suppress(OSError):
        os.utime(path, (MARK, MARK))


def distrust(path: Path) -> None:
    """Have a file hashed again by whoever wants it next."""
    os.utime(path)


class Digest(Protocol):
    """What makes a digest."""

    def update(self, data: bytes, /) -> None:
        """Take more in."""

    def hexdigest(self) -> str:
        """The digest of all that was taken in."""


def hasher(like: str) -> Digest:
    """What makes a digest, SHA-512 or SHA-256 as another is."""
    return hashlib.sha512() if len(like) == 128 else hashlib.sha256()


def digest_of(path: Path, like: str) -> str:
    """The digest of a file, SHA-512 or SHA-256 as another is; empty if it cannot be read."""
    digest = hasher(like)
    try:
        # Whoever opens a pipe waits for one who writes to it.
        if not stat.S_ISREG(path.stat().st_mode):
            return ""
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError as error:
        if error.errno not in LOST:
            raise
        return ""
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file; empty if it cannot be read."""
    return digest_of(path, "")


def temporary(path: Path | str) -> Path:
    """Where a file is written before it gets its name; what a killed process left is swept."""
    folder, name = os.path.split(path)
    return Path(folder, f".{name[:60]}.{os.getpid()}.new")


def leftovers(folder: Path) -> Iterator[Path]:
    """Files below a folder that processes left which were killed."""
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            if _TEMPORARY.fullmatch(name):
                yield Path(place, name)


def remove(path: Path | str) -> None:
    """Remove a file, a link or a folder, if it is there."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except (IsADirectoryError, PermissionError):
        if not os.path.isdir(path):
            raise
        shutil.rmtree(path)


def put(new: Path | str, path: Path | str) -> None:
    """Give a file in a folder of ours its name, also where a folder has it."""
    try:
        os.replace(new, path)
    except IsADirectoryError:
        shutil.rmtree(path)
        os.replace(new, path)


def move(source: Path | str, target: Path | str) -> None:
    """Have a file elsewhere, which may be another file system."""
    try:
        put(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        link(source, target)
        os.unlink(source)


def link(source: Path | str, target: Path | str) -> None:
    """Have a file under another name too, or copied where the file system has no links."""
    try:
        with contextlib.suppress(FileExistsError):
            os.link(source, target)
            return
        new = temporary(target)
        new.unlink(missing_ok=True)
        os.link(source, new)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP):
            raise
        copy(source, target)
        if os.stat(source).st_mtime_ns == MARK * 10**9:
            vouch(target)
        return
    put(new, target)
    new.unlink(missing_ok=True)  # both were the same file already: nothing was renamed


def copy(source: Path | str, target: Path | str) -> None:
    """Have a copy of a file, which damage to the other does not reach."""
    new = temporary(target)
    shutil.copyfile(source, new)
    new.chmod(0o644)
    put(new, target)


def write(path: Path, data: bytes, *, ours: bool = False) -> None:
    """Write a file that is there wholly or not at all.

    Args:
        path: The file.
        data: Its contents.
        ours: It is in a folder of ours: what else has its name goes.
    """
    new = temporary(path)
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.chmod(0o644)
    try:
        (put if ours else os.replace)(new, path)
    except OSError:
        new.unlink()
        raise


def replace_link(path: Path, target: str) -> None:
    """Have a symbolic link lead elsewhere, from one moment to the next."""
    new = temporary(path)
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    put(new, path)
    sync_directory(path.parent)


def folder(path: Path, top: Path) -> None:
    """Make a folder below another; the commands see to it that all can read it.

    A file that has its name is nothing of ours, and goes.

    Raises:
        Damaged: A link that leads nowhere has its name, as where a disk is not mounted.
    """
    try:
        os.mkdir(path, 0o755)
    except FileExistsError:
        if path.is_symlink() and not path.exists():
            raise Damaged(
                f"{path} is a symbolic link to {os.readlink(path)}, where nothing is",
                "Mount the disk that it leads to, or remove the link, and run it again",
            ) from None
        if not path.is_dir():
            if path == top:
                raise
            path.unlink()
            os.mkdir(path, 0o755)
    except (FileNotFoundError, NotADirectoryError):
        if path == top:
            raise
        folder(path.parent, top)
        folder(path, top)


def each(work: Callable[[str], object], paths: Collection[str]) -> None:
    """Do something with each of some files, with several at once.

    The file system makes one wait of many that begin together, and has many for one after the
    other: that takes ten times as long on a busy disk.
    """
    if len(paths) < 8 * _AT_ONCE:
        for path in paths:
            work(path)
        return
    with interrupt.threads(_AT_ONCE) as pool:
        for _done in pool.map(work, paths):
            pass


def sync_directory(path: Path | str) -> None:
    """Have the names in a directory, or the contents of a file, survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_files(paths: Sequence[str], path: Path) -> None:
    """Have files survive a loss of power: each, or where there are many, all of the file system.

    Args:
        paths: The files.
        path: A folder of the file system that they are on.

    Raises:
        OSError: They cannot be written.
    """
    if len(paths) <= _FEW:
        # All are on their way to the disk before one is waited for: that halves the time.
        for item in paths:
            descriptor = os.open(item, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
        each(sync_directory, paths)
        return
    done = subprocess.run(["sync", "--file-system", path], capture_output=True, check=False)
    if done.returncode:
        raise OSError(errno.EIO, done.stderr.decode(errors="replace").strip(), str(path))
