"""The pictures in the documentation: taking them, and telling whether they are up to date."""

from __future__ import annotations

import difflib
import pathlib

from screenshots import picture, tour

FOLDER = pathlib.Path(__file__).parent.parent / "docs/screens"
WHOLE = 0.5
"""Seconds without output after which a screen counts as whole."""


def take(folder: pathlib.Path) -> None:
    """Take all pictures, and remove the ones that there were before and are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, terminal in tour.walk():
        path = folder / f"{name}.png"
        terminal.rest(WHOLE)
        old, new = path.read_bytes() if path.is_file() else b"", picture.png(terminal)
        path.write_bytes(new)
        print(f"{path.name}: {'as before' if new == old else 'new'}, {len(new)} bytes", flush=True)
    for path in folder.glob("*.png"):
        if path.stem not in tour.PICTURES:
            path.unlink()


def differences(folder: pathlib.Path = FOLDER) -> list[str]:
    """Where the wizard shows another text than the pictures, as lines; none if nowhere."""
    found: list[str] = []
    for name, terminal in tour.walk():
        kept = picture.text_of(folder / f"{name}.png")
        if not terminal.comes_to_show(kept):
            found += difflib.unified_diff(
                kept.splitlines(), terminal.text.splitlines(), f"{name}.png", "wizard", lineterm=""
            )
    return found
