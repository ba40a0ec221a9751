# SPDX-License-Identifier: Apache-2.0
"""Key files: read within bounds, written whole or not at all, never over something."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

from pextra.licensing.errors import LicenseError

MAX_SIZE = 64 * 1024


def read_small(path: Path) -> bytes:
    """The contents of a regular file of at most 64 KiB.

    Raises:
        OSError: It cannot be read, is a directory or another special file, or is larger.
    """
    # Non-blocking, so that a named pipe in a directory of keys does not hang the run.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_SIZE + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_SIZE:
        raise OSError(errno.EFBIG, f"Larger than {MAX_SIZE} bytes", str(path))
    return data


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Make a file with exactly this mode; a crash leaves either all of it or nothing by its name.

    Raises:
        LicenseError: Something has that name already; it is left as it is.
        OSError: It cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.link(draft, path)
    except FileExistsError:
        raise LicenseError(
            f"{path} is there already and is not overwritten",
            hint="Choose another name, or move the old file away first",
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
