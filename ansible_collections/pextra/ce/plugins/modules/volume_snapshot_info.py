#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/volume_snapshot: make generate
"""List snapshots of volumes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_snapshot_info
short_description: List snapshots of volumes
version_added: 0.1.0
description:
  - Lists the snapshots of one or of all volumes.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes.info
  - pextra.ce.listing
  - pextra.ce.listing.host
options:
  name:
    description:
      - Only the ones with this name.
    type: str
  node:
    description:
      - Only those of this node, by id or name.
    type: str
  volume:
    description:
      - Only those of this volume, by id or name.
    type: str
  fields:
    description:
      - Only these fields are returned, and only what they need is read.
      - All of them when it is left out or empty.
    type: list
    elements: str
    choices:
      - creation
      - description
      - exists
      - id
      - name
      - node
      - node_id
      - size
      - status
      - volume
      - volume_id
requirements:
  - libvirt-python >= 9.0 (Debian package python3-libvirt), on a node
seealso:
  - module: pextra.ce.volume_snapshot
"""

EXAMPLES = r"""
- name: List the snapshots of a volume
  pextra.ce.volume_snapshot_info:
    volume: data
  register: all

- name: Show when they were taken
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.creation }}"
  loop: "{{ all.volume_snapshots }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
volume_snapshots:
  description: The snapshots that match, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(snap-) and 21 characters.
      type: str
      sample: snap-HCcyTwE3BcvwxJ89O7EDx
    node_id:
      description: Identifier of the node that it is on.
      type: str
      sample: node-VF6lOEYQA-_cjIHCRFMbA
    node:
      description: Name of the node.
      type: str
      sample: node1
    name:
      description: Name of the snapshot.
      type: str
      sample: before-upgrade
    volume_id:
      description: Identifier of the volume that it is of.
      type: str
      sample: vol-ufbaJ57FmvldEh0eHlAuz
    volume:
      description: Name of the volume.
      type: str
      sample: data
    description:
      description: Text for people.
      type: str
      sample: Production
    size:
      description: Size of the volume when it was taken, in bytes.
      type: int
      sample: 10737418240
    status:
      description: What the store says of it. V(ready), or V(pending) (creation), V(updating) or
        V(deleting) where a run is at work or was interrupted, or another node still has to do its
        part.
      type: str
      sample: ready
    creation:
      description: When it was created, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    exists:
      description: Whether it is on the node. V(null) where the node is not this machine.
      type: bool
      sample: true
code:
  description: What sort of error it is, such as V(not_found), V(conflict), V(store) or V(host).
  returned: failure
  type: str
  sample: not_found
errors:
  description: What is wrong, V(msg) taken apart.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description: As RV(code).
      type: str
      sample: not_found
    resource:
      description: Kind and name of what it is about, V(null) where it is about none.
      type: str
      sample: organization "Exampel"
    message:
      description: What was asked, and what is there.
      type: str
      sample: does not exist
    hint:
      description: What to do about it, V(null) where nothing better is known than the message.
      type: str
      sample: Did you mean "Example"?
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "node": {"type": "str"},
    "volume": {"type": "str"},
    "fields": {
        "type": "list",
        "choices": [
            "id",
            "node_id",
            "name",
            "volume_id",
            "description",
            "size",
            "status",
            "creation",
            "node",
            "volume",
            "exists",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("volume_snapshot_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
