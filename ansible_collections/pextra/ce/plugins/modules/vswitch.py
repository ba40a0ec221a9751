#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/vswitch: make generate
"""Manage vSwitches."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vswitch
short_description: Manage vSwitches
version_added: 0.1.0
description:
  - Creates, changes and removes a virtual switch of a node, which instances are connected to
    through port groups.
  - A vSwitch is one Linux bridge of the same name, which keeps VLANs apart where the kernel
    can. It is made by netlink and, where systemd-networkd runs, kept over a reboot by units
    of it. Elsewhere it is there until the machine restarts, and the next run makes it again.
  - Without an uplink it connects instances of the node with each other. One uplink is a port
    of the bridge; several form a bond, named C(svbond) and the number of the vSwitch, which
    is the port.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
  - pextra.ce.resource
  - pextra.ce.resource.host
options:
  name:
    description:
      - Name of the vSwitch and its bridge, unique in the cluster. V(svswitch) and a positive
        integer of up to 7 digits, such as V(svswitch10).
      - Required to create one. Cannot be changed afterwards.
    type: str
  node:
    description:
      - Id or name of the node that it is on. The task must run on that node.
      - Left out, it is the node that this machine is registered as. Cannot be changed afterwards.
    type: str
  description:
    description:
      - Text for people, of up to 1024 characters.
      - Default on creation is empty, and an empty string clears it.
    type: str
  mtu:
    description:
      - Largest packet that the bridge passes, from V(576) to V(9216). A change takes effect
        at once, on uplinks too.
      - Counted in bytes. Default on creation is V(1500).
    type: int
  uplinks:
    description:
      - Names of the network interfaces that lead out, in any order. They are to have no other
        use.
      - An interface that is not listed any more becomes a plain interface again. Adding or
        taking away an uplink loses no more than a moment of traffic.
      - Default on creation is empty, and an empty list clears it.
    type: list
    elements: str
  bond:
    description:
      - How several uplinks share the traffic. What is not given stays as it is.
    type: dict
    suboptions:
      mode:
        description:
          - V(active-backup) uses one uplink at a time and needs nothing of the switches outside.
            V(balance-xor) needs a static link aggregation there, and V(802.3ad) needs LACP.
          - A change interrupts the traffic for a moment.
          - Default on creation is V(active-backup).
        type: str
        choices:
          - active-backup
          - balance-xor
          - 802.3ad
      miimon:
        description:
          - How often links are looked at, from V(10) to V(10000).
          - Counted in milliseconds. Default on creation is V(100).
        type: int
      primary:
        description:
          - The uplink that carries the traffic whenever it is connected, in mode V(active-backup).
            Without it, a working uplink stays in use.
          - V(null) clears it.
        type: str
  management:
    description:
      - What to do with an uplink that carries addresses or the default route, such as the address
        by which this task is connected. V(refuse) fails before any change. V(migrate) moves
        addresses, routes and name servers to the vSwitch's bridge; with O(state=absent), back.
      - The node undoes such a change by itself, unless the controller confirms it by a new
        connection within O(guard_timeout); then the task fails and says so. A vSwitch whose
        removal was not confirmed stays, with the status V(deleting), until a later run removes
        it.
      - It needs systemd-networkd, and fixed addresses.
    type: str
    choices:
      - refuse
      - migrate
    default: refuse
  guard_timeout:
    description:
      - How long the node waits before it puts its old network configuration back, if a change
        of a vSwitch that carries its addresses was not confirmed, from V(10) to V(600).
      - Counted in seconds.
    type: int
    default: 60
  state:
    description:
      - V(present) creates the vSwitch, or changes what is given and differs, and corrects the
        bridge.
      - V(absent) removes it. It must hold no port group.
    type: str
    choices:
      - present
      - absent
    default: present
requirements:
  - iproute2 >= 6.1
notes:
  - The bridge's MAC address is made from the vSwitch's id and marks it as the platform's own.
    A network interface of the same name with another MAC address is somebody else's.
seealso:
  - module: pextra.ce.vswitch_info
  - module: pextra.ce.port_group
"""

