#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/port_group: make generate
"""Manage port groups."""

from __future__ import annotations

DOCUMENTATION = r"""
module: port_group
short_description: Manage port groups
version_added: 0.1.0
description:
  - Creates, changes, renames and removes a port group, a named way for instances to connect
    to a vSwitch.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
  - pextra.ce.resource
options:
  name:
    description:
      - Name of the port group, unique on its node.
      - From 1 to 63 ASCII letters, digits, spaces, dots, underscores and hyphens, beginning
        and ending with a letter or digit.
      - Required to create one. Together with O(id) it is the new name.
    type: str
  node:
    description:
      - Id or name of the node that it is on.
      - Left out, it is the node that this machine is registered as. Cannot be changed afterwards.
    type: str
  vswitch:
    description:
      - Id or name of the vSwitch, on the same node.
      - Another vSwitch moves the instances of the port group there, also running ones, whose
        network devices are plugged in anew with the same MAC addresses.
      - Required to create one.
    type: str
  description:
    description:
      - Text for people, of up to 1024 characters.
      - Default on creation is empty, and an empty string clears it.
    type: str
  vlan_id:
    description:
      - VLAN of the port group, from V(1) to V(4094).
      - It needs a kernel whose bridges filter VLANs (C(CONFIG_BRIDGE_VLAN_FILTERING), as
        Debian's own has). Without it, the task is refused before any change.
      - Instances on it send and receive frames without a tag; the vSwitch's uplinks carry
        them with the tag. V(1) is the VLAN of frames without a tag, as on a port group without
        a VLAN.
      - V(null) clears it.
    type: int
  trunk:
    description:
      - VLANs whose frames instances send and receive with their tags, as ids and ranges such
        as V(20-30), from V(1) to V(4094). Frames without a tag are dropped.
      - It excludes O(vlan_id).
      - Default on creation is empty, and an empty list clears it.
    type: list
    elements: str
  promiscuous:
    description:
      - Instances also get the frames of their VLANs that are for others on the vSwitch. Frames
        that the node itself sends to others are not among them.
      - Default on creation is V(false).
    type: bool
  mac_changes:
    description:
      - Instances get frames for other MAC addresses than their network devices', as after
        the guest has changed it. V(false) keeps such frames from them.
      - Default on creation is V(true).
    type: bool
  forged_transmits:
    description:
      - Instances may send from other MAC addresses than their network devices'. V(false)
        drops such frames.
      - Default on creation is V(true).
    type: bool
  isolated:
    description:
      - Instances exchange no frames with instances on isolated port groups of the vSwitch,
        this one included. Uplinks and other port groups stay in reach.
      - Default on creation is V(false).
    type: bool
  rate_limit:
    description:
      - The most that each network device receives and sends per second, such as V(100Mbit)
        or V(1.5Gbit). A number without a unit counts bits. What is not given stays as it
        is. Empty is no limit.
      - Default on creation is empty.
    type: dict
    suboptions:
      inbound:
        description:
          - To the instance.
          - V(null) clears it.
        type: str
      outbound:
        description:
          - From the instance.
          - V(null) clears it.
        type: str
  state:
    description:
      - V(present) creates the port group, or changes what is given and differs.
      - V(absent) removes it. No instance may have a network device on it.
    type: str
    choices:
      - present
      - absent
    default: present
notes:
  - What concerns ports of instances must be changed on the node itself, as V(root); name
    and description also from elsewhere.
  - A change reaches running instances at once. Their network devices stay plugged in, and
    keep their MAC addresses.
  - Each instance's definition carries these settings, and a hook of libvirt that the role
    P(pextra.ce.hypervisor#role) installs applies them whoever starts it. An instance whose
    port cannot be closed as asked does not start.
seealso:
  - module: pextra.ce.port_group_info
  - module: pextra.ce.vswitch
  - module: pextra.ce.instance
"""

