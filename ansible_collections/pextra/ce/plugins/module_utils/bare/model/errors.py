# Copied from pextra/model/errors.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""Every error that the platform raises on purpose.

Back ends raise; only a face turns an error into a failed task, an HTTP status or an exit status.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

_SPACE = "Free space on the file system where that is, and run it again"
_USUAL = (
    ("No space left on device", _SPACE),
    ("Disk quota exceeded", _SPACE),
    ("Read-only file system", "Make that file system writable, and run it again"),
)
_FORBIDDEN = ("Permission denied", "Operation not permitted")


def usual_hint(message: str) -> str | None:
    """What to do about what the system says, in whatever program's message; see errno(3)."""
    if any(words in message for words in _FORBIDDEN) and os.geteuid() != 0:
        return "Run it as root (become: true)"
    return next((hint for words, hint in _USUAL if words in message), None)


class PextraError(Exception):
    """An error that a user can act on.

    Args:
        message: What was asked and what is there, without a trailing full stop.
        resource: The kind and name it is about, such as ``volume "data"``.
        hint: What to do about it.
    """

    code = "error"

    def __init__(
        self, message: str, *, resource: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.resource = resource
        self.hint = usual_hint(message) if hint is None else hint

    def __str__(self) -> str:
        text = f"{self.resource}: {self.message}" if self.resource else self.message
        return f"{text}. {self.hint}" if self.hint else text

    def as_dict(self) -> dict[str, str | None]:
        """The error as a task returns it in ``errors``."""
        return {
            "code": self.code,
            "resource": self.resource,
            "message": self.message,
            "hint": self.hint,
        }


class InputError(PextraError):
    """An option or manifest entry is not acceptable by itself."""

    code = "invalid_input"


class NotFoundError(PextraError):
    """Something that was referred to does not exist."""

    code = "not_found"


class ConflictError(PextraError):
    """What was asked contradicts what is there."""

    code = "conflict"


class MissingError(ConflictError):
    """Data that the store promises is not on the host."""


class ForeignError(ConflictError):
    """The name belongs to something on the host that is not ours."""

    code = "foreign"


class RestartRequiredError(ConflictError):
    """A change needs a restart that was not allowed."""

    code = "restart_required"


class StoreError(PextraError):
    """The database cannot be reached or used."""

    code = "store"


class SecretError(PextraError):
    """A secret cannot be encrypted or read: a key is missing here, or does not fit."""

    code = "secret"


class HostError(PextraError):
    """The hypervisor, the network or a disk refused."""

    code = "host"


class UnsupportedError(HostError):
    """This host lacks what the request needs."""

    code = "unsupported"


class VerificationError(PextraError):
    """After applying, reading back still shows a difference."""

    code = "verification"


class CancelledError(PextraError):
    """Somebody asked the run to stop, and it stopped between two steps."""

    code = "cancelled"


class AggregateError(PextraError):
    """Several errors as one: all resources of a plan that are unacceptable, or that failed."""

    code = "plan"

    def __init__(self, errors: Sequence[PextraError], outcome: str = "nothing was changed") -> None:
        self.errors = tuple(errors)
        count = len(self.errors)
        lines = "; ".join(str(error) for error in self.errors[:20])
        more = f"; and {count - 20} more" if count > 20 else ""
        text = lines if count == 1 else f"{count} errors, {outcome}: {lines}{more}"
        super().__init__(text)


def one_or_all(errors: Sequence[PextraError], outcome: str = "nothing was changed") -> PextraError:
    """The only error, or all of them as one."""
    return errors[0] if len(errors) == 1 else AggregateError(errors, outcome)


class IncompleteError(PextraError):
    """Some of what was asked was done, and some failed.

    Args:
        errors: What failed.
        results: What is returned all the same.
    """

    code = "host"

    def __init__(self, errors: Sequence[PextraError], results: Mapping[str, Any]) -> None:
        self.errors = tuple(errors)
        self.results = dict(results)
        super().__init__("; ".join(str(error) for error in self.errors))


def each(error: PextraError) -> tuple[PextraError, ...]:
    """The errors that an error is made of: itself, or those that it lists."""
    return error.errors if isinstance(error, (AggregateError, IncompleteError)) else (error,)
