# SPDX-License-Identifier: Apache-2.0
"""The documentation of snapshots of instances, besides that of their fields."""

from __future__ import annotations

from pextra.model.documentation import Failure, KindDocs, Steps, Text

DOCS = KindDocs(
    noun="snapshot",
    nouns="snapshots",
    module=Text(
        short="Manage snapshots of instances",
        description=(
            "Takes snapshots of all volumes of a QEMU instance at one moment, with its memory if"
            " that is wanted, goes back to them, and removes them.",
            "Every volume must be able to have snapshots, see M(pextra.ce.volume_snapshot).",
            "An instance that runs is paused meanwhile where all its pools can take snapshots of"
            " volumes in use. Where they cannot, as with V(qcow2) images, it is stopped with its"
            " memory in a file and goes on with it afterwards, which its guest notices as a"
            " pause. It takes as long as writing its memory does. What the guest has not yet"
            " written to a volume is in a snapshot with memory only.",
        ),
        on_host=True,
        requirements=(
            "libvirt-python >= 9.0 (Debian package python3-libvirt)",
            "qemu-img (Debian package qemu-utils)",
        ),
        notes=(
            "An instance with snapshots cannot be removed, nor a volume that has a part in one.",
            "UEFI variables and what a TPM keeps are in a snapshot only as far as they are in"
            " memory.",
        ),
        seealso=("instance_snapshot_info", "instance_backup", "volume_snapshot"),
        examples="""
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
""",
    ),
    info=Text(
        short="List snapshots of instances",
        description=("Lists the snapshots of one or of all instances.",),
        on_host=True,
        requirements=("libvirt-python >= 9.0 (Debian package python3-libvirt), on a node",),
        seealso=("instance_snapshot",),
        examples="""
- name: List the snapshots of an instance
  pextra.ce.instance_snapshot_info:
    instance: web1
  register: all

- name: Show when they were taken
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.creation }}"
  loop: "{{ all.instance_snapshots }}"
  loop_control:
    label: "{{ item.name }}"
""",
    ),
    states={
        "present": "takes the snapshot if it does not exist.",
        "reverted": "puts what is in the snapshot in the place of what is in the volumes, each"
        " time it is run. The snapshot stays, and so do the sizes of volumes that have grown"
        " since and the definition of the instance. With memory, an instance that runs is ended"
        " and goes on from the snapshot; without, it must be stopped first. A ZFS volume goes"
        " back to its newest snapshot only.",
        "absent": "removes it; the instance stays as it is.",
    },
    steps=Steps(
        name="before-upgrade",
        sample=("snapshot", None, {"volumes": ["web-root"], "memory": False}),
        action=("On the node, V(snapshot), V(revert) or V(delete).",),
    ),
    failure=Failure(
        "conflict",
        'instance_snapshot "before-upgrade"',
        'volume "data": a raw image file has no snapshots: use format qcow2',
    ),
    codes=("foreign", "unsupported", "host", "verification"),
)
