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
    type: path
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

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.pextra.ce.plugins.module_utils import files
from ansible_collections.pextra.ce.plugins.module_utils.errors import InputError, PextraError


def main() -> None:
    """Read, decide, do, return."""
    options = {
        "path": {"type": "str", "required": True},
        "content": {"type": "str"},
        "link": {"type": "str"},
        "mode": {"type": "str"},
    }
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "required": True},
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": options,
                "mutually_exclusive": [["content", "link"]],
            },
            "absent": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    root = os.path.realpath(module.params["root"])
    try:
        wanted = [entry(one) for one in module.params["files"]]
        surplus = files.surplus(root, [_path(one) for one in module.params["absent"]], wanted)
        lacking = files.missing(root, wanted)
        diff = [_change(root, path, "") for path in surplus]
        diff += [_change(root, one.path, one.shown) for one in lacking]
        if not module.check_mode:
            for path in surplus:
                files.remove(root, path)
            for one in lacking:
                files.make(root, one)
    except PextraError as error:
        module.fail_json(msg=str(error), errors=[error.as_dict()])
    shown = {"diff": diff} if module._diff else {}
    paths = [*surplus, *(one.path for one in lacking)]
    module.exit_json(changed=bool(paths), paths=paths, **shown)


def entry(given: dict[str, Any]) -> files.Entry:
    """What an item of the option `files` says.

    Raises:
        InputError: It has no path of a system, or no mode.
    """
    directory = given["content"] is None and given["link"] is None
    mode = given["mode"] or ("0755" if directory else "0644")
    try:
        bits = int(mode, 8)
    except ValueError:
        bits = -1
    if not 0 <= bits <= 0o7777:
        raise InputError(f"the mode of {given['path']} is {mode!r}", hint="Write it as 0644")
    return files.Entry(_path(given["path"]), bits, given["content"], given["link"])


def _path(path: str) -> str:
    if not path.startswith("/") or os.path.normpath(path) != path or "\0" in path:
        raise InputError(
            f"{path!r} is no path of a system", hint="Begin with / and leave out . and .."
        )
    return path


def _change(root: str, path: str, after: str) -> dict[str, str]:
    before = files.shown(root + path)
    return {"before_header": path, "after_header": path, "before": before, "after": after}


if __name__ == "__main__":
    main()
