"""What is known of each source's last sync: one small file each, written whole or not at all."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pextra_mirror.tree import write


def now() -> str:
    """This moment, as records have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclasses.dataclass(frozen=True, slots=True)
class Sync:
    """A complete state of a source.

    Attributes:
        time: When it was complete.
        date: The Date of its Release.
        release: SHA-256 of its Release.
        wanted: SHA-256 of what was asked for: source and choice of packages.
        snapshots: The snapshot of each component.
        fields: Fields of its Release that are published on.
        indexes: SHA-256 of its indexes of packages, which are in the cache.
    """

    time: str
    date: str
    release: str
    wanted: str
    snapshots: Mapping[str, str]
    fields: Mapping[str, str]
    indexes: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """The last sync of a source that was complete, and the last attempt.

    Attributes:
        state: ``never``, ``running`` (or killed), ``failed`` or ``complete``.
        attempt: When the last attempt began.
        error: Why it failed.
        complete: The last complete state; it stays when a later attempt fails.
    """

    state: str = "never"
    attempt: str = ""
    error: str = ""
    complete: Sync | None = None


def read(folder: Path, source: str) -> Record:
    """The record of a source."""
    try:
        values: dict[str, Any] = json.loads((folder / f"source-{source}.json").read_bytes())
    except FileNotFoundError:
        return Record()
    complete = values.pop("complete")
    if complete is not None:
        complete["indexes"] = tuple(complete["indexes"])
    return Record(**values, complete=complete and Sync(**complete))


def save(folder: Path, source: str, record: Record) -> None:
    """Write the record of a source."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(dataclasses.asdict(record), indent=1)
    write(folder / f"source-{source}.json", text.encode())
