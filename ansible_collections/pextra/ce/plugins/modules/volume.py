#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/volume: make generate
"""Manage volumes, the virtual disks of instances."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume
short_description: Manage volumes, the virtual disks of instances
version_added: 0.1.0
description:
  - Creates volumes, empty or filled from an image; grows them, also while
    an instance that uses them runs; attaches and detaches them; and destroys
    them.
  - A volume never shrinks. The root volume of an instance cannot be detached,
    and an attached volume cannot be destroyed.
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
      - Name of the volume, unique in its pool on its node.
      - From 1 to 63 ASCII letters, digits, spaces, dots, underscores and
        hyphens, beginning and ending with a letter or digit.
      - Required to create one. Cannot be changed afterwards.
    type: str
  storage_pool:
    description:
      - Id or name of the storage pool, which must be enabled on the node.
      - Left out, it is the pool named V(local). The name is looked for in
        that pool, so give it for volumes in other pools every time. Cannot
        be changed afterwards.
    type: str
  node:
    description:
      - Id or name of the node that it is on. The task must run on that node.
      - Left out, it is the node that this machine is registered as. Cannot
        be changed afterwards.
    type: str
  description:
    description:
      - Text for people, of up to 1024 characters.
      - Default on creation is empty, and an empty string clears it.
    type: str
  size:
    description:
      - Size that a guest sees, from 1 MiB to 64 TiB, rounded up to 512 bytes.
      - A number with a unit, binary V(KiB), V(MiB), V(GiB), V(TiB) (or V(K),
        V(M), V(G), V(T)), or decimal V(KB), V(MB), V(GB), V(TB).
      - A larger size than the volume has makes it grow, at once, also while
        the instance runs. The guest then grows its partitions and file systems
        by its own means. A smaller size is an error.
      - A number without a unit counts bytes. Left out, it is the size of
        the O(image), which it must not be below. An empty volume needs it.
    type: str
  format:
    description:
      - Format of the volume. V(qcow2) takes the space that the guest has
        written, and can have snapshots; as a file V(raw) is sparse, too,
        and a little faster.
      - Pools that have no files know V(raw) alone; there, that is the default.
      - Default on creation is V(qcow2). Cannot be changed afterwards.
    type: str
    choices:
      - qcow2
      - raw
  image:
    description:
      - Absolute path on the node of the disk image that a new volume is filled
        from, qcow2 or raw, which is converted to O(format) and enlarged to
        O(size).
      - A file that is no disk image is refused, and so is a qcow2 image that
        refers to another file.
      - It counts only on creation. For a volume that exists, another path
        is an error, and the same path changes nothing.
    type: str
  lun:
    description:
      - Number of the LUN that the volume takes, in a pool of type V(iscsi).
      - Left out, it is the smallest that is large enough, that no volume
        has, and on which neither a partition table nor a file system is to
        be seen. One that carries such is taken, and overwritten where there
        is an O(image), only if it is named here.
      - Cannot be changed afterwards.
    type: int
  instance:
    description:
      - Id or name of the instance to attach it to, a QEMU instance on the
        same node. Needs O(state=attached).
      - A volume that is attached to another instance must be detached there
        first.
    type: str
  device_name:
    description:
      - Name of the device within the instance, unique there, from 3 to 32
        ASCII letters, digits, dots, underscores and hyphens. The instance's
        boot order refers to it.
      - Chosen while attaching, C(disk-) and the end of the device path unless
        given. It stays until the volume is detached. Needs O(state=attached).
    type: str
  device_path:
    description:
      - Device path within the instance, unique there. C(/dev/vda) to C(/dev/vdz)
        for bus V(virtio), C(/dev/sda) to C(/dev/sdx) for V(sata) and V(scsi),
        which share these letters. What the guest calls the device is the
        guest's choice.
      - Chosen while attaching, the first that is free unless given. It stays
        until the volume is detached. Needs O(state=attached).
    type: str
  bus:
    description:
      - Bus of the device. V(virtio) is the fastest; V(sata) needs no driver
        in the guest.
      - Chosen while attaching, as O(device_path) says or else V(virtio).
        It stays until the volume is detached. Needs O(state=attached). A
        V(sata) device is attached and detached while the instance does not
        run, or with O(hot_plug=false); otherwise the task is refused.
    type: str
    choices:
      - virtio
      - sata
      - scsi
  read_only:
    description:
      - The guest cannot write to it. Needs O(state=attached), and a O(bus)
        other than V(sata). It stays until the volume is detached.
      - Default on creation is V(false).
    type: bool
  grow_by:
    description:
      - Make the volume larger by this much, written as O(size) is. Not together
        with O(size).
      - Each run of such a task makes the volume larger, so O(size) is what
        to use in a play that runs again and again. An interrupted growth
        is finished, not repeated.
      - A number without a unit counts bytes.
    type: str
  root:
    description:
      - Attach it as the instance's root volume, which cannot be detached
        and boots first. Counts only with O(state=attached).
    type: bool
  recreate_missing:
    description:
      - If the image file of a volume that exists is gone, make a new one,
        empty or from O(image). Without it the task fails then, because what
        was in it is lost.
    type: bool
    default: false
  force:
    description:
      - With O(state=absent), also where the volume's pool is not there, such
        as because its file system is not mounted. The volume is forgotten,
        and its data stays where it is. Without it such a volume is not removed.
    type: bool
    default: false
  hot_plug:
    description:
      - With O(state=attached) and O(state=detached), plug it into a running
        instance or unplug it at once. With V(false), the instance runs on
        as it is, and the change takes effect when it starts next. Until then
        a volume that was detached so can neither be destroyed nor attached
        to another instance that runs.
    type: bool
    default: true
  state:
    description:
      - V(present) creates the volume, or changes what is given and differs.
        Whether it is attached stays as it is.
      - V(attached) does that and attaches it to O(instance); a running instance
        gets it plugged in.
      - V(detached) does that and detaches it; a running guest must let go
        of it within 30 seconds.
      - V(absent) destroys it, with what is in it. It must not be attached.
    type: str
    choices:
      - present
      - attached
      - detached
      - absent
    default: present
requirements:
  - libvirt-python >= 9.0 (Debian package python3-libvirt)
  - qemu-img (Debian package qemu-utils)
notes:
  - A volume can also be created with the instance that it belongs to, see
    O(pextra.ce.instance#module:volumes).
seealso:
  - module: pextra.ce.volume_info
  - module: pextra.ce.instance
  - module: pextra.ce.storage_pool
"""

