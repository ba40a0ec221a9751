#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a disk the one that a node starts from."""

from __future__ import annotations

DOCUMENTATION = r"""
module: system_disk
short_description: Make a disk the one that a node starts from
version_added: 0.1.0
description:
  - Partitions a whole disk (GPT) and makes file systems - an EFI system partition of 1 GiB, the
    root partition with the rest, and a BIOS boot partition only where the machine starts that way.
  - B(Everything on the disk is erased), unless it already has exactly the partitions that the same
    O(token) makes, in which case only what is missing is made.
  - Mounts, swap, volumes and arrays that use the disk are stopped first. Nothing is written to
    other disks, also where a volume group or an array lies on several.
  - It refuses the disk of the running system, an installation medium, and a disk that cannot be
    written.
author:
  - pextra-ce contributors (@pextra-ce)
options:
  path:
    description: The whole disk's device.
    type: str
    required: true
  firmware:
    description: How the machine starts.
    type: str
    choices: [bios, uefi]
    required: true
  token:
    description:
      - Names this installation. GUIDs and UUIDs on the disk are made of it, so a second run with
        the same token changes nothing, and one with another erases everything.
    type: str
    required: true
  serial:
    description: The serial number that the disk must have, so that no other is erased by mistake.
    type: str
  size:
    description: The size in bytes that the disk must have.
    type: int
attributes:
  check_mode:
    description: Can run in check mode and say what a real run would do.
    support: full
  diff_mode:
    description: Shows what changes, before and after.
    support: none
notes:
  - It needs util-linux, C(fdisk), C(e2fsprogs) and C(dosfstools); C(dmsetup) and C(mdadm) where
    volumes or arrays are to be stopped.
"""

EXAMPLES = r"""
- name: Make a system disk
  pextra.ce.system_disk:
    path: /dev/nvme0n1
    serial: EX0001
    firmware: uefi
    token: 2f6a1f0e-first-try
  register: disk
"""

RETURN = r"""
partitions:
  description: The device of each partition, by name.
  returned: when the disk is partitioned
  type: dict
  sample: {esp: /dev/nvme0n1p1, root: /dev/nvme0n1p2}
uuids:
  description: The UUID of each file system, by the partition's name.
  returned: always
  type: dict
  sample: {esp: 6E8B-52C1, root: 0d3f2b8e-6f0c-5b7b-9c38-2f1f0ad6d0c4}
done:
  description: What was done, or would be in check mode.
  returned: always
  type: list
  elements: str
  sample: [erase /dev/nvme0n1p1, partition /dev/nvme0n1, make vfat on esp, make ext4 on root]
"""

# From here on generated from the engine's fields: make generate
from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "path": {"type": "str", "required": True},
    "firmware": {"type": "str", "required": True, "choices": ["bios", "uefi"]},
    "token": {"type": "str", "required": True, "no_log": False},
    "serial": {"type": "str"},
    "size": {"type": "int"},
}


def main() -> None:
    """Run the module."""
    run("system_disk", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
