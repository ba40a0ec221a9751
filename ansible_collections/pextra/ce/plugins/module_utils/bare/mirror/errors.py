# Copied from mirror/pextra_mirror/errors.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""Every error that is raised on purpose, and the exit code that it ends the command with."""

from __future__ import annotations

import errno


def plain(text: str) -> str:
    """A text of others' words as a terminal, a log and a file take it: none of it has effects."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class MirrorError(Exception):
    """An error that a user can act on.

    Args:
        message: What was asked and what is there, without a trailing full stop.
        hint: What to do about it.
        resource: The kind and name that it is about, such as ``mirror "common"``.
        brief: The message without what a reader of the command knows; the same by default.
    """

    exit_code = 1
    code = "error"

    def __init__(
        self, message: str, hint: str = "", *, resource: str = "", brief: str = ""
    ) -> None:
        super().__init__(message)
        self.message = plain(message)
        self.hint = plain(hint)
        self.resource = resource
        self.brief = plain(brief) or self.message

    def __str__(self) -> str:
        text = f"{self.resource}: {self.message}" if self.resource else self.message
        return f"{text}. {self.hint}" if self.hint else text


class ConfigError(MirrorError):
    """The configuration or the command line is not acceptable."""

    exit_code = 2
    code = "configuration"


class SourceRefused(MirrorError):
    """A source is signed by somebody else, expired, older than before, or lacks what is wanted."""

    exit_code = 3
    code = "source_refused"


class TransferError(MirrorError):
    """A source could not be reached, or broke off."""

    exit_code = 4
    code = "transfer"


class DiskFull(MirrorError):
    """There is not enough room for what would be written."""

    exit_code = 5
    code = "disk_full"


class Busy(MirrorError):
    """Another process works on this mirror."""

    exit_code = 6
    code = "busy"


class BundleRefused(MirrorError):
    """A bundle cannot be written, or is refused on import; what is served has not changed."""

    exit_code = 7
    code = "bundle_refused"


class Damaged(MirrorError):
    """What is published is not what was published."""

    exit_code = 8
    code = "damaged"


class AptlyFailed(MirrorError):
    """aptly, gpg or apt failed for a reason that is none of the above."""

    exit_code = 9
    code = "program_failed"


class NotInstalled(AptlyFailed):
    """A program is not there."""


class Missing(MirrorError):
    """What was asked for is new, and something that it needs is not given."""

    code = "invalid_input"


class Contradiction(MirrorError):
    """What was asked for contradicts what aptly has."""

    code = "conflict"


class NotReady(MirrorError):
    """The mirror is not in the state that is needed: never synced, or the last sync failed."""

    exit_code = 10
    code = "not_ready"


_MISTAKEN = (
    errno.ENOENT, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG,
)  # fmt: skip
"""What the system says of a name that was not meant so."""
_HINTS = {
    errno.EACCES: "Run it as the user that it belongs to",
    errno.EPERM: "Run it as the user that it belongs to",
    errno.EROFS: "Have it on a file system that can be written to",
    errno.EIO: "The disk may be failing",
}


def of_system(error: OSError) -> MirrorError:
    """What the system refused, as an error of ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(str(error), "Make room, and run it again")
    if error.errno in _MISTAKEN:
        return ConfigError(str(error))
    return MirrorError(str(error), _HINTS.get(error.errno or 0, ""))
