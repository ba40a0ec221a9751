#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give a node the platform's directories, and libvirt the hook that closes instances' ports."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_files
short_description: Give a node the platform's directories and libvirt's hook
version_added: 0.1.0
description:
  - Makes the platform's directories on the machine that the task runs on, with owner and mode.
  - Installs the hook that libvirt calls when a domain starts, for QEMU and for LXC. It gives the
    domain's ports their VLANs and security settings before the guest runs, whoever starts it.
  - Has udev leave the MAC addresses of instances' network devices (C(vnet*)) as libvirt set them.
  - Has needrestart, if that is installed, take an instance's QEMU for no part of a service.
  - The role C(pextra.ce.hypervisor) does this, and has libvirtd look for the hook.
author:
  - pextra-ce contributors (@pextra-ce)
options:
  state:
    description:
      - V(present), everything is there.
      - V(absent), the files are removed, and the directories where nothing is left in them.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Can run in check mode and say what a real run would do.
    support: full
  diff_mode:
    description: Shows what changes, before and after.
    support: full
seealso:
  - module: pextra.ce.port_group
"""

EXAMPLES = r"""
- name: Give the node what the platform keeps there
  pextra.ce.node_files:

- name: Take it away, but nothing that is in it
  pextra.ce.node_files:
    state: absent
"""

RETURN = r"""
paths:
  description: The directories and files that were made, put right or removed.
  returned: success
  type: list
  elements: str
  sample: [/var/lib/pextra-ce]
hook_added:
  description:
    - Whether libvirt has a hook now that it had not before.
    - libvirtd looks for hooks when it starts.
  returned: success
  type: bool
  sample: false
errors:
  description: What went wrong.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description: V(host), something cannot be made or removed.
      type: str
      sample: host
    resource:
      description: Always V(null).
      type: str
      sample: null
    message:
      description: What cannot be made, and why.
      type: str
      sample: "/etc/pextra-ce cannot be made: [Errno 30] Read-only file system"
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: null
"""

# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {"state": {"type": "str", "default": "present", "choices": ["present", "absent"]}}


def main() -> None:
    """Run the module."""
    run("node_files", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
