# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python that the collection needs where it runs. This file can be read by much older ones."""

from __future__ import annotations

import json
import sys

NEEDED = (3, 11)
"""That of Debian 12."""


def check() -> None:
    """End a module that an older Python runs, and say so; of a plugin, its import.

    Raises:
        SystemExit: This is a module's process, whose result has been printed.
        ImportError: It is a controller's.
    """
    if sys.version_info[:2] >= NEEDED:
        return
    needed, have = (".".join(map(str, item[:2])) for item in (NEEDED, sys.version_info))
    message = f"pextra.ce needs Python {needed} or newer, and {sys.executable} is {have}"
    hint = (
        "A node is Debian 12, whose Python is 3.11. If this machine has another one besides, name"
        " it: ansible_python_interpreter=/usr/bin/python3"
    )
    if "ansible.plugins" in sys.modules:  # what modules bring to a node does not have it
        raise ImportError(f"{message}. {hint}")
    error = {"code": "unsupported", "resource": None, "message": message, "hint": hint}
    text = f"{message}. {hint}"
    result = {"failed": True, "msg": text, "code": "unsupported", "errors": [error]}
    sys.stdout.write(json.dumps(result) + "\n")
    raise SystemExit(1)
