# SPDX-License-Identifier: Apache-2.0
"""Who acts on this machine when nobody else is named: the Linux user behind the process."""

from __future__ import annotations

import getpass
import os
import re
import socket

from pextra.model.principal import Principal

CORRELATION = "PEXTRA_CE_CORRELATION_ID"
"""Variable of the environment with an identifier that several calls have together."""
_WORD = re.compile(r"[\w.:@/+=-]{1,128}", re.ASCII)


def local(door: str) -> Principal:
    """The Linux user who called, also through sudo.

    Args:
        door: What the user came through, such as ``cli``.
    """
    user = os.environ.get("SUDO_USER") or getpass.getuser()
    correlation = os.environ.get(CORRELATION, "")
    if not _WORD.fullmatch(correlation):
        correlation = ""
    return Principal(user, socket.gethostname(), door, correlation_id=correlation)
