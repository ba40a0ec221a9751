#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/port_group: make generate
"""List port groups."""

from __future__ import annotations

DOCUMENTATION = r"""
module: port_group_info
short_description: List port groups
version_added: 0.1.0
description:
  - Lists port groups of one or of all nodes and vSwitches.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes.info
  - pextra.ce.listing
options:
  name:
    description:
      - Only the ones with this name.
    type: str
  node:
    description:
      - Only those of this node, by id or name.
    type: str
  vswitch:
    description:
      - Only those of this vSwitch, by id or name.
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
      - forged_transmits
      - id
      - instance_count
      - isolated
      - mac_changes
      - name
      - node
      - node_id
      - promiscuous
      - rate_limit
      - trunk
      - vlan_id
      - vswitch
      - vswitch_id
seealso:
  - module: pextra.ce.port_group
"""

EXAMPLES = r"""
- name: List the port groups of a vSwitch
  pextra.ce.port_group_info:
    node: node1
    vswitch: svswitch10
  register: all

- name: Show which are in use
  ansible.builtin.debug:
    msg: "{{ item.name }} has {{ item.instance_count }} instances"
  loop: "{{ all.port_groups }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
port_groups:
  description: The port groups that match, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(pgrp-) and 21 characters.
      type: str
      sample: pgrp-qy8hY5tqberxvyolAjb4B
    name:
      description: Name of the port group.
      type: str
      sample: lan
    node_id:
      description: Identifier of the node that it is on.
      type: str
      sample: node-VF6lOEYQA-_cjIHCRFMbA
    node:
      description: Name of the node.
      type: str
      sample: node1
    vswitch_id:
      description: Identifier of the vSwitch.
      type: str
      sample: svs-c4UK3I6TGVlLqgW1QZ3sO
    vswitch:
      description: Name of the vSwitch.
      type: str
      sample: svswitch10
    description:
      description: Text for people.
      type: str
      sample: Production
    vlan_id:
      description: VLAN, V(null) without one.
      type: int
      sample: null
    trunk:
      description: VLANs that pass with their tags, as ids and ranges, sorted.
      type: list
      elements: str
      sample:
        - '10'
        - 20-30
    promiscuous:
      description: Whether they get frames that are for others.
      type: bool
      sample: false
    mac_changes:
      description: Whether they get frames for other MAC addresses than their own.
      type: bool
      sample: true
    forged_transmits:
      description: Whether they may send from other MAC addresses than their own.
      type: bool
      sample: true
    isolated:
      description: Whether they are kept from each other.
      type: bool
      sample: false
    rate_limit:
      description: Bits per second, C(inbound) to and C(outbound) from each network device.
      type: dict
      sample:
        inbound: 100000000
    creation:
      description: When it was created, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    instance_count:
      description: How many instances have a network device on it.
      type: int
      sample: 3
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
    "vswitch": {"type": "str"},
    "fields": {
        "type": "list",
        "choices": [
            "id",
            "name",
            "node_id",
            "vswitch_id",
            "description",
            "vlan_id",
            "trunk",
            "promiscuous",
            "mac_changes",
            "forged_transmits",
            "isolated",
            "rate_limit",
            "creation",
            "node",
            "vswitch",
            "instance_count",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("port_group_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
