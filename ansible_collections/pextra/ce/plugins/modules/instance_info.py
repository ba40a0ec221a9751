#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/instance: make generate
"""List instances, their state and consoles."""

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_info
short_description: List instances, their state and consoles
version_added: 0.1.0
description:
  - Lists instances of one or of all clusters and nodes, with how they run and how to open their
    consoles.
  - RV(instances[].console) and RV(instances[].accelerator) take a call to libvirt for each running
    instance; everything else takes four listings for all of them.
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
      - accelerator
      - autostart
      - boot_order
      - cdrom
      - chipset
      - cluster
      - cluster_id
      - console
      - cpu
      - creation
      - deployment_duration
      - description
      - devices
      - firmware
      - id
      - memory
      - name
      - networks
      - node
      - node_id
      - restored_from
      - rootfs
      - rootfs_archive
      - state
      - status
      - type
      - uptime
      - vcpus
      - volumes
requirements:
  - libvirt-python >= 9.0 (Debian package python3-libvirt), on a node
seealso:
  - module: pextra.ce.instance
"""

EXAMPLES = r"""
- name: List the instances of a node
  pextra.ce.instance_info:
    node: node1
  register: all

- name: Show their states
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.state }}"
  loop: "{{ all.instances }}"
  loop_control:
    label: "{{ item.name }}"

- name: Ask how to open a console
  pextra.ce.instance_info:
    name: web1
    fields: [name, console]
  register: found

- name: Find what is in the store and not on the node
  pextra.ce.instance_info:
    fields: [id, name, state]
  register: all

- name: Show it
  ansible.builtin.debug:
    msg: "{{ all.instances | selectattr('state', 'eq', 'missing') | map(attribute='name') }}"
