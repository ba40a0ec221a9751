"""What is known of each source's last sync: one small file each, written whole or not at all."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pextra_mirror.files import LOST, write
from pextra_mirror.files import folder as make_folder
from pextra_mirror.listing import BROKEN


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
            check(complete)
        return Record(
            str(values["state"]), str(values["attempt"]), str(values["error"]), complete
        )  # fmt: skip
    except FileNotFoundError:
        return Record()
    except (*BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno not in LOST:
            raise
        return Record(error=f"the record of its last sync cannot be read ({error!r})")


def check(found: Sync) -> None:
    """Refuse what is of another form than what ``save`` wrote.

    Raises:
        ValueError: It is.
    """
    for moment in (found.time, found.date):
        if datetime.fromisoformat(moment).tzinfo is None:
            raise ValueError(f"{moment} has no time zone")
    texts = (found.snapshots, found.fields)
    if not all(isinstance(text, str) for item in texts for text in item.values()):
        raise ValueError("it has something else where texts belong")
    if not all(isinstance(count, int) for count in found.counts.values()):
        raise ValueError("it has something else where numbers belong")


def save(folder: Path, source: str, record: Record) -> None:
    """Write the record of a source."""
    make_folder(folder, folder.parent)
    text = json.dumps(dataclasses.asdict(record), indent=1)
    write(path(folder, source), text.encode(), ours=True)
