"""Rules that several fields keep together."""

from __future__ import annotations

from pydantic import ConfigDict
from pydantic_core import PydanticCustomError

STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)
"""Unknown keys are fatal; no value is repeated in an error unless its own check says it."""


class Findings:
    """What the fields of one value break together, all of it."""

    def __init__(self) -> None:
        self._found: list[tuple[tuple[str | int, ...], str, str | None]] = []

    def add(
        self, message: str, hint: str | None = None, *, key: str | tuple[str | int, ...] = ()
    ) -> None:
        """Note one; ``key`` is the field that it is shown at."""
        self._found.append(((key,) if isinstance(key, str) else key, message, hint))

    def raise_any(self) -> None:
        """Raise what was found as one error, which ``plan`` takes apart again."""
        if self._found:
            raise PydanticCustomError("pextra_rules", "rules", {"found": tuple(self._found)})
