# SPDX-License-Identifier: Apache-2.0
"""The hook that libvirt calls when a domain starts, whoever starts it.

It gives the domain's ports what the domain's definition asks for, before the first instruction of
the guest runs. Where that fails, libvirt does not start the domain.
Source: https://libvirt.org/hooks.html.
"""

from __future__ import annotations

import sys

from pextra.host.network import ports
from pextra.model.errors import PextraError


def main() -> int:
    """What libvirt is told: 0, or 1 where the domain must not start."""
    operation = sys.argv[2:4]
    if operation != ["start", "begin"]:
        return 0
    try:
        ports.secure(sys.stdin.read())
    except PextraError as error:
        sys.stderr.write(f"pextra-ce: the ports of {sys.argv[1]} cannot be closed: {error}\n")
        return 1
    return 0
