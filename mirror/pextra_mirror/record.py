"""What is known of each source's last sync: one small file each, written whole or not at all."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pextra_mirror.files import write
from pextra_mirror.tree import BROKEN


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
        counts: How many packages each component had.
    """

    time: str
    date: str
    release: str
    wanted: str
    snapshots: Mapping[str, str]
    fields: Mapping[str, str]
    counts: Mapping[str, int] = dataclasses.field(default_factory=dict)


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


def path(folder: Path, source: str) -> Path:
    """Where the record of a source is."""
    return folder / f"source-{source}.json"


def read(folder: Path, source: str) -> Record:
    """The record of a source; a broken one counts as none, and the next sync makes it again."""
    try:
        values: dict[str, Any] = json.loads(path(folder, source).read_bytes())
        complete = values["complete"]
        if complete is not None:
            # Version 0.1 wrote other fields, too.
            known = {field.name for field in dataclasses.fields(Sync)}
            complete = Sync(**{key: item for key, item in complete.items() if key in known})
        return Record(
            str(values["state"]), str(values["attempt"]), str(values["error"]), complete
        )  # fmt: skip
    except FileNotFoundError:
        return Record()
    except BROKEN as error:
        return Record(error=f"the record of its last sync cannot be read ({error!r})")


def save(folder: Path, source: str, record: Record) -> None:
    """Write the record of a source."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(dataclasses.asdict(record), indent=1)
    write(path(folder, source), text.encode())
