"""Short texts that a mirror keeps, each in a file of its own."""

from __future__ import annotations

from pathlib import Path

from pextra_mirror import files


def note(path: Path, text: str) -> None:
    """Write a note, or with an empty text forget it."""
    if text:
        files.write(path, text.encode(errors="replace"), ours=True)
    else:
        files.remove(path)


def noted(path: Path) -> str:
    """What a note says; empty without one."""
    return path.read_text(errors="replace") if path.is_file() else ""
