#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/node: make generate
"""List nodes, their hardware, licence and load."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_info
short_description: List nodes, their hardware, licence and load
version_added: 0.1.0
description:
  - Lists nodes with the facts that they registered and with their licences.
  - How a node is at the moment is measured where the node is the machine that the task runs on.
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
  organization:
    description:
      - Only those of this organization, by id or name.
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
      - alive
      - cluster
      - cluster_id
      - cpu_usage
      - creation
      - description
      - hardware
      - hostname
      - id
      - ip_address
      - last_seen
      - license
      - memory_usage
      - name
      - organization
      - organization_id
      - os
      - pce_version
      - storage_usage
      - time
      - wol_mac
seealso:
  - module: pextra.ce.node
"""

EXAMPLES = r"""
- name: List the nodes of a cluster
  pextra.ce.node_info:
    cluster: main
  register: all

- name: Show their licences
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.license.expiry | default('no licence') }}"
  loop: "{{ all.nodes }}"
  loop_control:
    label: "{{ item.name }}"

- name: Measure this machine
  pextra.ce.node_info:
    fields: [name, alive, cpu_usage, memory_usage, storage_usage]
"""

RETURN = r"""
nodes:
  description: The nodes that match, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(node-) and 21 characters.
      type: str
      sample: node-VF6lOEYQA-_cjIHCRFMbA
    organization_id:
      description: Identifier of the organization that the node belongs to.
      type: str
      sample: org-6Hy0XAWtOJ1YkE6jmDRcJ
    organization:
      description: Name of the organization.
      type: str
      sample: Example
    name:
      description: Name of the node.
      type: str
      sample: node1
    cluster_id:
      description: Identifier of the cluster that the node belongs to.
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
    ip_address:
      description: Address at which it is managed, V(null) where that was not said.
      type: str
      sample: 192.0.2.11
    wol_mac:
      description: MAC address that wakes it up, V(null) where that was not said.
      type: str
      sample: '52:54:00:12:34:56'
    hostname:
      description: What the machine calls itself.
      type: str
      sample: node1
    os:
      description: The operating system.
      type: dict
      contains:
        kernel:
          description: Release of the Linux kernel.
          type: str
          sample: 6.1.0-37-amd64
        architecture:
          description: Machine type of the kernel.
          type: str
          sample: x86_64
        uefi:
          description: Whether it was started by UEFI firmware.
          type: bool
          sample: true
    hardware:
      description: The machine, V(null) where it has not said.
      type: dict
      contains:
        vcpus:
          description: Hardware threads.
          type: int
          sample: 16
        memory_gb:
          description: Memory that the kernel manages, in GiB.
          type: float
          sample: 62.7
        cpu:
          description: The processor, with its C(model).
          type: dict
          sample:
            model: AMD EPYC 7302P 16-Core Processor
        disks:
          description: Whole disks, with C(device), C(size) in bytes, and C(serial).
          type: list
          elements: dict
          contains:
            device:
              description: Path of the device.
              type: str
              sample: /dev/sda
            size:
              description: Bytes.
              type: int
              sample: 960197124096
            serial:
              description: Serial number, V(null) where the disk tells none.
              type: str
              sample: S3Z8NB0K
    pce_version:
      description: Version of the platform on the node.
      type: str
      sample: 0.1.0
    last_seen:
      description: When it last said something new of itself, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    creation:
      description: When it was registered, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    alive:
      description: V(true) where the node is this machine. Of other nodes nobody knows, V(null).
      type: bool
      sample: true
    time:
      description: Its clock.
      type: dict
      contains:
        time:
          description: The time in UTC, V(null) for other nodes than this machine.
          type: str
          sample: '2026-01-31T12:00:00Z'
        timezone:
          description: Time zone.
          type: str
          sample: Etc/UTC
        uptime:
          description: Seconds since it started, V(null) for other nodes than this machine.
          type: int
          sample: 86400
    license:
      description: Its licence, V(null) without one.
      type: dict
      contains:
        expiry:
          description: When it ends or ended, in UTC.
          type: str
          sample: '2026-01-31T12:00:00Z'
        valid:
          description: Whether it is valid now.
          type: bool
          sample: true
    cpu_usage:
      description: Its processors now, V(null) for other nodes than this machine. Measuring takes a
        tenth of a second.
      type: dict
      contains:
        percent_used:
          description: How busy they are together, in percent.
          type: float
          sample: 12.5
        load_average:
          description: Over 1, 5 and 15 minutes.
          type: list
          elements: float
          sample:
            - 0.52
            - 0.58
            - 0.59
    memory_usage:
      description: Its memory now, V(null) for other nodes than this machine.
      type: dict
      contains:
        total:
          description: MiB.
          type: int
          sample: 32118
        used:
          description: MiB that cannot be had without swapping.
          type: int
          sample: 9120
        available:
          description: MiB that can be had without swapping.
          type: int
          sample: 22998
        percent_used:
          description: What is used of the total, in percent.
          type: float
          sample: 28.4
    storage_usage:
      description: Its storage pools together, where several on one file system count once. V(null)
        for other nodes than this machine.
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
    "cluster": {"type": "str"},
    "fields": {
        "type": "list",
        "choices": [
            "id",
            "organization_id",
            "name",
            "cluster_id",
            "description",
            "ip_address",
            "wol_mac",
            "hostname",
            "os",
            "hardware",
            "pce_version",
            "last_seen",
            "creation",
            "organization",
            "cluster",
            "alive",
            "time",
            "license",
            "cpu_usage",
            "memory_usage",
            "storage_usage",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("node_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
