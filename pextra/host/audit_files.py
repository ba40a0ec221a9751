# SPDX-License-Identifier: Apache-2.0
"""What a node keeps of audit logs outside the store: its key, and how far it has seen all chains.

Both are root's alone: who can change the store cannot change them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from typing import Any

from pextra.model.errors import HostError

_KEY, _SEEN, _LOCK, _PRUNED = "key.pem", "checkpoint.json", "lock", "pruned"
_DAY = 86400
_MODE = 0o600


class AuditFiles:
    """The files of a node.

    Args:
        directory: Where they are; it is made when something is to be written.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def key(self) -> bytes | None:
        """The node's private key in PEM; None where it has none yet.

        Raises:
            HostError: Others could read or change it.
        """
        return self._read(_KEY)

    def keep_key(self, pem: bytes) -> bytes:
        """Keep a new private key, unless there is one by now; the one that is kept.

        Raises:
            HostError: It cannot be written.
        """
        self._write(_KEY, pem, over=False)
        kept = self._read(_KEY)
        if kept is None:
            raise HostError(f"{self._path(_KEY)} is gone again as soon as it is written")
        return kept

    def seen(self) -> dict[str, Any] | None:
        """The last checkpoint that this node signed; None where there is none.

        Raises:
            HostError: It cannot be read.
        """
        text = self._read(_SEEN)
        try:
            found: dict[str, Any] | None = json.loads(text) if text is not None else None
        except ValueError as error:
            raise HostError(
                f"{self._path(_SEEN)} is damaged: {error}",
                hint="Compare the audit log with a checkpoint from the journal (pextra audit verify"
                " --checkpoint), then remove the file",
            ) from None
        return found

    def age(self) -> float | None:
        """Seconds since the last checkpoint was signed; None where there is none."""
        return self._age(_SEEN)

    def keep_seen(self, record: dict[str, Any]) -> None:
        """Keep a checkpoint in place of the last one.

        Raises:
            HostError: It cannot be written.
        """
        self._write(_SEEN, json.dumps(record).encode(), over=True)

    def pruned_lately(self) -> bool:
        """Whether this node pruned by age, or tried to, within a day."""
        age = self._age(_PRUNED)
        return age is not None and 0 <= age < _DAY

    def note_pruning(self) -> None:
        """Note that this node prunes by age now.

        Raises:
            HostError: It cannot be written.
        """
        self._write(_PRUNED, b"", over=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the lock of those who seal on this node; whether it could be had at once.

        Raises:
            HostError: The lock cannot be opened.
        """
        try:
            self._make_directory()
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self._path(_LOCK), flags, _MODE)
        except OSError as error:
            raise HostError(str(error)) from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def _age(self, name: str) -> float | None:
        """Seconds since a file was written; None where there is none."""
        try:
            return time.time() - os.stat(self._path(name), follow_symlinks=False).st_mtime
        except OSError:
            return None

    def _path(self, name: str) -> str:
        return f"{self.directory}/{name}"

    def _make_directory(self) -> None:
        os.makedirs(os.path.dirname(self.directory), exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(self.directory, 0o700)
        found = os.lstat(self.directory)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise OSError(f"{self.directory} is not a directory of this user")

    def _read(self, name: str) -> bytes | None:
        path = self._path(name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise HostError(f"{path} cannot be read: {error}") from None
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            others = found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or others:
                raise HostError(
                    f"{path} is not this user's alone",
                    hint=f"Find out who changed it; then: chown root {path}; chmod 600 {path}",
                )
            return file.read()

    def _write(self, name: str, data: bytes, *, over: bool) -> None:
        """Write a file whole or not at all."""
        path, draft = self._path(name), self._path(f".{name}.{os.urandom(8).hex()}")
        try:
            self._make_directory()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with open(os.open(draft, flags, _MODE), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if over:
                os.replace(draft, path)
            else:
                with contextlib.suppress(FileExistsError):
                    os.link(draft, path)
        except OSError as error:
            raise HostError(f"{path} cannot be written: {error}") from None
        finally:
            with contextlib.suppress(OSError):
                os.remove(draft)
