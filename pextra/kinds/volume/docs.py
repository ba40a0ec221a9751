# SPDX-License-Identifier: Apache-2.0
"""The documentation of volumes, besides that of their fields."""

from __future__ import annotations

from pextra.model.documentation import Failure, KindDocs, Steps, Text

DOCS = KindDocs(
    noun="volume",
    nouns="volumes",
    module=Text(
        short="Manage volumes, the virtual disks of instances",
        description=(
            "Creates volumes, empty or filled from an image; grows them, also while an instance"
            " that uses them runs; attaches and detaches them; and destroys them.",
            "A volume never shrinks. The root volume of an instance cannot be detached, and an"
            " attached volume cannot be destroyed.",
        ),
        on_host=True,
        requirements=(
            "libvirt-python >= 9.0 (Debian package python3-libvirt)",
            "qemu-img (Debian package qemu-utils)",
        ),
        notes=(
            "A volume can also be created with the instance that it belongs to, see"
            " O(pextra.ce.instance#module:volumes).",
        ),
        seealso=("volume_info", "instance", "storage_pool"),
        examples="""
- name: Have an empty volume in the pool "local"
  pextra.ce.volume:
    name: data
    size: 10GiB

- name: Have a volume with a guest operating system in it
  pextra.ce.volume:
    name: web-root
    storage_pool: local
    image: /var/lib/pextra-ce/images/debian-12.qcow2
    size: 20GiB

- name: Attach the first one to an instance, running or not
  pextra.ce.volume:
    name: data
    instance: web
    device_name: data
    device_path: /dev/vdb
    state: attached

- name: Grow it, while the instance uses it
  pextra.ce.volume:
    name: data
    size: 12GiB

- name: Grow it by 1 GiB more, once
  pextra.ce.volume:
    name: data
    grow_by: 1GiB

- name: Detach it
  pextra.ce.volume:
    name: data
    state: detached

- name: Destroy it with all that is in it
  pextra.ce.volume:
    name: data
    state: absent
""",
    ),
    info=Text(
        short="List volumes and what they take",
        description=(
            "Lists volumes by node, storage pool and instance, with what they take on the disk.",
        ),
        on_host=True,
        seealso=("volume",),
        examples="""
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
""",
    ),
    states={
        "present": "creates the volume, or changes what is given and differs. Whether it is"
        " attached stays as it is.",
        "attached": "does that and attaches it to O(instance); a running instance gets it plugged"
        " in.",
        "detached": "does that and detaches it; a running guest must let go of it within 30"
        " seconds.",
        "absent": "destroys it, with what is in it. It must not be attached.",
    },
    steps=Steps(
        name="data",
        sample=("grow", {"size": 10737418240}, {"size": 12884901888}),
        action=(
            "For the volume on the node, V(allocate), V(grow) or V(delete).",
            "For the instance on the node, V(redefine) (its stored definition), V(plug) or"
            " V(unplug) (as it runs).",
        ),
        kinds=", or V(instance) for what happens to the instance that it is attached to",
        restarts=True,
    ),
    failure=Failure(
        "conflict",
        'volume "data"',
        "size cannot shrink from 12GiB to 10GiB: that would destroy data",
    ),
    codes=("foreign", "restart_required", "unsupported", "host", "verification"),
)
