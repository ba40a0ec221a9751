# SPDX-License-Identifier: Apache-2.0
"""The fields of instances: what a request may say, and what is returned."""

from __future__ import annotations

import re
from typing import Any

from pextra.kinds.common import DESCRIPTION, THIS_NODE, parse_path, within
from pextra.kinds.instance.suboptions import CLOUD_INIT, CPU, VOLUME
from pextra.kinds.instance_device import kind as instance_device
from pextra.kinds.network_device import kind as network_device
from pextra.model import units
from pextra.model.errors import InputError
from pextra.model.fields import Change, Field
from pextra.model.returned import Returned


def _memory(value: Any) -> int:
    size = units.parse_size(value, bare=units.MIB)
    if size % units.MIB or not 16 * units.MIB <= size <= 64 * units.TIB:
        raise InputError(
            f"{value} is no whole number of MiB from 16MiB to 64TiB",
            hint="Write 2GiB, or a number of MiB",
        )
    return size // units.MIB


def _pattern(value: Any) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise InputError(f"{value!r} is not a regular expression: {error}") from None
    return str(value)


def _distinct(devices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    seen = set()
    for device in devices:
        key = device.get("storage_pool"), device["name"]
        if key in seen:
            raise InputError(f"{device['name']} is listed twice")
        seen.add(key)
    return devices


FIELDS = (
    Field(
        "name",
        parse=units.parse_hostname,
        required=True,
        change=Change.IMMUTABLE,
        doc=(
            "Name of the instance and its domain, unique in the cluster. One DNS label, from 1 to"
            " 63 ASCII letters, digits and hyphens, beginning and ending with a letter or digit.",
        ),
        returned=Returned("Name of the instance, and of its libvirt domain.", sample="web"),
    ),
    THIS_NODE,
    DESCRIPTION,
    Field(
        "type",
        choices=("qemu", "lxc"),
        default="qemu",
        change=Change.IMMUTABLE,
        doc=(
            "V(qemu) for a virtual machine, V(lxc) for a system container, which has a O(rootfs)"
            " or O(rootfs_archive) and neither volumes, O(devices), O(cdrom), O(cloud_init) nor"
            " O(boot_order).",
        ),
        returned=Returned("V(qemu) is a virtual machine, V(lxc) a container.", sample="qemu"),
    ),
    Field(
        "cpu",
        "dict",
        options=CPU,
        change=Change.RESTART,
        default={"sockets": 1, "cores": 1, "threads": 1},
        doc=(
            "Virtual processors, O(cpu.sockets) times O(cpu.cores) times O(cpu.threads). What is"
            " left out stays as it is.",
        ),
        returned=Returned(
            "Virtual processors.",
            "dict",
            contains={
                "sockets": Returned("Sockets.", "int", sample=1),
                "cores": Returned("Cores of each socket.", "int", sample=2),
                "threads": Returned("Threads of each core.", "int", sample=1),
            },
        ),
    ),
    Field(
        "memory",
        parse=_memory,
        required=True,
        change=Change.RESTART,
        unit="MiB",
        doc=(
            "Memory, from 16 MiB to 64 TiB. With a unit it is written such as V(2GiB), and must be"
            " a whole number of MiB.",
        ),
        returned=Returned("Memory in MiB.", "int", sample=512),
    ),
    Field(
        "chipset",
        choices=("q35", "i440fx"),
        default="q35",
        change=Change.IMMUTABLE,
        doc=(
            "Chipset of a QEMU instance on x86_64, V(q35) (PCI Express, SATA) or V(i440fx), for"
            " guests that know nothing newer than PCI and IDE. Other machines have the one that"
            " there is.",
        ),
        returned=Returned("V(q35) or V(i440fx).", sample="q35"),
    ),
    Field(
        "firmware",
        choices=("bios", "uefi"),
        default="bios",
        change=Change.IMMUTABLE,
        doc=(
            "What a QEMU instance boots with, V(bios) (x86_64 only) or V(uefi) (without Secure"
            " Boot).",
        ),
        returned=Returned("V(bios) or V(uefi).", sample="bios"),
    ),
    Field(
        "autostart",
        "bool",
        default=False,
        doc=(
            "Start the instance when its node starts. A change takes effect at once and starts"
            " nothing now.",
        ),
        returned=Returned("Whether it starts with its node.", "bool", sample=True),
    ),
    Field(
        "boot_order",
        "list",
        elements="str",
        default=[],
        doc=(
            "What to boot from, as a list of names of its devices, the device names of volumes,"
            " the names of network devices, CD-ROM drives and USB devices, and V(cdrom) for the"
            " drive of O(cdrom). What is not listed is not booted from. The list replaces the one"
            " before.",
            "An empty list means the root volume, then the CD-ROM image.",
            "A change takes effect when the instance starts next, and is no reason to restart it.",
        ),
        returned=Returned(
            "Names of devices, the first is tried first. Empty is the root volume, then the"
            " CD-ROM.",
            "list",
            elements="str",
            sample=[],
        ),
    ),
    Field(
        "cdrom",
        nullable=True,
        parse=parse_path,
        doc=(
            "Absolute path on the node of a CD-ROM image, which must exist, in a drive of its own"
            " on SATA (virtio-scsi on aarch64). More drives, and drives on other buses, are"
            " O(devices).",
            "Changing the image in a drive takes effect at once, and clearing it ejects it. A"
            " running instance that has no drive yet needs a restart to get one, see"
            " O(allow_restart).",
        ),
        returned=Returned("The image in its CD-ROM drive, V(null) without one."),
    ),
    Field(
        "cloud_init",
        "dict",
        nullable=True,
        options=CLOUD_INIT,
        doc=(
            "What the guest's cloud-init configures itself from. It gets a NoCloud seed, a CD-ROM"
            " image that only root and the hypervisor can read. What is left out stays as it is."
            " Clearing it takes the seed away.",
            "A running guest sees a changed seed at once but heeds it when it boots next, and much"
            " of it only with another C(instance-id), as cloud-init does. A running instance"
            " without a seed needs a restart to get one, see O(allow_restart).",
        ),
        shown=False,
    ),
    Field(
        "rootfs",
        parse=parse_path,
        change=Change.IMMUTABLE,
        doc=(
            "Absolute path on the node of the directory that is the container's root file system,"
            " with C(/sbin/init) in it. The module neither makes nor removes it.",
            "An instance of type V(lxc) needs it or O(rootfs_archive), others refuse it.",
        ),
        backed_up=False,
        returned=Returned("Root file system of a container, V(null) for a virtual machine."),
    ),
    Field(
        "rootfs_archive",
        parse=parse_path,
        change=Change.IMMUTABLE,
        doc=(
            "Absolute path on the node of a tar, tar.gz or tar.zst archive with the container's"
            " root file system, C(/sbin/init) in it. It is unpacked for this container when that"
            " is created, with owners and modes as they are in the archive, below"
            " C(/var/lib/pextra-ce/containers). Device nodes are left out. It is not looked at"
            " later.",
            "What was unpacked goes with the instance, which takes O(destroy_volumes=true).",
        ),
        backed_up=False,
        returned=Returned("The archive that it was unpacked from, V(null) if none."),
    ),
    Field(
        "volumes",
        "list",
        elements="dict",
        options=VOLUME,
        stored=False,
        parse=_distinct,
        doc=(
            "Volumes of the instance, by name. A volume that does not exist is created on the way,"
            " one that exists and is attached nowhere is attached, and what is given and differs"
            " is changed as M(pextra.ce.volume) does. A running instance gets them plugged in.",
            "The first of the list becomes the root volume of an instance that has none.",
            "Volumes that are attached and not in the list stay, unless O(purge) says otherwise.",
        ),
    ),
    Field(
        "networks",
        "list",
        elements="dict",
        options=network_device.OPTIONS,
        stored=False,
        parse=_distinct,
        doc=(
            "Network devices of the instance, by name. What is given and differs is changed; a"
            " running instance gets devices plugged in.",
            "The guest finds them in the order in which they were given first; one that is added"
            " comes last.",
            "Devices that are there and not in the list stay, unless O(purge) says otherwise.",
        ),
    ),
    Field(
        "devices",
        "list",
        elements="dict",
        options=instance_device.OPTIONS,
        stored=False,
        parse=_distinct,
        doc=(
            "CD-ROM drives, TPMs, random number generators and USB devices of a QEMU instance, by"
            " name. What is given and differs is changed. O(hot_plug) says what becomes of a"
            " running instance.",
            "Devices that are there and not in the list stay, unless O(purge) says otherwise.",
        ),
    ),
)

STEERING = (
    Field(
        "timeout",
        "int",
        default=60,
        parse=within(1, 3600),
        unit="seconds",
        doc=(
            "How long to wait for a guest to shut down, and for O(wait_console), from V(1) to"
            " V(3600). When that has passed the task fails; what was changed stays, and the next"
            " run goes on from there.",
        ),
    ),
    Field(
        "allow_restart",
        "bool",
        default=False,
        doc=(
            "Restart a running instance if a change needs it. The guest is asked to shut down and"
            " has O(timeout) to do so.",
            "Without it such a change fails before anything is changed, naming the field, its"
            " current and its desired value. In check mode it fails in the same way.",
        ),
    ),
    Field(
        "destroy_volumes",
        "bool",
        default=False,
        doc=(
            "With O(state=absent), also destroy the volumes that are attached to the instance,"
            " with what is in them. Without it they are detached and stay, and a container whose"
            " root file system came from a O(rootfs_archive) is not removed.",
        ),
    ),
    Field(
        "force",
        "bool",
        default=False,
        doc=(
            "With O(state=absent), also where another tool keeps something of the instance in"
            " libvirt: snapshots (C(virsh snapshot-create)), checkpoints, or its saved memory."
            " Libvirt forgets them, and the memory is lost. Files that they are in stay where they"
            " are. Without it such an instance is not removed.",
        ),
    ),
    Field(
        "commit_overlays",
        "bool",
        default=False,
        doc=(
            "Where another tool has put an overlay over a volume, such as C(virsh"
            " snapshot-create-as --disk-only) does, write back into the volume what is in it, also"
            " while the instance runs. The overlay's file stays, and is not used any more.",
            "Without it such an instance is not changed at all, because what its guest has written"
            " since would be lost.",
        ),
    ),
    Field(
        "discard_saved",
        "bool",
        default=False,
        doc=(
            "Where another tool has saved the memory of an instance (C(virsh managedsave)), give it"
            " up: what its guest had not written to its disks is lost, and it boots when it starts"
            " next.",
            "Without it the instance goes on from its memory when it is started, and nothing that"
            " the memory goes with is changed until then: neither its devices nor its volumes."
            " O(state=restarted) is refused, because what goes on does not boot.",
        ),
    ),
    Field(
        "wait_console",
        parse=_pattern,
        doc=(
            "Python regular expression to wait for on the serial console of a QEMU instance, with"
            " O(state=started) or O(state=restarted). C(^) and C($) match at lines.",
            "If this run has started the instance, what the console shows from then on counts;"
            " otherwise all that its log holds. When O(timeout) has passed the task fails with"
            " the console's last lines.",
            "It is no change by itself, and is not waited for in check mode.",
        ),
    ),
    Field(
        "purge",
        "list",
        elements="str",
        choices=("volumes", "networks", "devices"),
        default=[],
        doc=(
            "Make O(volumes), O(networks) or O(devices) the whole truth. V(volumes) detaches the"
            " volumes that are not listed, without destroying them, and never the root volume."
            " V(networks) removes the network devices that are not listed. V(devices) removes"
            " those that are not listed, a TPM with what it keeps. A list that is left out purges"
            " nothing.",
        ),
    ),
    Field(
        "hot_plug",
        "bool",
        default=True,
        doc=(
            "Plug devices into a running instance and unplug them at once, and change media. What"
            " cannot be done while it runs (bus V(sata), new CD-ROM drives, TPMs, the first USB"
            " device, and what finds no free place on the PCI bus) needs a restart, see"
            " O(allow_restart).",
            "An instance has at least eight free places when it starts, and a new one with the"
            " chipset V(q35) so many that all virtio volumes that it can have are plugged in.",
            "With V(false), a running instance keeps the devices that it runs with, and gets the"
            " others when it starts next.",
        ),
    ),
)

COMPUTED = {
    "cluster_id": Returned("Identifier of the cluster that the instance belongs to."),
    "restored_from": Returned("The backup that it was restored from, V(null) if none."),
}
