#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write files into a system that lies below a directory, all of them in one task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: system_files
short_description: Write files into a system that lies below a directory
version_added: 0.1.0
description:
  - Writes files, symbolic links and directories into a system that is not running, such as one that
    is being installed, and removes others. Many of them are one task.
  - A file is there whole or not at all. Directories above it are made where there are none.
  - Links of that system are followed only as far as they stay within it.
author:
  - pextra-ce contributors (@pextra-ce)
options:
  root:
    description: The directory that the system lies below.
    type: str
    required: true
  files:
    description:
      - What is to be there; it belongs to root.
      - Without O(files[].content) and O(files[].link) it is a directory.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The path as the system itself has it, beginning with C(/).
        type: str
        required: true
      content:
        description: The text of a file.
        type: str
      link:
        description: The target of a symbolic link.
        type: str
      mode:
        description: Permissions as octal digits; V(0644) for files, V(0755) for directories.
        type: str
  absent:
    description:
      - Paths, in which V(*) and V(?) stand for other characters, of files that are not to be there.
      - What O(files) names stays.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Can run in check mode and say what a real run would do.
    support: full
  diff_mode:
    description: Shows what changes, before and after.
    support: full
notes:
  - Contents that are secret need C(no_log) for the task.
seealso:
  - module: pextra.ce.system_disk
"""

EXAMPLES = r"""
- name: Make the system this node's own
  pextra.ce.system_files:
    root: /mnt
    files:
      - {path: /etc/hostname, content: "node1\n"}
      - {path: /etc/localtime, link: /usr/share/zoneinfo/Europe/Berlin}
      - {path: /var/log/pextra-installer, mode: "0700"}
    absent: [/etc/ssh/ssh_host_*_key*]
"""

RETURN = r"""
paths:
  description: What was made or removed, as the system itself has it.
  returned: success
  type: list
  elements: str
  sample: [/etc/hostname]
errors:
  description: What went wrong.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description:
        - V(invalid_input), a path or a mode is none.
        - V(host), something cannot be made or removed.
      type: str
      sample: host
    resource:
      description: Always V(null).
      type: str
      sample: null
    message:
      description: What cannot be made, and why.
      type: str
      sample: "/mnt/etc/hostname cannot be made: [Errno 30] Read-only file system"
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: null
"""

# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "root": {"type": "str", "required": True},
    "files": {
        "type": "list",
        "default": [],
        "elements": "dict",
        "options": {
            "path": {"type": "str", "required": True},
            "content": {"type": "str"},
            "link": {"type": "str"},
            "mode": {"type": "str"},
        },
    },
    "absent": {"type": "list", "default": [], "elements": "str"},
}


def main() -> None:
    """Run the module."""
    run("system_files", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
