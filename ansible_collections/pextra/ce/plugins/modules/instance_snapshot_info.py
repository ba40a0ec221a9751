#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/instance_snapshot: make generate
"""List snapshots of instances."""

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_snapshot_info
short_description: List snapshots of instances
version_added: 0.1.0
description:
  - Lists the snapshots of one or of all instances.
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
  instance:
    description:
      - Only those of this instance, by id or name.
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
      - instance
      - instance_id
      - memory
      - name
      - node
      - node_id
      - reverted
      - reverting
      - state
      - status
      - volumes
requirements:
  - libvirt-python >= 9.0 (Debian package python3-libvirt), on a node
seealso:
  - module: pextra.ce.instance_snapshot
"""

EXAMPLES = r"""
- name: List the snapshots of an instance
  pextra.ce.instance_snapshot_info:
    instance: web1
  register: all

- name: Show when they were taken
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.creation }}"
  loop: "{{ all.instance_snapshots }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
instance_snapshots:
  description: The snapshots that match, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(isnap-) and 21 characters.
      type: str
      sample: isnap-u5WWvhB-SnHfMxB01fuzw
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
    instance_id:
      description: Identifier of the instance that it is of.
      type: str
      sample: inst-nbMz2FW4nWGPBWlN7FMJn
    instance:
      description: Name of the instance.
      type: str
      sample: web
    description:
      description: Text for people.
      type: str
      sample: Production
    memory:
      description: Whether it has the instance's memory.
      type: bool
      sample: false
    state:
      description: How the instance ran when it was taken, V(running), V(paused) or V(stopped).
      type: str
      sample: running
    volumes:
      description: The volumes that were attached, by device path.
      type: list
      elements: dict
      contains:
        id:
          description: Identifier.
          type: str
          sample: vol-ufbaJ57FmvldEh0eHlAuz
        name:
          description: Name.
          type: str
          sample: web-root
        size:
          description: Size then, in bytes.
          type: int
          sample: 10737418240
    reverting:
      description: Whether going back to it was begun and not finished. The instance is not started
        then.
      type: bool
      sample: false
    reverted:
      description: When the instance last went back to it, in UTC, V(null) if it never did.
      type: str
      sample: null
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
    "instance": {"type": "str"},
    "fields": {
        "type": "list",
        "choices": [
            "id",
            "node_id",
            "name",
            "instance_id",
            "description",
            "memory",
            "state",
            "volumes",
            "reverting",
            "reverted",
            "status",
            "creation",
            "node",
            "instance",
            "exists",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("instance_snapshot_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
