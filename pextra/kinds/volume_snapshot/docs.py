# SPDX-License-Identifier: Apache-2.0
"""The documentation of snapshots of volumes, besides that of their fields."""

from __future__ import annotations

from pextra.model.documentation import Failure, KindDocs, Steps, Text

DOCS = KindDocs(
    noun="snapshot",
    nouns="snapshots",
    module=Text(
        short="Manage snapshots of volumes",
        description=(
            "Takes snapshots of volumes, goes back to them, and removes them.",
            "A volume has snapshots where its format or its pool can make them without copying it."
            " V(qcow2) images, volumes in a thin pool of LVM, ZFS volumes and RBD images do; raw"
            " image files, volumes of LVM without a thin pool, and LUNs do not, and are refused.",
            "A V(qcow2) image is left alone while an instance runs that uses it. The others have"
            " snapshots taken at any moment; what the guest has not written yet is not in them.",
        ),
        on_host=True,
        requirements=(
            "libvirt-python >= 9.0 (Debian package python3-libvirt)",
            "qemu-img (Debian package qemu-utils)",
        ),
        notes=("A volume with snapshots cannot be destroyed.",),
        seealso=("volume_snapshot_info", "volume"),
        examples="""
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
""",
    ),
    info=Text(
        short="List snapshots of volumes",
        description=("Lists the snapshots of one or of all volumes.",),
        on_host=True,
        requirements=("libvirt-python >= 9.0 (Debian package python3-libvirt), on a node",),
        seealso=("volume_snapshot",),
        examples="""
- name: List the snapshots of a volume
  pextra.ce.volume_snapshot_info:
    volume: data
  register: all

- name: Show when they were taken
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.creation }}"
  loop: "{{ all.volume_snapshots }}"
  loop_control:
    label: "{{ item.name }}"
""",
    ),
    states={
        "present": "takes the snapshot if it does not exist.",
        "reverted": "puts what is in the snapshot in the place of what is in the volume, each time"
        " it is run. The snapshot stays, and so does the size of the volume where that has grown"
        " since. No running instance may use the volume. A ZFS volume goes back to its newest"
        " snapshot only.",
        "absent": "removes it; the volume stays as it is.",
    },
    steps=Steps(
        name="before-upgrade",
        sample=("snapshot", None, {"size": 10737418240}),
        action=("On the node, V(snapshot), V(revert) or V(delete).",),
    ),
    failure=Failure(
        "conflict",
        'volume_snapshot "before-upgrade"',
        "a raw image file has no snapshots: use format qcow2",
    ),
    codes=("foreign", "unsupported", "host", "verification"),
)
