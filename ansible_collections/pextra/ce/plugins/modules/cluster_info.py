#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/cluster: make generate
"""List clusters, their hardware and licensing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: List clusters, their hardware and licensing
version_added: 0.1.0
description:
  - Lists clusters with what their nodes have and are licensed for, taken together.
  - It reads the store alone; hardware is what each node said of itself when it last registered.
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
  organization:
    description:
      - Only those of this organization, by id or name.
    type: str
  datacenter:
    description:
      - Only those of this datacenter, by id or name.
    type: str
  fields:
    description:
      - Only these fields are returned, and only what they need is read.
      - All of them when it is left out or empty.
    type: list
    elements: str
    choices:
      - creation
      - datacenter
      - datacenter_id
      - description
      - edition
      - fault_tolerance
      - features
      - hardware
      - has_leader
      - id
      - leader_id
      - licensing
      - name
      - node_count
      - organization
      - organization_id
      - standalone
seealso:
  - module: pextra.ce.cluster
"""

EXAMPLES = r"""
- name: List the clusters of a datacenter
  pextra.ce.cluster_info:
    organization: Example
    datacenter: Berlin
  register: all

- name: Look at the licensing alone
  pextra.ce.cluster_info:
    name: main
    fields: [name, licensing, edition]
  register: all

- name: Show why a cluster does not comply
  ansible.builtin.debug:
    msg: "{{ item.licensing.problems }}"
  loop: "{{ all.clusters }}"
  loop_control:
    label: "{{ item.name }}"
  when: item.licensing.cluster.status == 'noncompliant'
"""

RETURN = r"""
clusters:
  description: The clusters that match, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(cls-) and 21 characters.
      type: str
      sample: cls-hM25gQN2SMQfBt6iXefcs
    organization_id:
      description: Identifier of the organization that the cluster belongs to.
      type: str
      sample: org-6Hy0XAWtOJ1YkE6jmDRcJ
    organization:
      description: Name of the organization.
      type: str
      sample: Example
    name:
      description: Name of the cluster.
      type: str
      sample: main
    datacenter_id:
      description: Identifier of the datacenter that the cluster belongs to.
      type: str
      sample: dc-q-zfNQNjXAvp7KYc3fWyX
    datacenter:
      description: Name of the datacenter.
      type: str
      sample: Frankfurt
    description:
      description: Text for people.
      type: str
      sample: Production
    creation:
      description: When it was created, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    node_count:
      description: How many nodes it has.
      type: int
      sample: 3
    standalone:
      description: Whether it has one node only.
      type: bool
      sample: false
    fault_tolerance:
      description: How many nodes may fail while the others are still a majority.
      type: int
      sample: 1
    has_leader:
      description: Whether one of the nodes leads the others. Always V(false), nodes are equals.
      type: bool
      sample: false
    leader_id:
      description: Identifier of the node that leads. Always V(null).
      type: str
      sample: null
    hardware:
      description: What the nodes have together.
      type: dict
      contains:
        vcpus:
          description: Hardware threads.
          type: int
          sample: 24
        memory_gb:
          description: Memory in GB of 2^30 bytes.
          type: float
          sample: 94.2
        storage_gb:
          description: Whole disks, in GB of 10^9 bytes.
          type: float
          sample: 5760.6
        partial:
          description: Whether some node has not said what it has, so that it is not counted.
          type: bool
          sample: false
    licensing:
      description: Whether the cluster complies. It does when every node has a valid licence and
        all are of one edition.
      type: dict
      contains:
        cluster:
          description: The cluster as a whole.
          type: dict
          contains:
            status:
              description: V(compliant) or V(noncompliant).
              type: str
              sample: compliant
            next_expiry:
              description: When the first of the valid licences ends, in UTC, V(null) without any.
              type: str
              sample: '2026-01-31T12:00:00Z'
        nodes:
          description: By identifiers of the nodes, whether the licence is valid now (C(ok)) and
            when it ends or ended (C(expiry), V(null) without one).
          type: dict
          sample:
            node-VF6lOEYQA-_cjIHCRFMbA:
              ok: true
              expiry: '2026-01-31T12:00:00Z'
        problems:
          description: Why the cluster does not comply, empty if it does.
          type: list
          elements: str
          sample: []
    edition:
      description: The edition in force, V(community), V(evaluation), V(standard) or V(enterprise).
        Of mixed editions it is the lowest, with an unlicensed node V(community).
      type: str
      sample: standard
    features:
      description: What the edition in force has beyond the others.
      type: list
      elements: str
      sample: []
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
    "organization": {"type": "str"},
    "datacenter": {"type": "str"},
    "fields": {
        "type": "list",
        "choices": [
            "id",
            "organization_id",
            "name",
            "datacenter_id",
            "description",
            "creation",
            "organization",
            "datacenter",
            "node_count",
            "standalone",
            "fault_tolerance",
            "has_leader",
            "leader_id",
            "hardware",
            "licensing",
            "edition",
            "features",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("cluster_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
