#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""See what an upgrade of a node would change, and what has to be restarted."""

from __future__ import annotations

DOCUMENTATION = r"""
module: upgrade_info
short_description: See what an upgrade of a node would change, and what has to be restarted
version_added: 0.1.0
description:
  - Lists the packages that C(apt upgrade) would change, what an interrupted dpkg has left undone,
    which services and instances run replaced code, and why a reboot is needed.
  - Changes nothing, and needs no database.
author:
  - pextra-ce contributors (@pextra-ce)
options:
  refresh:
    description:
      - Fetch the package lists of this moment into a directory that is removed again, and go by
        those. The node's own lists stay as they are.
      - Without it, the node's own lists count, from when they were updated last.
    type: bool
    default: false
  packages:
    description:
      - Whether to look at packages. What an interrupted dpkg has left undone is always looked at.
    type: bool
    default: true
  restarts:
    description:
      - Whether to look for what has to be restarted, which takes some seconds. It needs Debian's
        package needrestart.
    type: bool
    default: true
attributes:
  check_mode:
    description: Can run in check mode, where it does the same.
    support: full
  diff_mode:
    description: Reports what changed; this module changes nothing.
    support: none
seealso:
  - module: pextra.ce.node_info
"""

EXAMPLES = r"""
- name: See what an upgrade would change today
  pextra.ce.upgrade_info:
    refresh: true
  register: upgrade

- name: Show it
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.from | default('new', true) }} -> {{ item.to }}"
  loop: "{{ upgrade.packages }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
packages:
  description: The packages that an upgrade would change, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name, with the architecture where it is a foreign one.
      type: str
      sample: pce-common
    from:
      description: The version that is installed, V(null) where it is new.
      type: str
      sample: 1.2.0
    to:
      description: The version that would be.
      type: str
      sample: 1.3.0
kept_back:
  description: Packages with a newer version that an upgrade leaves, as that needs a removal.
  returned: success
  type: list
  elements: str
  sample: []
unfinished:
  description: Packages that an interrupted dpkg has left undone.
  returned: success
  type: list
  elements: str
  sample: []
restarts:
  description: What runs replaced code, V(null) where that is not known.
  returned: success
  type: dict
  contains:
    services:
      description: Units that can be restarted.
      type: list
      elements: str
      sample: [libvirtd.service]
    reloads:
      description: Units that a reload brings to the new code without closing what they hold.
      type: list
      elements: str
      sample: [virtlogd.service]
    manager:
      description: Whether systemd itself does; C(systemctl daemon-reexec) helps.
      type: bool
      sample: false
    left:
      description: Units that are not restarted on a machine in use.
      type: list
      elements: str
      sample: [dbus.service]
    kernel:
      description: The newest installed kernel, if another one runs; V(null) otherwise.
      type: str
      sample: 6.1.0-42-amd64
reboot_reasons:
  description: Why the node should be rebooted. Empty if it need not be.
  returned: success
  type: list
  elements: str
  sample: []
outdated_instances:
  description:
    - Instances that still run the QEMU that was there when they were started. They take the new
      one when they are stopped and started again.
  returned: success
  type: list
  elements: str
  sample: [web1]
errors:
  description: What went wrong.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description: V(host), where apt, dpkg or needrestart fails; V(not_found) without apt.
      type: str
      sample: host
    resource:
      description: V(null) here.
      type: str
      sample: null
    message:
      description: What was found.
      type: str
      sample: "apt-get update failed: E: The repository ... is not signed."
    hint:
      description: What to do about it.
      type: str
      sample: null
"""

# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "refresh": {"type": "bool", "default": False},
    "packages": {"type": "bool", "default": True},
    "restarts": {"type": "bool", "default": True},
}


def main() -> None:
    """Run the module."""
    run("upgrade_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
