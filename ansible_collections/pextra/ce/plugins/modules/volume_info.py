#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/volume: make generate
"""List volumes and what they take."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_info
short_description: List volumes and what they take
version_added: 0.1.0
description:
  - Lists volumes by node, storage pool and instance, with what they take on the disk.
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
  storage_pool:
    description:
      - Only those of this storage pool, by id or name.
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
      - actual_size
      - allocated
      - attached
      - bus
      - creation
      - description
      - device_name
      - device_path
      - exists
      - format
      - id
      - image
      - instance
      - instance_id
      - is_root
      - lun
      - name
      - node
      - node_id
      - path
      - read_only
      - size
      - status
      - storage_pool
      - storage_pool_id
seealso:
  - module: pextra.ce.volume
"""

EXAMPLES = r"""
- name: List the volumes of an instance
  pextra.ce.volume_info:
    instance: web1
  register: all

- name: Show what they take
  ansible.builtin.debug:
    msg: "{{ item.name }} takes {{ item.allocated }} of {{ item.size }} bytes at {{ item.path }}"
  loop: "{{ all.volumes }}"
  loop_control:
    label: "{{ item.name }}"

- name: Find volumes that nothing uses
  pextra.ce.volume_info:
    node: node1
    storage_pool: local
    fields: [id, name, attached]
  register: all

- name: Show them
  ansible.builtin.debug:
    msg: "{{ all.volumes | rejectattr('attached') | map(attribute='name') }}"
"""

RETURN = r"""
volumes:
  description: The volumes that match, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(vol-) and 21 characters. The image file is named by it.
      type: str
      sample: vol-ufbaJ57FmvldEh0eHlAuz
    name:
      description: Name of the volume.
      type: str
      sample: data
    storage_pool_id:
      description: Identifier of its storage pool.
      type: str
      sample: pool-J8rFUDg2dlzRB1HSerSm4
    storage_pool:
      description: Name of the storage pool.
      type: str
      sample: local
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
    size:
      description: Bytes that a guest sees, as they should be.
      type: int
      sample: 10737418240
    format:
      description: Format of the image.
      type: str
      sample: qcow2
    image:
      description: The image file that it was filled from, V(null) where it began empty.
      type: str
      sample: null
    lun:
      description: The LUN that it is, V(null) but in a pool of type V(iscsi).
      type: int
      sample: null
    instance_id:
      description: Identifier of the instance that it is attached to, V(null) without one.
      type: str
      sample: inst-nbMz2FW4nWGPBWlN7FMJn
    instance:
      description: Name of the instance, V(null) without one.
      type: str
      sample: web
    device_name:
      description: Name of the device within the instance, V(null) if it is not attached.
      type: str
      sample: data
    device_path:
      description: Path of the device in the order of the bus, V(null) where it is not attached.
      type: str
      sample: /dev/vdb
    bus:
      description: V(virtio), V(sata) or V(scsi), V(null) where it is not attached.
      type: str
      sample: virtio
    read_only:
      description: Whether the guest cannot write to it.
      type: bool
      sample: false
    is_root:
      description: Whether it is the instance's root volume, which cannot be detached.
      type: bool
      sample: false
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
    attached:
      description: Whether it is attached to an instance.
      type: bool
      sample: true
    path:
      description: Where it is on its node.
      type: str
      sample: /var/lib/pextra-ce/pools/local/vol-ufbaJ57FmvldEh0eHlAuz.qcow2
    exists:
      description: Whether its data is there, V(null) on other nodes than this machine.
      type: bool
      sample: true
    actual_size:
      description: Bytes that a guest sees, as its header says, V(null) where it is missing or on
        another node.
      type: int
      sample: 10737418240
    allocated:
      description: Bytes that it takes on the node's disk, V(null) where it is missing or on another
        node.
      type: int
      sample: 200704
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
    "storage_pool": {"type": "str"},
    "instance": {"type": "str"},
    "fields": {
        "type": "list",
        "choices": [
            "id",
            "name",
            "storage_pool_id",
            "node_id",
            "description",
            "size",
            "format",
            "image",
            "lun",
            "instance_id",
            "device_name",
            "device_path",
            "bus",
            "read_only",
            "is_root",
            "status",
            "creation",
            "node",
            "storage_pool",
            "instance",
            "attached",
            "path",
            "exists",
            "actual_size",
            "allocated",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("volume_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
