#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/vswitch: make generate
"""List vSwitches and their bridges."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vswitch_info
short_description: List vSwitches and their bridges
version_added: 0.1.0
description:
  - Lists vSwitches of one or of all clusters and nodes, with how their bridges really are.
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
  cluster:
    description:
      - Only those of this cluster, by id or name.
    type: str
  node:
    description:
      - Only those of this node, by id or name.
    type: str
  fields:
    description:
      - Only these fields are returned, and only what they need is read.
      - All of them when it is left out or empty.
    type: list
    elements: str
    choices:
      - active_uplinks
      - actual_mtu
      - addressing
      - bond
      - cluster
      - cluster_id
      - creation
      - description
      - exists
      - id
      - mtu
      - name
      - node
      - node_id
      - port_group_count
      - ports
      - status
      - up
      - uplinks
seealso:
  - module: pextra.ce.vswitch
"""

EXAMPLES = r"""
- name: List the vSwitches of a node
  pextra.ce.vswitch_info:
    node: node1
  register: all

- name: Show which have a port of an instance on them
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.ports }}"
  loop: "{{ all.vswitches }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
vswitches:
  description: The vSwitches that match, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(svs-) and 21 characters.
      type: str
      sample: svs-c4UK3I6TGVlLqgW1QZ3sO
    cluster_id:
      description: Identifier of the cluster that the vSwitch belongs to.
      type: str
      sample: cls-hM25gQN2SMQfBt6iXefcs
    cluster:
      description: Name of the cluster.
      type: str
      sample: main
    name:
      description: Name of the vSwitch, and of its bridge.
      type: str
      sample: svswitch10
    node_id:
      description: Identifier of the node that it is on.
      type: str
      sample: node-VF6lOEYQA-_cjIHCRFMbA
    node:
      description: Name of the node.
      type: str
      sample: node1
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
      description: Whether its bridge is there. An interface of somebody else's with the name does
        not count. V(null) on other nodes than this machine.
      type: bool
      sample: true
    up:
      description: Whether the bridge is up, V(null) where there is none or it is on another node.
      type: bool
      sample: true
    actual_mtu:
      description: Largest packet of the bridge in bytes, V(null) where there is none or it is on
        another node.
      type: int
      sample: 1500
    ports:
      description: The network interfaces on the bridge besides uplinks, V(null) where there is
        none or it is on another node.
      type: list
      elements: str
      sample:
        - vnet0
    active_uplinks:
      description: The uplinks that are connected; in mode V(active-backup), the one that carries
        traffic. V(null) where there is no bridge or it is on another node.
      type: list
      elements: str
      sample:
        - eth1
    port_group_count:
      description: How many port groups it has.
      type: int
      sample: 1
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
    "cluster": {"type": "str"},
    "node": {"type": "str"},
    "fields": {
        "type": "list",
        "choices": [
            "id",
            "cluster_id",
            "name",
            "node_id",
            "description",
            "mtu",
            "uplinks",
            "bond",
            "addressing",
            "status",
            "creation",
            "cluster",
            "node",
            "exists",
            "up",
            "actual_mtu",
            "ports",
            "active_uplinks",
            "port_group_count",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("vswitch_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
