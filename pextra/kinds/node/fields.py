# SPDX-License-Identifier: Apache-2.0
"""The fields of nodes: what a request may say, and what is returned."""

from __future__ import annotations

from typing import Any

from pextra.kinds.common import DESCRIPTION
from pextra.model import kinds, units
from pextra.model.errors import InputError
from pextra.model.fields import Change, Field
from pextra.model.returned import Returned


def _address(value: Any) -> str:
    import ipaddress

    try:
        return str(ipaddress.ip_address(str(value)))
    except ValueError:
        raise InputError(f"{value!r} is not an IP address") from None


FIELDS = (
    Field(
        "name",
        parse=units.parse_hostname,
        required=True,
        doc=(
            "Name of the node, unique in its cluster. One DNS label, from 1 to 63 ASCII letters,"
            " digits and hyphens, beginning and ending with a letter or digit. It need not be the"
            " host name.",
            "Only the machine itself can create its node.",
        ),
        returned=Returned("Name of the node.", sample="node1"),
    ),
    Field(
        "cluster",
        ref=kinds.CLUSTER,
        required=True,
        change=Change.IMMUTABLE,
        doc=("Id or name of the cluster that it joins.",),
        implied="the only cluster there is. With several, it must be given",
        returned=Returned("Identifier of the cluster that the node belongs to."),
    ),
    DESCRIPTION,
    Field(
        "ip_address",
        nullable=True,
        parse=_address,
        doc=(
            "Address at which the node is managed, IPv4 or IPv6. It is information for others; the"
            " node's network is not touched.",
        ),
        returned=Returned(
            "Address at which it is managed, V(null) where that was not said.", sample="192.0.2.11"
        ),
    ),
    Field(
        "wol_mac",
        nullable=True,
        parse=units.parse_mac,
        doc=(
            "MAC address that wakes the node over the network, with colons, hyphens or nothing"
            " between the digits. Write it in quotes, because YAML takes some of them for"
            " numbers.",
        ),
        returned=Returned(
            "MAC address that wakes it up, V(null) where that was not said.",
            sample="52:54:00:12:34:56",
        ),
    ),
)

COMPUTED = {
    "organization_id": Returned("Identifier of the organization that the node belongs to."),
    "hostname": Returned("What the machine calls itself.", sample="node1"),
    "os": Returned(
        "The operating system.",
        "dict",
        contains={
            "kernel": Returned("Release of the Linux kernel.", sample="6.1.0-37-amd64"),
            "architecture": Returned("Machine type of the kernel.", sample="x86_64"),
            "uefi": Returned("Whether it was started by UEFI firmware.", "bool", sample=True),
        },
    ),
    "time": Returned(
        "Its clock.",
        "dict",
        contains={
            "timezone": Returned("Time zone.", sample="Etc/UTC"),
        },
    ),
    "hardware": Returned(
        "The machine, V(null) where it has not said.",
        "dict",
        contains={
            "vcpus": Returned("Hardware threads.", "int", sample=16),
            "memory_gb": Returned("Memory that the kernel manages, in GiB.", "float", sample=62.7),
            "cpu": Returned(
                "The processor, with its C(model).",
                "dict",
                sample={"model": "AMD EPYC 7302P 16-Core Processor"},
            ),
            "disks": Returned(
                "Whole disks, with C(device), C(size) in bytes, and C(serial).",
                "list",
                elements="dict",
                contains={
                    "device": Returned("Path of the device.", sample="/dev/sda"),
                    "size": Returned("Bytes.", "int", sample=960197124096),
                    "serial": Returned(
                        "Serial number, V(null) where the disk tells none.",
                        sample="S3Z8NB0K",
                        nullable=True,
                    ),
                },
            ),
        },
    ),
    "pce_version": Returned("Version of the platform on the node.", sample="0.1.0"),
    "last_seen": Returned(
        "When it last said something new of itself, in UTC.", sample="2026-01-31T12:00:00Z"
    ),
    "creation": Returned("When it was registered, in UTC.", sample="2026-01-31T12:00:00Z"),
}
