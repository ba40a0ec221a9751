#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage a snapshot of aptly's."""

from __future__ import annotations

DOCUMENTATION = r"""
module: aptly_snapshot
short_description: Manage a snapshot of a mirror in aptly
version_added: 0.1.0
description:
  - Makes or removes a snapshot. A snapshot never changes.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.aptly
options:
  name:
    description: Name of the snapshot.
    type: str
    required: true
  mirror:
    description: The mirror to make it of. This or O(snapshots) is required to create it.
    type: str
  snapshots:
    description: The snapshots to merge, with all versions of each package.
    type: list
    elements: str
  force:
    description: Remove it also where snapshots or publications refer to it.
    type: bool
    default: false
  state:
    description:
      - V(present) makes it, or changes what is given.
      - V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: pextra.ce.aptly_info
  - module: pextra.ce.aptly_mirror
  - module: pextra.ce.aptly_publication
"""

EXAMPLES = r"""
- name: Keep the state of today
  pextra.ce.aptly_snapshot:
    name: pextra-common-first
    mirror: pextra-common

- name: Forget it
  pextra.ce.aptly_snapshot:
    name: pextra-common-first
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
snapshot:
  description: The snapshot after the task, V(null) where it is absent.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: pextra-common-20260131T120000Z
    mirror:
      description: The mirror that it is of, V(null) if it was merged.
      type: str
      sample: pextra-common
    snapshots:
      description: The snapshots that it was merged of.
      type: list
      elements: str
      sample: []
    created:
      description: When it was made.
      type: str
      sample: '2026-01-31T12:00:00Z'
code:
  description: The kind of failure, such as V(conflict), V(invalid_input) or V(host).
  returned: failure, unless Ansible itself refuses an option
  type: str
  sample: conflict
errors:
  description: What is wrong.
  returned: failure, unless Ansible itself refuses an option
  type: list
  elements: dict
  contains:
    code:
      description: The kind of failure.
      type: str
      sample: conflict
    resource:
      description: What it is about.
      type: str
      sample: mirror "pextra-common"
    message:
      description: What was asked and what is there.
      type: str
      sample: "distribution is 'bookworm' and cannot become 'trixie'"
    hint:
      description: What to do about it.
      type: str
      sample: Remove the mirror and make it again
"""

from ansible_collections.pextra.ce.plugins.module_utils.aptly import run, snapshot

SPEC = {
    "name": {"type": "str", "required": True},
    "mirror": {"type": "str"},
    "snapshots": {"type": "list", "elements": "str"},
    "force": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def main() -> None:
    """Run the module."""
    run("snapshot", SPEC, lambda aptly, options: aptly.snapshot(options["name"]), snapshot)


if __name__ == "__main__":
    main()
