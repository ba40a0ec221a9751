# SPDX-License-Identifier: Apache-2.0
"""Who acts on this machine when nobody else is named: the Linux user behind the process."""

from __future__ import annotations

import getpass
import os
import socket

from pextra.model.principal import Principal


def local(door: str) -> Principal:
    """The Linux user who called, also through sudo.

    Args:
        door: What the user came through, such as ``cli``.
    """
    return Principal(os.environ.get("SUDO_USER") or getpass.getuser(), socket.gethostname(), door)