"""

RETURN = r"""
instances:
  description: The instances that match, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, C(inst-) and 21 characters.
      type: str
      sample: inst-nbMz2FW4nWGPBWlN7FMJn
    cluster_id:
      description: Identifier of the cluster that the instance belongs to.
      type: str
      sample: cls-hM25gQN2SMQfBt6iXefcs
    cluster:
      description: Name of the cluster.
      type: str
      sample: main
    name:
      description: Name of the instance, and of its libvirt domain.
      type: str
      sample: web
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
    type:
      description: V(qemu) is a virtual machine, V(lxc) a container.
      type: str
      sample: qemu
    cpu:
      description: Virtual processors.
      type: dict
      contains:
        sockets:
          description: Sockets.
          type: int
          sample: 1
        cores:
          description: Cores of each socket.
          type: int
          sample: 2
        threads:
          description: Threads of each core.
          type: int
          sample: 1
    memory:
      description: Memory in MiB.
      type: int
      sample: 512
    chipset:
      description: V(q35) or V(i440fx).
      type: str
      sample: q35
    firmware:
      description: V(bios) or V(uefi).
      type: str
      sample: bios
    autostart:
      description: Whether it starts with its node.
      type: bool
      sample: true
    boot_order:
      description: Names of devices, the first is tried first. Empty is the root volume, then
        the CD-ROM.
      type: list
      elements: str
      sample: []
    cdrom:
      description: The image in its CD-ROM drive, V(null) without one.
      type: str
      sample: null
    rootfs:
      description: Root file system of a container, V(null) for a virtual machine.
      type: str
      sample: null
    rootfs_archive:
      description: The archive that it was unpacked from, V(null) if none.
      type: str
      sample: null
    restored_from:
      description: The backup that it was restored from, V(null) if none.
      type: str
      sample: null
    status:
      description: What the store says of it. V(ready), or V(pending) (creation), V(updating)
        or V(deleting) where a run is at work or was interrupted, or another node still has
        to do its part.
      type: str
      sample: ready
    creation:
      description: When it was created, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    vcpus:
      description: Virtual processors, the product of the topology.
      type: int
      sample: 2
    networks:
      description: Its network devices, in the order in which they were given.
      type: list
      elements: dict
      contains:
        id:
          description: Identifier of the device.
          type: str
          sample: nic-Dhcz77Zpl5pwnwW6Co0nJ
        name:
          description: Name of the device in the instance.
          type: str
          sample: net0
        port_group_id:
          description: Identifier of the port group.
          type: str
          sample: pgrp-qy8hY5tqberxvyolAjb4B
        port_group:
          description: Name of the port group.
          type: str
          sample: Production
        mac:
          description: MAC address.
          type: str
          sample: 52:54:00:2e:0a:8c
        model:
          description: What the guest sees.
          type: str
          sample: virtio
    volumes:
      description: Its volumes, by device path.
      type: list
      elements: dict
      contains:
        id:
          description: Identifier of the volume.
          type: str
          sample: vol-ufbaJ57FmvldEh0eHlAuz
        name:
          description: Name of the volume.
          type: str
          sample: root
        device_name:
          description: Name of the device in the instance.
          type: str
          sample: disk-vda
        device_path:
          description: Path of the device in the order of the bus.
          type: str
          sample: /dev/vda
        bus:
          description: V(virtio), V(sata) or V(scsi).
          type: str
          sample: virtio
        is_root:
          description: Whether it is the root volume.
          type: bool
          sample: true
        read_only:
          description: Whether the guest cannot write to it.
          type: bool
          sample: false
        size:
          description: Bytes that the guest sees.
          type: int
          sample: 10737418240
        format:
          description: V(qcow2) or V(raw).
          type: str
          sample: qcow2
    devices:
      description: Its CD-ROM drives, TPM, random number generators and USB devices, sorted
        by name. What a type does not have is V(null).
      type: list
      elements: dict
      contains:
        id:
          description: Identifier, C(dev-) and 21 characters.
          type: str
          sample: dev-7yYOmqPGc68kDReiZgSAN
        name:
          description: Name.
          type: str
          sample: tools
        type:
          description: V(cdrom), V(tpm), V(rng) or V(usb).
          type: str
          sample: cdrom
        bus:
          description: Bus of a drive.
          type: str
          sample: sata
        device_path:
          description: Device path of a drive.
          type: str
          sample: /dev/sde
        medium:
          description: The image in a drive, or beside its open tray.
          type: str
          sample: /var/lib/pextra-ce/images/rescue.iso
        tray:
          description: V(closed) or V(open).
          type: str
          sample: closed
        model:
          description: V(crb) or V(tis).
          type: str
          sample: null
        version:
          description: Version of a TPM.
          type: str
          sample: null
        source:
          description: Where a random number generator takes from.
          type: str
          sample: null
        usb_id:
          description: Vendor and product of a USB device.
          type: str
          sample: null
        startup_policy:
          description: What happens where a USB device is missing.
          type: str
          sample: null
    state:
      description:
        - V(running), V(paused), V(stopped), V(saved) where another tool has saved its memory
          to go on from, or V(missing) where the node has no domain for it; the next run of
          M(pextra.ce.instance) makes it again.
        - V(null) on other nodes than this machine.
      type: str
      sample: running
    uptime:
      description: Seconds since it was started, V(null) where it does not run or is on another
        node.
      type: int
      sample: 3600
    deployment_duration:
      description: Seconds since it was created.
      type: int
      sample: 86400
    accelerator:
      description: What runs it, V(kvm) or V(tcg) (emulated). V(null) for a container, and where
        it does not run or is on another node.
      type: str
      sample: kvm
    console:
      description: How to open its console, on its node.
      type: dict
      contains:
        serial:
          description: Command that opens the serial console.
          type: str
          sample: virsh -c qemu:///system console web1
        log:
          description: File that keeps what it prints there, V(null) for a container.
          type: str
          sample: /var/log/pextra-ce/console/inst-nbMz2FW4nWGPBWlN7FMJn.log
        vnc:
          description: Socket of the VNC server, V(null) where it does not run, on other nodes
            than this machine, and for a container.
          type: str
          sample: /var/lib/libvirt/qemu/domain-1-web1/vnc.sock
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
            "type",
            "cpu",
            "memory",
            "chipset",
            "firmware",
            "autostart",
            "boot_order",
            "cdrom",
            "rootfs",
            "rootfs_archive",
            "restored_from",
            "status",
            "creation",
            "cluster",
            "node",
            "vcpus",
            "networks",
            "volumes",
            "devices",
            "state",
            "uptime",
            "deployment_duration",
            "accelerator",
            "console",
        ],
        "elements": "str",
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("instance_info", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
