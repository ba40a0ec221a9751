#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back instances up to files, and restore them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_backup
short_description: Back instances up to files, and restore them
version_added: 0.1.0
description:
  - Writes a QEMU instance, its definition and the contents of its volumes, to one file on its node,
    and makes instances from such files.
  - The volumes are those of one moment. An instance that runs is not disturbed; what its guest has
    not yet written to a volume is not in the backup.
  - The file is a tar archive of C(manifest.json), the volumes as qcow2 images, and C(SHA256SUMS),
    which C(sha256sum --check) reads. It has what the instance has of secrets, such as the user
    data of cloud-init, and only root reads it.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
options:
  path:
    description:
      - Absolute path of the file on the node. The directory must exist.
      - The file appears when it is complete. Until then C(PATH.progress) says how far it is. Copies
        of the volumes are made below C(/var/lib/pextra-ce/staging), which needs the space for them.
    type: str
    required: true
  instance:
    description:
      - Id or name of the instance to back up. Needed with O(state=present).
    type: str
  name:
    description:
      - Name of the instance that is restored. Left out, it has the name of the one that was backed
        up, and that must not exist.
      - With another name, volumes are named after it, and network devices get MAC addresses of
        their own.
    type: str
  storage_pool:
    description:
      - Id or name of the storage pool that volumes are restored to. Left out, each is restored to
        the pool of the name that it was in.
    type: str
  force:
    description:
      - Replace a file that is there. Without it a backup of the same instance stays as it is, and
        any other file is an error.
    type: bool
    default: false
  state:
    description:
      - V(present) makes the backup, if the file is not there.
      - V(restored) makes an instance from it, with identifiers of its own, and does not start it.
        The whole file is checked first, and a damaged one changes nothing. An instance that came
        from this backup already stays as it is. Drives are empty where the node does not have
        the medium.
    type: str
    choices: [present, restored]
    default: present
requirements:
  - libvirt-python >= 9.0 (Debian package python3-libvirt)
  - qemu-img (Debian package qemu-utils)
notes:
  - UEFI variables, what a TPM keeps, snapshots and the memory are not in a backup.
seealso:
  - module: pextra.ce.instance
  - module: pextra.ce.instance_snapshot
"""

EXAMPLES = r"""
- name: Back an instance up, running or not
  pextra.ce.instance_backup:
    instance: web1
    path: /srv/backup/web1.tar

- name: Make another instance from it
  pextra.ce.instance_backup:
    path: /srv/backup/web1.tar
    name: web3
    state: restored
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
instance_backup:
  description: The backup.
  returned: success
  type: dict
  contains:
    path:
      description: The file.
      type: str
      sample: /srv/backup/web1.tar
    size:
      description: Its size in bytes, V(null) if it is not there yet.
      type: int
      sample: 10485760
    id:
      description: Identifier, C(backup-) and 21 characters.
      type: str
      sample: backup-F4zhjmVZkY9wuJ6Gnmb4A
    creation:
      description: When it was made, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    instance_id:
      description: The instance that it was made of.
      type: str
      sample: inst-ZSxAk6GTyjLSJeLCZV9dW
    name:
      description: The name that the instance had.
      type: str
      sample: web1
    state:
      description:
        - How it ran then, V(running), V(paused) or V(stopped). V(null) in check mode.
      type: str
      sample: running
    volumes:
      description: The names of its volumes, the root volume first.
      type: list
      elements: str
      sample: [web1-root]
instance:
  description: The restored instance, as M(pextra.ce.instance) returns it.
  returned: success, with O(state=restored)
  type: dict
  sample: {}
plan:
  description:
    - The steps in the order in which they were carried out; in check mode, would be. Empty if
      everything is as asked already.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description:
        - V(instance_backup); with O(state=restored), the kinds of what M(pextra.ce.instance) makes.
      type: str
      sample: instance_backup
    name:
      description: Its name; of a backup, that of the instance.
      type: str
      sample: web1
    action:
      description: V(create); with O(state=restored), what M(pextra.ce.instance) does.
      type: str
      sample: create
    before:
      description: The values that the step changes, as they were. V(null) where there was nothing.
      type: dict
      sample: null
    after:
      description: The values as they become.
      type: dict
      sample:
        path: /srv/backup/web1.tar
        volumes: [web1-root]
    needs_restart:
      description: Always V(false).
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
        - V(secret), a secret cannot be encrypted or read, as the node does not have the key.
        - V(store), the database cannot be reached or used.
      type: str
      sample: conflict
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: instance "web"
    message:
      description: What was asked and what is there.
      type: str
      sample: does not exist
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: null
"""

# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "path": {"type": "str", "required": True},
    "instance": {"type": "str"},
    "name": {"type": "str"},
    "storage_pool": {"type": "str"},
    "force": {"type": "bool", "default": False},
    "state": {"type": "str", "default": "present", "choices": ["present", "restored"]},
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("instance_backup", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