EXAMPLES = r"""
- name: Have a vSwitch on this node
  pextra.ce.vswitch:
    name: svswitch10
    description: Instances

- name: Let it pass jumbo frames
  pextra.ce.vswitch:
    name: svswitch10
    mtu: 9000

- name: Connect it to the network outside by two links
  pextra.ce.vswitch:
    name: svswitch10
    uplinks: [eth1, eth2]
    bond: {primary: eth1}

- name: Let it carry this node's own address too
  pextra.ce.vswitch:
    name: svswitch10
    uplinks: [eth1, eth2]
    management: migrate
    guard_timeout: 30

- name: Remove it when no port group is left on it
  pextra.ce.vswitch:
    name: svswitch10
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
vswitch:
  description: The vSwitch after the task, V(null) where it is absent.
  returned: success
  type: dict
  contains:
    id:
      description: Identifier, C(svs-) and 21 characters.
      type: str
      sample: svs-c4UK3I6TGVlLqgW1QZ3sO
    cluster_id:
      description: Identifier of the cluster that the vSwitch belongs to.
      type: str
      sample: cls-hM25gQN2SMQfBt6iXefcs
    name:
      description: Name of the vSwitch, and of its bridge.
      type: str
      sample: svswitch10
    node_id:
      description: Identifier of the node that it is on.
      type: str
      sample: node-VF6lOEYQA-_cjIHCRFMbA
    description:
      description: Text for people.
      type: str
      sample: Production
    mtu:
      description: Largest packet in bytes, as it should be.
      type: int
      sample: 1500
    uplinks:
      description: Names of the interfaces that lead out, sorted, as it should be.
      type: list
      elements: str
      sample:
        - eth1
        - eth2
    bond:
      description: How several uplinks share the traffic, as it should be.
      type: dict
      sample:
        mode: active-backup
        miimon: 100
    addressing:
      description: The addresses, routes and name servers that moved from uplinks to its bridge,
        V(null) if none did.
      type: dict
      contains:
        addresses:
          description: Addresses with the length of their prefix.
          type: list
          elements: str
          sample:
            - 192.0.2.11/24
        routes:
          description: Destination and gateway of each route.
          type: list
          elements: list
          sample:
            - - default
              - 192.0.2.1
        dns:
          description: Addresses of name servers.
          type: list
          elements: str
          sample:
            - 192.0.2.53
        domains:
          description: Search domains.
          type: list
          elements: str
          sample: []
    status:
      description: What the store says of it. V(ready), or V(pending) (creation), V(updating)
        or V(deleting) where a run is at work or was interrupted, or another node still has to
        do its part.
      type: str
      sample: ready
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
      description: Kind of the resource, V(vswitch).
      type: str
      sample: vswitch
    name:
      description: Its name.
      type: str
      sample: svswitch10
    action:
      description:
        - In the store, V(create), V(update), V(delete), V(finish) for what an interrupted run
          left unfinished, or V(keep) for what it was to remove.
        - On the node, V(bridge) (make or correct it) or V(remove).
      type: str
      sample: bridge
    before:
      description:
        - The values that the step changes, as they were. V(null) where there was nothing.
        - On the node these are C(mtu), C(up), and whatever else of the bridge differs, such as
          C(uplinks), C(bond), or C(vlans) (ranges that pass the uplinks with a tag).
      type: dict
      sample:
        mtu: 1500
        up: true
        persistent: true
    after:
      description: The values as they become. V(null) where nothing is left.
      type: dict
      sample:
        mtu: 9000
        up: true
        persistent: true
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
        - V(guard), the node was not reached after the change, and has gone back or will.
        - V(unsupported), the node lacks what the request needs.
        - V(host), the node's hypervisor, network or disk refused, or did not answer in time.
        - V(verification), the node still differs after applying.
        - V(store), the database cannot be reached or used.
      type: str
      sample: foreign
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: vswitch "svswitch10"
    message:
      description: What was asked and what is there.
      type: str
      sample: the host has a network interface of that name that is not ours
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: Use another name; interfaces of others are never touched
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "node": {"type": "str"},
    "description": {"type": "str"},
    "mtu": {"type": "int"},
    "uplinks": {"type": "list", "elements": "str"},
    "bond": {
        "type": "dict",
        "options": {
            "mode": {"type": "str", "choices": ["active-backup", "balance-xor", "802.3ad"]},
            "miimon": {"type": "int"},
            "primary": {"type": "str"},
        },
    },
    "management": {"type": "str", "default": "refuse", "choices": ["refuse", "migrate"]},
    "guard_timeout": {"type": "int", "default": 60},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("vswitch", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