EXAMPLES = r"""
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
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
volume:
  description: The volume after the task, V(null) where it is absent.
  returned: success
  type: dict
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
    node_id:
      description: Identifier of the node that it is on.
      type: str
      sample: node-VF6lOEYQA-_cjIHCRFMbA
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
      description: Kind of the resource, V(volume), or V(instance) for what happens to the instance
        that it is attached to.
      type: str
      sample: volume
    name:
      description: Its name.
      type: str
      sample: data
    action:
      description:
        - In the store, V(create), V(update), V(delete), V(finish) for what an interrupted run
          left unfinished, or V(keep) for what it was to remove.
        - For the volume on the node, V(allocate), V(grow) or V(delete).
        - For the instance on the node, V(redefine) (its stored definition), V(plug) or V(unplug)
          (as it runs).
      type: str
      sample: grow
    before:
      description: The values that the step changes, as they were. V(null) where there was nothing.
      type: dict
      sample:
        size: 10737418240
    after:
      description: The values as they become. V(null) where nothing is left.
      type: dict
      sample:
        size: 12884901888
    needs_restart:
      description: Whether it takes effect only by restarting the instance.
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
        - V(restart_required), a change needs a restart that was not allowed.
        - V(unsupported), the node lacks what the request needs.
        - V(host), the node's hypervisor, network or disk refused, or did not answer in time.
        - V(verification), the node still differs after applying.
        - V(store), the database cannot be reached or used.
      type: str
      sample: conflict
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: volume "data"
    message:
      description: What was asked and what is there.
      type: str
      sample: 'size cannot shrink from 12GiB to 10GiB: that would destroy data'
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: null
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "storage_pool": {"type": "str"},
    "node": {"type": "str"},
    "description": {"type": "str"},
    "size": {"type": "str"},
    "format": {"type": "str", "choices": ["qcow2", "raw"]},
    "image": {"type": "str"},
    "lun": {"type": "int"},
    "instance": {"type": "str"},
    "device_name": {"type": "str"},
    "device_path": {"type": "str"},
    "bus": {"type": "str", "choices": ["virtio", "sata", "scsi"]},
    "read_only": {"type": "bool"},
    "grow_by": {"type": "str"},
    "root": {"type": "bool"},
    "recreate_missing": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "hot_plug": {"type": "bool", "default": True},
    "state": {
        "type": "str",
        "default": "present",
        "choices": ["present", "attached", "detached", "absent"],
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("volume", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
