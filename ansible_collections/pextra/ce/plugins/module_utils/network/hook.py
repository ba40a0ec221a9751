# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hook that libvirt calls when a domain starts, whoever starts it.

It gives the domain's ports what the domain's definition asks for, before the first instruction of
the guest runs. Where that fails, libvirt does not start the domain.
Source: https://libvirt.org/hooks.html.
"""

from __future__ import annotations

import sys

from ansible_collections.pextra.ce.plugins.module_utils.errors import PextraError
from ansible_collections.pextra.ce.plugins.module_utils.network import ports


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
