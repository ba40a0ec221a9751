#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/instance_snapshot: make generate
"""Manage snapshots of instances."""

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_snapshot
short_description: Manage snapshots of instances
version_added: 0.1.0
description:
  - Takes snapshots of all volumes of a QEMU instance at one moment, with its memory if that is
    wanted, goes back to them, and removes them.
  - Every volume must be able to have snapshots, see M(pextra.ce.volume_snapshot).
  - An instance that runs is paused meanwhile where all its pools can take snapshots of volumes
    in use. Where they cannot, as with V(qcow2) images, it is stopped with its memory in a file
    and goes on with it afterwards, which its guest notices as a pause. It takes as long as writing
    its memory does. What the guest has not yet written to a volume is in a snapshot with memory
    only.
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
      - Name of the snapshot, unique among those of the instance.
      - From 1 to 63 ASCII letters, digits, spaces, dots, underscores and hyphens, beginning and
        ending with a letter or digit.
      - Required to create one. Cannot be changed afterwards.
    type: str
  instance:
    description:
      - Id or name of the instance, on the node that the task runs on.
      - Required to create one. Cannot be changed afterwards.
    type: str
  description:
    description:
      - Text for people, of up to 1024 characters.
      - Default on creation is empty, and an empty string clears it.
    type: str
  memory:
    description:
      - Keep what is in the memory of an instance that runs, so that it can go on from there. The
        file is as large as the memory in use, and only root can read it.
      - Default on creation is V(false). Cannot be changed afterwards.
    type: bool
  state:
    description:
      - V(present) takes the snapshot if it does not exist.
      - V(reverted) puts what is in the snapshot in the place of what is in the volumes, each time
        it is run. The snapshot stays, and so do the sizes of volumes that have grown since and
        the definition of the instance. With memory, an instance that runs is ended and goes on
        from the snapshot; without, it must be stopped first. A ZFS volume goes back to its newest
        snapshot only.
      - V(absent) removes it; the instance stays as it is.
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
  - An instance with snapshots cannot be removed, nor a volume that has a part in one.
  - UEFI variables and what a TPM keeps are in a snapshot only as far as they are in memory.
seealso:
  - module: pextra.ce.instance_snapshot_info
  - module: pextra.ce.instance_backup
  - module: pextra.ce.volume_snapshot
"""

EXAMPLES = r"""
- name: Take a snapshot of an instance, running or not
  pextra.ce.instance_snapshot:
    name: before-upgrade
    instance: web1

- name: Stop it
  pextra.ce.instance:
    name: web1
    state: killed

- name: Go back to the snapshot
  pextra.ce.instance_snapshot:
    name: before-upgrade
    instance: web1
    state: reverted

- name: Remove it
  pextra.ce.instance_snapshot:
    name: before-upgrade
    instance: web1
    state: absent
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
instance_snapshot:
  description: The snapshot after the task, V(null) where it is absent.
  returned: success
  type: dict
  contains:
    id:
      description: Identifier, C(isnap-) and 21 characters.
      type: str
      sample: isnap-u5WWvhB-SnHfMxB01fuzw
    node_id:
      description: Identifier of the node that it is on.
      type: str
      sample: node-VF6lOEYQA-_cjIHCRFMbA
    name:
      description: Name of the snapshot.
      type: str
      sample: before-upgrade
    instance_id:
      description: Identifier of the instance that it is of.
      type: str
      sample: inst-nbMz2FW4nWGPBWlN7FMJn
    description:
      description: Text for people.
      type: str
      sample: Production
    memory:
      description: Whether it has the instance's memory.
      type: bool
      sample: false
    state:
      description: How the instance ran when it was taken, V(running), V(paused) or V(stopped).
      type: str
      sample: running
    volumes:
      description: The volumes that were attached, by device path.
      type: list
      elements: dict
      contains:
        id:
          description: Identifier.
          type: str
          sample: vol-ufbaJ57FmvldEh0eHlAuz
        name:
          description: Name.
          type: str
          sample: web-root
        size:
          description: Size then, in bytes.
          type: int
          sample: 10737418240
    reverting:
      description: Whether going back to it was begun and not finished. The instance is not started
        then.
      type: bool
      sample: false
    reverted:
      description: When the instance last went back to it, in UTC, V(null) if it never did.
      type: str
      sample: null
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
      description: Kind of the resource, V(instance_snapshot).
      type: str
      sample: instance_snapshot
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
        volumes:
          - web-root
        memory: false
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
      sample: instance_snapshot "before-upgrade"
    message:
      description: What was asked and what is there.
      type: str
      sample: 'volume "data": a raw image file has no snapshots: use format qcow2'
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: null
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "instance": {"type": "str"},
    "description": {"type": "str"},
    "memory": {"type": "bool"},
    "state": {"type": "str", "default": "present", "choices": ["present", "reverted", "absent"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("instance_snapshot", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
