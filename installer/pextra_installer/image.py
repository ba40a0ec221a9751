"""The system's image on the medium."""

from __future__ import annotations

import pathlib
import re

from pextra_installer.execute.variables import Image
from pextra_installer.problems import InstallerError

PLACES = (
    pathlib.Path("/run/live/medium/live/filesystem.squashfs"),
    pathlib.Path("/run/pextra-medium/live/filesystem.squashfs"),
)
"""Where the medium keeps it, with its SHA-256 in a file of the same name and ``.sha256``."""


def find_image(path: pathlib.Path | None = None) -> Image:
    """The image and the checksum that it must have.

    Raises:
        InstallerError: It is not there, or its checksum is not.
    """
    candidates = (path,) if path is not None else PLACES
    found = next((place for place in candidates if place.is_file()), None)
    if found is None:
        places = " or ".join(str(place) for place in candidates)
        raise InstallerError(f"there is no image at {places}", "Give --image")
    beside = found.with_name(found.name + ".sha256")
    try:
        digest = beside.read_text(encoding="ascii").split()[0].lower()
    except (OSError, UnicodeDecodeError, IndexError):
        raise InstallerError(f"{beside} cannot be read", "It holds the image's SHA-256") from None
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise InstallerError(f"{beside} holds no SHA-256")
    return Image(found, digest)
