"""The one error that the lab raises on purpose."""

from __future__ import annotations


class LabError(Exception):
    """Something that a user can act on.

    Args:
        message: What was asked and what is there, without a trailing full stop.
        hint: What to do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}. {hint}" if hint else message)
