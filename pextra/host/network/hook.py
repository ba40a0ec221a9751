# SPDX-License-Identifier: Apache-2.0
"""The hook that libvirt calls when a domain starts, whoever starts it.

It gives the domain's ports what the domain's definition asks for, before the first instruction of
the guest runs. Where that fails, libvirt does not start the domain.
Source: https://libvirt.org/hooks.html.
"""

from __future__ import annotations

import sys

from pextra.host import programs
from pextra.host.network import ports
from pextra.model.errors import PextraError


def main(name: str, definition: str) -> int:
    """What libvirt is told: 0, or 1 where the domain must not start.

    Args:
        name: The domain's.
        definition: The domain as it is about to run, as libvirt prints it.
    """
    programs.reach()
    try:
        ports.secure(definition)
    except PextraError as error:
        sys.stderr.write(f"pextra-ce: the ports of {name} cannot be closed: {error}\n")
        return 1
    return 0
