#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/storage_pool: make generate
"""List storage pools, their status and usage."""

from __future__ import annotations

DOCUMENTATION = r"""
module: storage_pool_info
short_description: List storage pools, their status and usage
version_added: 0.1.0
description:
  - Lists storage pools of one or of all clusters, with how far their nodes have them and how full
    they are.
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
  fields:
    description:
      - Only these fields are returned, and only what they need is read.
      - All of them when it is left out or empty.
    type: list
    elements: str
    choices:
      - available
      - can_hold_images
      - cluster
      - cluster_id
      - creation
      - description
      - id
      - initialized
      - name
      - nodes
      - options
      - status
      - status_reason
      - type
      - usage
      - volume_count
requirements:
  - libvirt-python >= 9.0 (Debian package python3-libvirt), on a node
seealso:
  - module: pextra.ce.storage_pool
"""

EXAMPLES = r"""
- name: List the storage pools of a cluster
  pextra.ce.storage_pool_info:
    cluster: main
  register: all

- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.status }}: {{ item.status_reason }}"
  loop: "{{ all.storage_pools }}"
  loop_control:
    label: "{{ item.name }}"
  when: not item.available

- name: Look how full a pool is
  pextra.ce.storage_pool_info:
    name: local
    fields: [name, usage]
  register: pools
  failed_when: (pools.storage_pools | first).usage.percent_used | default(0) > 95
"""

RETURN = r"""
storage_pools:
  description: The storage pools that match, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(pool-) and 21 characters.
      type: str
      sample: pool-J8rFUDg2dlzRB1HSerSm4
    name:
      description: Name of the storage pool.
      type: str
      sample: local
    cluster_id:
      description: Identifier of the cluster that the storage pool belongs to.
      type: str
      sample: cls-hM25gQN2SMQfBt6iXefcs
    cluster:
      description: Name of the cluster.
      type: str
      sample: main
    description:
      description: Text for people.
      type: str
      sample: Production
    type:
      description: What it stands on, such as V(directory).
      type: str
      sample: directory
    options:
      description: Settings of its type, complete but for passwords and keys.
      type: dict
      sample:
        path: /var/lib/pextra-ce/pools/local
    creation:
      description: When it was created, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    status:
      description:
        - V(disabled) where it is not enabled on any node, V(available) where it is available on all
          enabled nodes, V(error) where something is wrong on one of them, V(pending) where one of
          them has not made it yet, V(deleting) where it is being destroyed.
        - This machine is looked at. Of other nodes it is what they said last.
      type: str
      sample: available
    status_reason:
      description: Why it is not available, by nodes, V(null) if it is.
      type: str
      sample: null
    initialized:
      description: Whether every enabled node has made it. V(false) where there is none.
      type: bool
      sample: true
    available:
      description: Whether RV(storage_pools[].status) is V(available).
      type: bool
      sample: true
    can_hold_images:
      description: Whether its type keeps files, so that image files can be in it.
      type: bool
      sample: true
    usage:
      description: How full it is on this machine, for a directory the file system that it is on.
        V(null) where this machine does not have it.
      type: dict
      contains:
        capacity:
          description: Size in GB of 10^9 bytes.
          type: float
          sample: 270.55
        allocated:
          description: What is used in GB, whoever uses it.
          type: float
          sample: 189.55
        available:
          description: What is free in GB.
          type: float
          sample: 81.0
        percent_used:
          description: What is used of the size, in percent.
          type: float
          sample: 70.1
    volume_count:
      description: How many volumes are in it, on all nodes.
      type: int
      sample: 4
    nodes:
      description: How it is on each node that has it or is to have it.
      type: list
      elements: dict
      contains:
        node_id:
          description: Identifier of the node.
          type: str
          sample: node-VF6lOEYQA-_cjIHCRFMbA
        name:
          description: Name of the node.
          type: str
          sample: node1
        status:
          description: V(available), V(error), V(pending) or V(deleting).
          type: str
          sample: available
        reason:
          description: Why it is not available, V(null) if it is.
          type: str
          sample: null
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
    "fields": {
        "type": "list",
        "choices": [
            "id",
            "name",
            "cluster_id",
            "description",
            "type",
            "options",
            "creation",
            "cluster",
            "status",
            "status_reason",
            "initialized",
            "available",
            "can_hold_images",
            "usage",
            "volume_count",
            "nodes",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("storage_pool_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
