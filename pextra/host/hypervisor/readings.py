# SPDX-License-Identifier: Apache-2.0
"""What definitions came to when they were read last, by what their text was.

libvirt gives a definition as text; reading it takes ten times as long as telling that the text is
the one of last time. What was read is kept in a file under the text's digest: one that has changed
in anything has another digest, and is read. What this engine's code would read otherwise than the
code that made the file counts for nothing; neither does a file that cannot be used.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Collection
from typing import Any

from pextra.host.hypervisor import domain_xml
from pextra.host.hypervisor.domain import Disk, Domain, Nic, Rng, Tpm, UsbDevice
from pextra.host.network.policy import PortPolicy
from pextra.host.pools.backend import Remote

WORTH = 32
"""Definitions from which on a file of all of a node's is worth being read."""
_TYPES = {
    item.__name__: item for item in (Domain, Disk, Nic, Tpm, Rng, UsbDevice, PortPolicy, Remote)
}
_HOST = os.path.dirname(os.path.dirname(__file__))
_CODE = ("hypervisor", "network", "pools")
"""Folders of the code that reads definitions."""


class Readings:
    """Definitions that were read, in a file.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._code = _code()
        self._known = self._load()
        self._used: set[str] = set()
        self._new = False

    def read(self, text: str, *, buses: bool) -> Domain:
        """What a definition says; see ``domain_xml.parse``."""
        digest = hashlib.sha256(f"{buses} {text}".encode()).hexdigest()
        domain = self._known.get(digest)
        if domain is None:
            domain = self._known[digest] = domain_xml.parse(text, buses=buses)
            self._new = True
        self._used.add(digest)
        return domain

    def keep(self, looked: Collection[str], there: Collection[str]) -> None:
        """Write what was read anew.

        Args:
            looked: UUIDs of the domains of which everything has been read.
            there: UUIDs of all domains; what was read of others is forgotten.
        """
        if not self._new:
            return
        self._known = {
            digest: domain
            for digest, domain in self._known.items()
            if digest in self._used or (domain.uuid in there and domain.uuid not in looked)
        }
        text = json.dumps({"code": self._code, "domains": self._known}, default=_fields)
        # It saves time, and is not worth an error.
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(self._path), mode=0o711, exist_ok=True)
            with open(f"{self._path}.new", "a", opener=_private, encoding="ascii") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                file.truncate(0)
                file.write(text)
                file.flush()
                os.replace(file.name, self._path)

    def _load(self) -> dict[str, Domain]:
        try:
            with open(self._path, encoding="ascii") as file:
                found = json.load(file, object_hook=_made)
            return dict(found["domains"]) if found["code"] == self._code else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _code() -> list[list[int | str]]:
    """The files whose code reads definitions, as they are now."""
    return [
        [item.name, item.stat().st_ino, item.stat().st_mtime_ns]
        for folder in _CODE
        for item in sorted(os.scandir(f"{_HOST}/{folder}"), key=lambda item: item.name)
        if item.name.endswith(".py")
    ]


def _fields(item: Any) -> dict[str, Any]:
    """A value of one of the types as JSON can have it: its type's name, and its fields in order."""
    return {type(item).__name__: [getattr(item, name) for name in item.__slots__]}


def _made(found: dict[str, Any]) -> Any:
    """The value again; its lists were tuples."""
    for name, values in found.items():
        kind = _TYPES.get(name)
        return found if kind is None else kind(*_tupled(values))
    return found


def _tupled(items: list[Any]) -> tuple[Any, ...]:
    return tuple(_tupled(item) if type(item) is list else item for item in items)
