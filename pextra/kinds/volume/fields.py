# SPDX-License-Identifier: Apache-2.0
"""The fields of volumes: what a request may say, and what is returned."""

from __future__ import annotations

from pextra.kinds.common import (
    DESCRIPTION,
    FIXED_NAME,
    THIS_NODE,
    parse_path,
    within,
)
from pextra.kinds.volume.place import ATTACHMENT
from pextra.model import kinds, units
from pextra.model.errors import InputError
from pextra.model.fields import Change, Field, documented
from pextra.model.returned import Returned


def parse_volume_size(value: int | str) -> int:
    size = units.parse_size(value)
    if not units.MIB <= size <= 64 * units.TIB:
        raise InputError(
            f"{value} is {size} bytes, possible are 1MiB to 64TiB",
            hint="Write a unit: 10GiB",
        )
    return -(-size // 512) * 512


CONTENT = (
    Field(
        "size",
        parse=parse_volume_size,
        required=True,
        unit="bytes",
        doc=(
            "Size that a guest sees, from 1 MiB to 64 TiB, rounded up to 512 bytes.",
            "A number with a unit, binary V(KiB), V(MiB), V(GiB), V(TiB) (or V(K), V(M), V(G),"
            " V(T)), or decimal V(KB), V(MB), V(GB), V(TB).",
            "A larger size than the volume has makes it grow, at once, also while the instance"
            " runs. The guest then grows its partitions and file systems by its own means. A"
            " smaller size is an error.",
        ),
        implied="the size of the O(image), which it must not be below. An empty volume needs it",
        returned=Returned("Bytes that a guest sees, as they should be.", "int", sample=10737418240),
    ),
    Field(
        "format",
        choices=("qcow2", "raw"),
        default="qcow2",
        change=Change.IMMUTABLE,
        doc=(
            "Format of the volume. V(qcow2) takes the space that the guest has written, and can"
            " have snapshots; as a file V(raw) is sparse, too, and a little faster.",
            "Pools that have no files know V(raw) alone; there, that is the default.",
        ),
        returned=Returned("Format of the image.", sample="qcow2"),
    ),
    Field(
        "image",
        parse=parse_path,
        doc=(
            "Absolute path on the node of the disk image that a new volume is filled from, qcow2"
            " or raw, which is converted to O(format) and enlarged to O(size).",
            "A file that is no disk image is refused, and so is a qcow2 image that refers to"
            " another file.",
            "It counts only on creation. For a volume that exists, another path is an error, and"
            " the same path changes nothing.",
        ),
        returned=Returned("The image file that it was filled from, V(null) where it began empty."),
    ),
)

FIELDS = (
    documented(
        FIXED_NAME,
        "Name of the volume, unique in its pool on its node.",
        returned=Returned("Name of the volume.", sample="data"),
    ),
    Field(
        "storage_pool",
        ref=kinds.STORAGE_POOL,
        required=True,
        change=Change.IMMUTABLE,
        doc=("Id or name of the storage pool, which must be enabled on the node.",),
        implied="the pool named V(local). The name is looked for in that pool, so give it for"
        " volumes in other pools every time",
        returned=Returned("Identifier of its storage pool."),
    ),
    THIS_NODE,
    DESCRIPTION,
    *CONTENT,
    Field(
        "lun",
        "int",
        change=Change.IMMUTABLE,
        parse=within(0, 16383),
        doc=(
            "Number of the LUN that the volume takes, in a pool of type V(iscsi).",
            "Left out, it is the smallest that is large enough, that no volume has, and on which"
            " neither a partition table nor a file system is to be seen. One that carries such is"
            " taken, and overwritten where there is an O(image), only if it is named here.",
        ),
        backed_up=False,
        returned=Returned("The LUN that it is, V(null) but in a pool of type V(iscsi).", "int"),
    ),
    Field(
        "instance",
        ref=kinds.INSTANCE,
        doc=(
            "Id or name of the instance to attach it to, a QEMU instance on the same node. Needs"
            " O(state=attached).",
            "A volume that is attached to another instance must be detached there first.",
        ),
        backed_up=False,
        returned=Returned(
            "Identifier of the instance that it is attached to, V(null) without one."
        ),
    ),
    *ATTACHMENT,
)

STEERING = (
    Field(
        "grow_by",
        parse=parse_volume_size,
        unit="bytes",
        doc=(
            "Make the volume larger by this much, written as O(size) is. Not together with"
            " O(size).",
            "Each run of such a task makes the volume larger, so O(size) is what to use in a play"
            " that runs again and again. An interrupted growth is finished, not repeated.",
        ),
    ),
    Field(
        "root",
        "bool",
        doc=(
            "Attach it as the instance's root volume, which cannot be detached and boots first."
            " Counts only with O(state=attached).",
        ),
    ),
    Field(
        "recreate_missing",
        "bool",
        default=False,
        doc=(
            "If the image file of a volume that exists is gone, make a new one, empty or from"
            " O(image). Without it the task fails then, because what was in it is lost.",
        ),
    ),
    Field(
        "force",
        "bool",
        default=False,
        doc=(
            "With O(state=absent), also where the volume's pool is not there, such as because its"
            " file system is not mounted. The volume is forgotten, and its data stays where it is."
            " Without it such a volume is not removed.",
        ),
    ),
    Field(
        "hot_plug",
        "bool",
        default=True,
        doc=(
            "With O(state=attached) and O(state=detached), plug it into a running instance or"
            " unplug it at once. With V(false), the instance runs on as it is, and the change"
            " takes effect when it starts next. Until then a volume that was detached so can"
            " neither be destroyed nor attached to another instance that runs.",
        ),
    ),
)

COMPUTED = {
    "id": Returned("Identifier, C(vol-) and 21 characters. The image file is named by it."),
    "is_root": Returned(
        "Whether it is the instance's root volume, which cannot be detached.", "bool", sample=False
    ),
}
