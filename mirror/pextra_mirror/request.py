"""What a site asks the mirror for: the files of a publication that are damaged there.

A request is not signed: it only chooses among what the mirror serves anyway. Needs Python 3.9 and
nothing else, because it is carried to sites with the import.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from pextra_mirror import files
from pextra_mirror.errors import ConfigError
from pextra_mirror.listing import BROKEN, Entry

LIMIT = 64 * 2**20
"""Bytes that a request has at most."""


class Request(NamedTuple):
    """What is missing at a site.

    Attributes:
        mirror: The mirror whose publication it serves; empty if even that is lost.
        sequence: The publication.
        digest: That of its list; empty if the list is lost.
        files: Those of it that are damaged.
    """

    mirror: str
    sequence: int
    digest: str
    files: tuple[Entry, ...]

    @property
    def wanted(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.files) or not self.digest

    def write(self, path: Path) -> None:
        """Write it down."""
        text = json.dumps({"repair": 1, **self._asdict()}, indent=1)
        files.write(path, text.encode())

    @classmethod
    def read(cls, path: Path) -> Request:
        """Read it.

        Raises:
            ConfigError: It is none.
        """
        try:
            with path.open("rb") as file:
                fields = json.loads(file.read(LIMIT))
            if fields["repair"] != 1:
                raise ValueError("it is of a newer import")
            return cls(
                str(fields["mirror"]), int(fields["sequence"]), str(fields["digest"]),
                tuple(Entry(str(name), int(size), str(sha)) for name, size, sha in fields["files"]),
            )  # fmt: skip
        except (OSError, *BROKEN) as error:
            raise ConfigError(f"{path} is no request of `repair`: {error!r}"[:500]) from error
