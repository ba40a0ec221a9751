#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/node: make generate
"""Register nodes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node
short_description: Register nodes
version_added: 0.1.0
description:
  - Registers the machine that the task runs on as a node of a cluster, with facts about its
    hardware and operating system; and changes, renames and removes nodes.
  - A node is known by its machine id (C(/etc/machine-id)), of which the store keeps a digest.
    A machine is one node, whatever its name.
  - Run on the node itself, the task also brings its facts up to date. Run elsewhere, it changes
    what is given.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
  - pextra.ce.resource
options:
  name:
    description:
      - Name of the node, unique in its cluster. One DNS label, from 1 to 63 ASCII letters,
        digits and hyphens, beginning and ending with a letter or digit. It need not be the
        host name.
      - Only the machine itself can create its node.
      - Required to create one. Together with O(id) it is the new name.
    type: str
  cluster:
    description:
      - Id or name of the cluster that it joins.
      - Left out, it is the only cluster there is. With several, it must be given. Cannot be
        changed afterwards.
    type: str
  description:
    description:
      - Text for people, of up to 1024 characters.
      - Default on creation is empty, and an empty string clears it.
    type: str
  ip_address:
    description:
      - Address at which the node is managed, IPv4 or IPv6. It is information for others; the
        node's network is not touched.
      - V(null) clears it.
    type: str
  wol_mac:
    description:
      - MAC address that wakes the node over the network, with colons, hyphens or nothing between
        the digits. Write it in quotes, because YAML takes some of them for numbers.
      - V(null) clears it.
    type: str
  state:
    description:
      - V(present) registers the node, or changes what is given and differs.
      - V(absent) removes it from the store. It must hold no instance, volume, vSwitch, port
        group, storage pool and licence. Nothing is uninstalled from the machine.
    type: str
    choices:
      - present
      - absent
    default: present
seealso:
  - module: pextra.ce.node_info
  - module: pextra.ce.cluster
  - module: pextra.ce.node_license
  - module: pextra.ce.preflight_info
"""

EXAMPLES = r"""
- name: Register this machine
  pextra.ce.node:
    name: node1
    cluster: main
    ip_address: 192.0.2.11
    wol_mac: "52:54:00:12:34:56"
  register: this

- name: Rename it
  pextra.ce.node:
    id: "{{ this.node.id }}"
    name: node-a1

- name: Remove it when nothing is left on it
  pextra.ce.node:
    name: node-a1
    cluster: main
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
node:
  description: The node after the task, V(null) where it is absent.
  returned: success
  type: dict
  contains:
    id:
      description: Identifier, C(node-) and 21 characters.
      type: str
      sample: node-VF6lOEYQA-_cjIHCRFMbA
    organization_id:
      description: Identifier of the organization that the node belongs to.
      type: str
      sample: org-6Hy0XAWtOJ1YkE6jmDRcJ
    name:
      description: Name of the node.
      type: str
      sample: node1
    cluster_id:
      description: Identifier of the cluster that the node belongs to.
      type: str
      sample: cls-hM25gQN2SMQfBt6iXefcs
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
    time:
      description: Its clock.
      type: dict
      contains:
        timezone:
          description: Time zone.
          type: str
          sample: Etc/UTC
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
plan:
  description:
    - The steps in the order in which they were carried out; in check mode, would be. Empty if
      everything is as asked already.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the resource, V(node).
      type: str
      sample: node
    name:
      description: Its name.
      type: str
      sample: node1
    action:
      description: In the store, V(create), V(update), or V(delete).
      type: str
      sample: update
    before:
      description: The values that the step changes, as they were. V(null) where there was nothing.
      type: dict
      sample:
        ip_address: null
    after:
      description: The values as they become. V(null) where nothing is left.
      type: dict
      sample:
        ip_address: 192.0.2.11
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
        - V(host), the node's hypervisor, network or disk refused, or did not answer in time.
        - V(store), the database cannot be reached or used.
      type: str
      sample: conflict
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: node "node2"
    message:
      description: What was asked and what is there.
      type: str
      sample: this machine is registered as node "node1" already
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: Use that name, or rename the node by its id
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "cluster": {"type": "str"},
    "description": {"type": "str"},
    "ip_address": {"type": "str"},
    "wol_mac": {"type": "str"},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("node", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
