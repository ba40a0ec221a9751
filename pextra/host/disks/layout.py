# SPDX-License-Identifier: Apache-2.0
"""The partitions of a system disk: what they are, and whether a disk has them. Pure.

Sources: the UEFI specification 2.10, chapter 5 (GPT); the Discoverable Partitions Specification
for the types; sfdisk(8) for its scripts and JSON.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pextra.model.units import GIB, MIB

_NAMESPACE = uuid.UUID("0b1e8c4e-7a6b-5d7a-9d3c-4d1c7f1f6a52")
ESP_SIZE = GIB
ROOT_LABEL = "pextra-root"
"""Of the root file system, by which a node is known without looking into it."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition; ``code`` is what sgdisk calls its type."""

    number: int
    name: str
    code: str
    type: str
    file_system: str | None
    start: int | None = None
    size: int | None = None


_ESP = Partition(1, "esp", "EF00", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "vfat", size=ESP_SIZE)
_ROOT = Partition(2, "root", "8300", "0FC63DAF-8483-4772-8E79-3D69D8477DE4", "ext4")
# In front of the others, but numbered behind them: the numbers are the same on every machine.
_BIOS = Partition(
    3, "bios", "EF02", "21686148-6449-6E6F-744E-656564454649", None, start=MIB, size=MIB
)


def wanted(firmware: str) -> tuple[Partition, ...]:
    """The partitions, in the order in which they are made.

    Args:
        firmware: ``bios`` or ``uefi``.
    """
    return (_BIOS, _ESP, _ROOT) if firmware == "bios" else (_ESP, _ROOT)


def guid(token: str, name: str) -> str:
    """The GUID of the table (``disk``) or a partition that one installation makes."""
    return str(uuid.uuid5(_NAMESPACE, f"{token}/{name}"))


def file_system_uuid(token: str, partition: Partition) -> str:
    """The UUID of its file system; of vfat, 32 bits as blkid shows them."""
    made = guid(token, f"{partition.name}-file-system")
    if partition.file_system == "vfat":
        return f"{made[:4]}-{made[4:8]}".upper()
    return made


def script(token: str, partitions: Sequence[Partition]) -> str:
    """What sfdisk reads to make the table."""
    lines = ["label: gpt", f"label-id: {guid(token, 'disk')}"]
    for one in partitions:
        fields = [f"start={one.start // MIB}MiB"] if one.start else []
        fields += [f"size={one.size // MIB}MiB"] if one.size else []
        fields += [f"type={one.type}", f"uuid={guid(token, one.name)}", f'name="{one.name}"']
        lines.append(f"{one.number} : {', '.join(fields)}")
    return "\n".join(lines) + "\n"


def nodes(table: Mapping[str, Any], token: str, partitions: Sequence[Partition]) -> dict[str, str]:
    """The device of each partition by name, empty unless the disk has exactly these.

    Args:
        table: ``partitiontable`` of ``sfdisk --json``.
        token: What the GUIDs are made of.
        partitions: What must be there.
    """
    if str(table.get("id", "")).lower() != guid(token, "disk"):
        return {}
    there = {str(one["uuid"]).lower(): one for one in table.get("partitions", ())}
    if set(there) != {guid(token, one.name) for one in partitions}:
        return {}
    sector = int(table.get("sectorsize", 512))
    found = {}
    for one in partitions:
        entry = there[guid(token, one.name)]
        if str(entry["type"]).upper() != one.type:
            return {}
        if one.size and int(entry["size"]) * sector != one.size:
            return {}
        found[one.name] = str(entry["node"])
    return found


def format_command(token: str, partition: Partition, node: str) -> tuple[str, ...] | None:
    """What makes a partition's file system."""
    identity = file_system_uuid(token, partition)
    if partition.file_system == "vfat":
        return ("mkfs.vfat", "-F", "32", "-n", "PEXTRA-ESP", "-i", identity.replace("-", ""), node)
    if partition.file_system == "ext4":
        return ("mkfs.ext4", "-q", "-F", "-L", ROOT_LABEL, "-U", identity, node)
    return None
