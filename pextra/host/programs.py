# SPDX-License-Identifier: Apache-2.0
"""Where this process finds programs."""

from __future__ import annotations

import os

ADMINISTRATION = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where Debian has the programs of the administrator, such as bridge, tc and runuser."""


def reach() -> None:
    """Have the administrator's programs found, also where PATH is that of a user.

    ``su`` leaves a user's PATH to root unless it is asked for a login.
    """
    path = os.environ.get("PATH") or os.defpath
    there = [item for item in path.split(os.pathsep) if item]
    os.environ["PATH"] = os.pathsep.join(dict.fromkeys([*there, *ADMINISTRATION]))
