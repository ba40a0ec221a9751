# SPDX-License-Identifier: Apache-2.0
"""What stands within the options ``cpu``, ``cloud_init`` and ``volumes`` of an instance."""

from __future__ import annotations

import dataclasses

from pextra.kinds.common import within
from pextra.kinds.instance import cloud_init
from pextra.kinds.volume.fields import CONTENT
from pextra.kinds.volume.place import ATTACHMENT
from pextra.model import units
from pextra.model.fields import Field
from pextra.model.values import document

CPU = (
    Field("sockets", "int", parse=within(1, 64), doc=("Processor sockets, from V(1) to V(64).",)),
    Field(
        "cores", "int", parse=within(1, 512), doc=("Cores of each socket, from V(1) to V(512).",)
    ),
    Field("threads", "int", parse=within(1, 8), doc=("Threads of each core, from V(1) to V(8).",)),
)

CLOUD_INIT = (
    Field(
        "user_data",
        "raw",
        secret=True,
        parse=cloud_init.parse_data,
        doc=(
            "User data. A mapping is a C(#cloud-config). A text begins with a line such as"
            " C(#cloud-config) or C(#!/bin/sh), by which cloud-init tells what it is. It often"
            " holds secrets.",
            "What is no valid C(#cloud-config) is refused. Where the node has the package"
            " C(cloud-init), its schema is checked too.",
        ),
    ),
    Field(
        "vendor_data",
        "raw",
        secret=True,
        parse=cloud_init.parse_data,
        doc=(
            "Vendor data, as O(cloud_init.user_data). User data goes before it, and the guest can"
            " ignore it.",
        ),
    ),
    Field(
        "meta_data",
        "dict",
        parse=document,
        doc=(
            "Metadata. C(instance-id) is the instance's id and C(local-hostname) its name, unless"
            " they are given here. An instance that was restored in its own place has the"
            " C(instance-id) that it had.",
        ),
    ),
    Field(
        "network_config",
        "raw",
        parse=cloud_init.parse_network,
        doc=(
            "Network configuration of version 1 or 2, as a mapping or as YAML. Left out, the guest"
            " uses DHCP on its first network device.",
        ),
    ),
    Field(
        "bus",
        choices=("scsi", "sata"),
        doc=(
            "Bus of the seed's drive. V(scsi) (virtio-scsi) unless given, for which the kernels of"
            " cloud images have a driver; many of them have none for V(sata). V(sata) is for guests"
            " without virtio drivers, such as Windows, on x86_64.",
            "A running instance gets the drive on another bus when it starts next.",
        ),
    ),
)

_OF_VOLUMES = {
    "size": (
        "Size, such as V(10GiB). A larger size makes an existing volume grow, a smaller one is an"
        " error.",
        "Required to create an empty volume. With O(volumes[].image), left out, it is the image's"
        " size.",
    ),
    "format": ("Format of the image file.",),
    "image": ("Absolute path on the node of the disk image that a new volume is filled from.",),
    "device_name": (
        "Name of the device, unique in the instance, from 3 to 32 ASCII letters, digits, dots,"
        " underscores and hyphens. Chosen while attaching unless given; it stays until the volume"
        " is detached.",
    ),
    "device_path": (
        "Device path, unique in the instance, such as V(/dev/vda). Chosen while attaching unless"
        " given; it stays until the volume is detached. See"
        " O(pextra.ce.volume#module:device_path).",
    ),
    "bus": (
        "Bus of the device. Chosen while attaching, as O(volumes[].device_path) says or else"
        " V(virtio); it stays until the volume is detached. A running instance gets and loses a"
        " V(sata) device only by a restart, see O(allow_restart).",
    ),
    "read_only": (
        "The guest cannot write to it. It stays as it is until the volume is detached. Not"
        " possible on bus V(sata).",
    ),
}
"""What is said here of fields that volumes have by themselves too."""
VOLUME = (
    Field(
        "name",
        required=True,
        parse=units.parse_name,
        doc=(
            "Name of the volume, unique in its pool on the node. See"
            " O(pextra.ce.volume#module:name).",
        ),
    ),
    Field(
        "storage_pool",
        doc=(
            "Id or name of the storage pool. Left out, it is the pool named V(local); so give it"
            " for volumes in other pools every time.",
        ),
    ),
    *(
        dataclasses.replace(item, required=False, implied=None, doc=_OF_VOLUMES[item.name])
        for item in (*CONTENT, *ATTACHMENT)
    ),
)