EXAMPLES = r"""
- name: Have a port group
  pextra.ce.port_group:
    name: lan
    vswitch: svswitch10
    description: Instances without a VLAN

- name: Move its instances to another vSwitch
  pextra.ce.port_group:
    name: lan
    vswitch: svswitch11

- name: Have a port group with a VLAN
  pextra.ce.port_group:
    name: storage
    vswitch: svswitch10
    vlan_id: 20

- name: Have instances send and receive frames with tags
  pextra.ce.port_group:
    name: routers
    vswitch: svswitch10
    trunk: ["10", "20-30"]

- name: Keep customers from each other, and from sending as somebody else
  pextra.ce.port_group:
    name: customers
    vswitch: svswitch10
    isolated: true
    forged_transmits: false
    mac_changes: false
    rate_limit: {inbound: 100Mbit}

- name: Take the VLAN away
  pextra.ce.port_group:
    name: storage
    vlan_id: null

- name: Remove it when no instance is left on it
  pextra.ce.port_group:
    name: storage
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
port_group:
  description: The port group after the task, V(null) where it is absent.
  returned: success
  type: dict
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
    vswitch_id:
      description: Identifier of the vSwitch.
      type: str
      sample: svs-c4UK3I6TGVlLqgW1QZ3sO
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
plan:
  description:
    - The steps in the order in which they were carried out; in check mode, would be. Empty if
      everything is as asked already.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the resource, V(port_group), V(vswitch) for its uplinks, or V(instance)
        for what happens to instances on it.
      type: str
      sample: port_group
    name:
      description: Its name.
      type: str
      sample: lan
    action:
      description:
        - In the store, V(create), V(update), or V(delete).
        - For instances on the node, V(redefine) (the stored definition), V(set-port) (how its
          port is, as it runs), V(plug) or V(unplug) (as it runs).
      type: str
      sample: update
    before:
      description: The values that the step changes, as they were. V(null) where there was nothing.
      type: dict
      sample:
        vlan_id: null
    after:
      description: The values as they become. V(null) where nothing is left.
      type: dict
      sample:
        vlan_id: 20
    needs_restart:
      description: Always V(false) for this kind.
      type: bool
      sample: false
code:
  description:
    - The kind of failure. V(plan) if the request was refused as a whole, with the reasons in
      RV(errors); else the code of the only error.
  returned: failure, unless Ansible itself refuses an option
  type: str
  sample: plan
errors:
  description: What is wrong; after V(plan), everything that was found wrong.
  returned: failure, unless Ansible itself refuses an option
  type: list
  elements: dict
  contains:
    code:
      description:
        - V(invalid_input), an option is not acceptable by itself.
        - V(not_found), something that was referred to does not exist.
        - V(conflict), what was asked contradicts what is there.
        - V(foreign), the name belongs to something on the node that others made.
        - V(unsupported), the node lacks what the request needs.
        - V(host), the node's hypervisor, network or disk refused, or did not answer in time.
        - V(verification), the node still differs after applying.
        - V(store), the database cannot be reached or used.
      type: str
      sample: unsupported
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: port_group "storage"
    message:
      description: What was asked and what is there.
      type: str
      sample: VLAN 20 needs a kernel with bridge VLAN filtering
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: Use a kernel with CONFIG_BRIDGE_VLAN_FILTERING, or leave vlan_id out
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "node": {"type": "str"},
    "vswitch": {"type": "str"},
    "description": {"type": "str"},
    "vlan_id": {"type": "int"},
    "trunk": {"type": "list", "elements": "str"},
    "promiscuous": {"type": "bool"},
    "mac_changes": {"type": "bool"},
    "forged_transmits": {"type": "bool"},
    "isolated": {"type": "bool"},
    "rate_limit": {
        "type": "dict",
        "options": {"inbound": {"type": "str"}, "outbound": {"type": "str"}},
    },
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("port_group", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
