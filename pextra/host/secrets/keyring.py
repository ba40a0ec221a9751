# SPDX-License-Identifier: Apache-2.0
"""The keys of the cluster that this node has: a file each, that root alone can read.

A file is called by the key's id, and holds 64 hexadecimal digits. It is never written again: keys
that other nodes made lie beside each other.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from typing import Any

from pextra.host.secrets import cipher
from pextra.host.secrets.cipher import Key
from pextra.model.encrypted import KEY_ID, Encrypted, Path, Place, places, replaced, token_of
from pextra.model.errors import SecretError
from pextra.model.fields import Row
from pextra.model.values import Value

_SUFFIX = ".key"
_UNFINISHED = ".unfinished"
COPY = (
    "Copy the cluster's keys from a node that has them: run the playbook pextra.ce.site for all"
    " nodes. pextra secrets status tells which are missing"
)


class Keyring:
    """The keys that a node has.

    Args:
        directory: Where they are.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._keys: dict[str, Key] = {}

    def ids(self) -> tuple[str, ...]:
        """The ids of the keys that are here, by version.

        Raises:
            SecretError: The directory is not root's alone, or cannot be read.
        """
        with self._opened() as directory:
            names = os.listdir(directory) if directory is not None else []
        found = [name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)]
        return tuple(sorted(filter(KEY_ID.fullmatch, found), key=_version))

    def get(self, id: str) -> Key:
        """A key by its id.

        Raises:
            SecretError: It is not here, or its file is not root's alone, or damaged.
        """
        if id not in self._keys:
            with self._opened() as directory:
                self._keys[id] = self._read(id, directory)
        return self._keys[id]

    def has(self, id: str) -> bool:
        """Whether a key is here, and can be used."""
        try:
            self.get(id)
        except SecretError:
            return False
        return True

    def make(self, version: int) -> Key:
        """A key of a version: one that is here already, which a run that was killed made, or a new.

        Raises:
            SecretError: It cannot be written, or the directory is not root's alone.
        """
        try:
            os.makedirs(os.path.dirname(self.directory), mode=0o711, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.mkdir(self.directory, mode=0o700)
            with self._opened() as directory:
                assert directory is not None  # noqa: S101 - it was just made
                fcntl.flock(directory, fcntl.LOCK_EX)
                for id in self.ids():
                    if _version(id) == version:
                        return self.get(id)
                return self._write(version, directory)
        except OSError as error:
            raise self._refused(str(error.strerror)) from None

    def open(self, place: Place, value: Value) -> Any:
        """A value of the store, decrypted if it is encrypted.

        Raises:
            SecretError: Its key is not here, or it does not open.
        """
        if type(value) is not Encrypted:
            return value
        return cipher.open_(self._key_of(place, value), place, value)

    def opened(self, kind: str, row: Row, where: Iterable[Path]) -> dict[str, Any]:
        """A row with what is encrypted at these places decrypted.

        Raises:
            SecretError: A key is not here, or something does not open.
        """
        found = dict(row)
        for place, value in places(kind, row, where):
            if type(value) is Encrypted:
                found = replaced(found, place.path, self.open(place, value))
        return found

    def same(self, place: Place, value: Encrypted, given: Value) -> bool:
        """Whether a value of the store is the one that was given; no, where its key is not here."""
        token = token_of(value)
        if token is None or not self.has(token.key):
            return False
        return secrets.compare_digest(cipher.mark_of(self.get(token.key), place, given), token.mark)

    def _key_of(self, place: Place, value: Encrypted) -> Key:
        token = token_of(value)
        id = token.key if token is not None else "?"
        try:
            return self.get(id)
        except SecretError as error:
            raise SecretError(
                f"its {place.field} cannot be read: it is encrypted with the key {id}."
                f" {error.message}",
                resource=place.resource,
                hint=error.hint,
            ) from None

    def _refused(self, why: str) -> SecretError:
        hint = "Run it as root (become: true)" if os.geteuid() != 0 else None
        return SecretError(f"the keys in {self.directory} cannot be used: {why}", hint=hint)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int | None]:
        """The directory; None where there is none."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            directory = os.open(self.directory, flags)
        except FileNotFoundError:
            yield None
            return
        except OSError as error:
            why = "it is no directory, or a link" if error.errno in (20, 40) else error.strerror
            raise self._refused(str(why)) from None
        try:
            wrong = _not_ours(os.fstat(directory))
            if wrong:
                raise SecretError(
                    f"the keys in {self.directory} are not used: the directory {wrong}",
                    hint=f"See who had access, then: chown root: {self.directory};"
                    f" chmod 0700 {self.directory}",
                )
            yield directory
        finally:
            os.close(directory)

    def _read(self, id: str, directory: int | None) -> Key:
        path = f"{self.directory}/{id}{_SUFFIX}"
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            if directory is None or not KEY_ID.fullmatch(id):
                raise FileNotFoundError
            with open(os.open(f"{id}{_SUFFIX}", flags, dir_fd=directory), "rb") as file:
                status = os.fstat(file.fileno())
                wrong = "is no file" if not stat.S_ISREG(status.st_mode) else _not_ours(status)
                if wrong:
                    raise SecretError(
                        f"the key {path} is not used: it {wrong}",
                        hint=f"See who had access, then: chown root: {path}; chmod 0600 {path}",
                    )
                text = file.read(2 * cipher.SIZE + 2)
        except FileNotFoundError:
            raise SecretError(f"This node has no key {id} in {self.directory}", hint=COPY) from None
        except OSError as error:
            why = "it is a link" if error.errno == 40 else error.strerror
            raise self._refused(f"{id}{_SUFFIX}: {why}") from None
        with contextlib.suppress(ValueError):
            secret = bytes.fromhex(text.decode("ascii"))
            if len(secret) == cipher.SIZE and cipher.id_of(_version(id), secret) == id:
                return Key(id, secret)
        raise SecretError(f"the key {path} is damaged", hint=COPY)

    def _write(self, version: int, directory: int) -> Key:
        """A new key's file, whole or not at all, and in no other's place."""
        secret = secrets.token_bytes(cipher.SIZE)
        key = Key(cipher.id_of(version, secret), secret)
        name, flags = f"{key.id}{_SUFFIX}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        draft = f"{name}{_UNFINISHED}"
        with open(os.open(draft, flags, 0o600, dir_fd=directory), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(f"{secret.hex()}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, name, src_dir_fd=directory, dst_dir_fd=directory)
        os.unlink(draft, dir_fd=directory)
        os.fsync(directory)
        return key


def _version(id: str) -> int:
    return int(id.partition("-")[0])


def _not_ours(status: os.stat_result) -> str | None:
    """What is wrong with the owner or the permissions of a file or directory; None if nothing."""
    if status.st_uid != os.geteuid():
        return f"belongs to the user {status.st_uid}"
    if status.st_mode & 0o077:
        return f"is open to others (mode {stat.S_IMODE(status.st_mode):04o})"
    return None
