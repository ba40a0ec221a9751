"""What is wrong with answers, all of it at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

Path = tuple[str | int, ...]
"""Where in the answers: keys, and positions in lists from 0."""


def path_text(path: Path) -> str:
    """A path as people write it, such as ``disk.match[0].size``; positions count from 0."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class ProblemKind(Enum):
    """What a problem is, where a form says it in other words than a file."""

    MISSING = "it is missing"
    TYPE = "something of another type is there"
    OTHER = "anything else"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not acceptable; ``line`` counts from 1, None where there is no file.

    ``kind`` tells those apart that are said in a file's words, and that a form says in its own.
    """

    path: Path
    message: str
    hint: str | None = None
    line: int | None = None
    kind: ProblemKind = ProblemKind.OTHER

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        subject = f"{path_text(self.path)}: " if self.path else ""
        return f"{where}{subject}{self.message}" + (f". {self.hint}" if self.hint else "")


class InstallerError(Exception):
    """An error that a user can act on; ``code`` is what the command then exits with.

    ``place`` is where in the answers it is mended, if it is there.
    """

    code = 1
    place: Path = ()

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class AnswersError(InstallerError):
    """Answers that cannot be used, with every reason."""

    code = 3

    def __init__(self, problems: Iterable[Problem], source: str = "the answers") -> None:
        self.problems: Sequence[Problem] = tuple(problems)
        self.source = source
        count = len(self.problems)
        head = f"{source}: {count} error{'s' if count != 1 else ''}"
        super().__init__("\n".join((head, *(f"  {problem}" for problem in self.problems))))


class DiskChoiceError(InstallerError):
    """No disk, or more than one, is what the answers ask for."""

    code = 4
    place = ("disk", "match")


class HardwareError(InstallerError):
    """The hardware cannot be read, or a recording of it cannot be used."""

    code = 5


class LinkChoiceError(HardwareError):
    """The network interfaces are not what the answers ask for."""

    place = ("network", "interface")


class RequirementsError(HardwareError):
    """The machine has less than a node needs."""

    place = ("ignore_checks",)
