"""A file's data and the line of each key and entry in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pextra_installer.problems import AnswersError, Path, Problem


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data, and lines from 1 by path; the whole file's path is ``()``."""

    data: object
    lines: Mapping[Path, int]

    def line_of(self, path: Path) -> int | None:
        """The line of a path, or of the nearest thing around it."""
        for length in range(len(path), -1, -1):
            line = self.lines.get(path[:length])
            if line is not None:
                return line
        return None


def unreadable(source: str, message: str, line: int | None, hint: str | None) -> AnswersError:
    """The error of a file that is not in its format."""
    return AnswersError([Problem((), message, hint, line)], source)
