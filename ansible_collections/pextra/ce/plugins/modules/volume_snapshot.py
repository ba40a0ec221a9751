#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/volume_snapshot: make generate
"""Manage snapshots of volumes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_snapshot
short_description: Manage snapshots of volumes
version_added: 0.1.0
description:
  - Takes snapshots of volumes, goes back to them, and removes them.
  - A volume has snapshots where its format or its pool can make them without copying it. V(qcow2)
    images, volumes in a thin pool of LVM, ZFS volumes and RBD images do; raw image files, volumes
    of LVM without a thin pool, and LUNs do not, and are refused.
  - A V(qcow2) image is left alone while an instance runs that uses it. The others have snapshots
    taken at any moment; what the guest has not written yet is not in them.
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
      - Name of the snapshot, unique among those of the volume.
      - From 1 to 63 ASCII letters, digits, spaces, dots, underscores and hyphens, beginning and
        ending with a letter or digit.
      - Required to create one. Cannot be changed afterwards.
    type: str
  volume:
    description:
      - Id or name of the volume, on the node that the task runs on.
      - Required to create one. Cannot be changed afterwards.
    type: str
  storage_pool:
    description:
      - Id or name of the storage pool that a volume which is named by its name is looked for
        in.
      - Left out, it is the pool named V(local).
    type: str
  description:
    description:
      - Text for people, of up to 1024 characters.
      - Default on creation is empty, and an empty string clears it.
    type: str
  state:
    description:
      - V(present) takes the snapshot if it does not exist.
      - V(reverted) puts what is in the snapshot in the place of what is in the volume, each time
        it is run. The snapshot stays, and so does the size of the volume where that has grown
        since. No running instance may use the volume. A ZFS volume goes back to its newest snapshot
        only.
      - V(absent) removes it; the volume stays as it is.
    type: str
    choices:
      - present
      - reverted
      - absent
    default: present
requirements:
  - libvirt-python >= 9.0 (Debian package python3-libvirt)
  - qemu-img (Debian package qemu-utils)
notes:
  - A volume with snapshots cannot be destroyed.
seealso:
  - module: pextra.ce.volume_snapshot_info
  - module: pextra.ce.volume
"""

EXAMPLES = r"""
- name: Take a snapshot of a volume in the pool "local"
  pextra.ce.volume_snapshot:
    name: before-upgrade
    volume: data

- name: Go back to it
  pextra.ce.volume_snapshot:
    name: before-upgrade
    volume: data
    state: reverted

- name: Remove it
  pextra.ce.volume_snapshot:
    name: before-upgrade
    volume: data
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
volume_snapshot:
  description: The snapshot after the task, V(null) where it is absent.
  returned: success
  type: dict
  contains:
    id:
      description: Identifier, C(snap-) and 21 characters.
      type: str
      sample: snap-HCcyTwE3BcvwxJ89O7EDx
    node_id:
      description: Identifier of the node that it is on.
      type: str
      sample: node-VF6lOEYQA-_cjIHCRFMbA
    name:
      description: Name of the snapshot.
      type: str
      sample: before-upgrade
    volume_id:
      description: Identifier of the volume that it is of.
      type: str
      sample: vol-ufbaJ57FmvldEh0eHlAuz
    description:
      description: Text for people.
      type: str
      sample: Production
    size:
      description: Size of the volume when it was taken, in bytes.
      type: int
      sample: 10737418240
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
      description: Kind of the resource, V(volume_snapshot).
      type: str
      sample: volume_snapshot
    name:
      description: Its name.
      type: str
      sample: before-upgrade
    action:
      description:
        - In the store, V(create), V(update), V(delete), V(finish) for what an interrupted run
          left unfinished, or V(keep) for what it was to remove.
        - On the node, V(snapshot), V(revert) or V(delete).
      type: str
      sample: snapshot
    before:
      description: The values that the step changes, as they were. V(null) where there was nothing.
      type: dict
      sample: null
    after:
      description: The values as they become. V(null) where nothing is left.
      type: dict
      sample:
        size: 10737418240
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
        - V(unsupported), the node lacks what the request needs.
        - V(host), the node's hypervisor, network or disk refused, or did not answer in time.
        - V(verification), the node still differs after applying.
        - V(store), the database cannot be reached or used.
      type: str
      sample: conflict
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: volume_snapshot "before-upgrade"
    message:
      description: What was asked and what is there.
      type: str
      sample: 'a raw image file has no snapshots: use format qcow2'
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: null
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "volume": {"type": "str"},
    "storage_pool": {"type": "str"},
    "description": {"type": "str"},
    "state": {"type": "str", "default": "present", "choices": ["present", "reverted", "absent"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("volume_snapshot", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
