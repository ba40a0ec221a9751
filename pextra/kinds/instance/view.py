# SPDX-License-Identifier: Apache-2.0
"""What is returned of an instance; how it runs only where its node is this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pextra.host import facts
from pextra.kinds.info import Compute, Computed, Info
from pextra.kinds.instance.files import console_log
from pextra.kinds.instance.kind import shown_card
from pextra.kinds.network_device.kind import cards
from pextra.kinds.registry import KINDS
from pextra.kinds.view import View
from pextra.model import kinds
from pextra.model.returned import Returned
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow

_ACCELERATORS = {"kvm": "kvm", "qemu": "tcg"}
"""By libvirt's domain type; a container has none."""


def _presented(name: str) -> Compute[InstanceRow]:
    """What the state module returns too."""
    return lambda row, view: KINDS["instance"].present(row, view)[name]


def _networks(row: InstanceRow, view: View) -> list[Document]:
    return [
        {**shown_card(card), "port_group": view.name(kinds.PORT_GROUP, card["port_group_id"])}
        for card in cards(row, view)
    ]


def _state(row: InstanceRow, view: View) -> str | None:
    return view.domains(row["type"]).state(row) if view.is_here(row) else None


def _console(row: InstanceRow, view: View) -> Document:
    container = row["type"] == "lxc"
    uri = "lxc:///system" if container else "qemu:///system"
    root = None if container else view.definition(row)
    graphics = root.find("devices/graphics[@type='vnc']") if root is not None else None
    return {
        "serial": f"virsh -c {uri} console {_called(row, view)}",
        "log": None if container else console_log(row["id"], view.host),
        "vnc": graphics.get("socket") if graphics is not None else None,
    }


def _called(row: InstanceRow, view: View) -> str:
    """The name of its domain, which somebody may have changed."""
    return view.domains(row["type"]).name(row) if view.is_here(row) else row["name"]


def _accelerator(row: InstanceRow, view: View) -> str | None:
    root = view.definition(row)
    return _ACCELERATORS.get(root.get("type", "")) if root is not None else None


def _uptime(row: InstanceRow, view: View) -> int | None:
    if _state(row, view) not in ("running", "paused"):
        return None
    return seconds_since_start(f"/run/libvirt/{row['type']}/{_called(row, view)}.pid")


def seconds_since_start(pid_file: str) -> int | None:
    """How long the process has run whose id libvirt has written to a file (proc(5))."""
    try:
        with open(pid_file, encoding="ascii") as file:
            process = int(file.read())
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
    return max(0, facts.uptime() - ticks // os.sysconf("SC_CLK_TCK"))


def _deployment_duration(row: InstanceRow, view: View) -> int:
    return max(0, int((view.now - row["creation"]).total_seconds()))


INSTANCE = Info(
    kind=kinds.INSTANCE,
    plural="instances",
    parents=(kinds.CLUSTER, kinds.NODE),
    computed={
        "vcpus": Computed(
            _presented("vcpus"),
            Returned("Virtual processors, the product of the topology.", "int", sample=2),
        ),
        "networks": Computed(
            _networks,
            Returned(
                "Its network devices, in the order in which they were given.",
                "list",
                elements="dict",
                contains={
                    "id": Returned("Identifier of the device.", sample="nic-Dhcz77Zpl5pwnwW6Co0nJ"),
                    "name": Returned("Name of the device in the instance.", sample="net0"),
                    "port_group_id": Returned(
                        "Identifier of the port group.", sample="pgrp-qy8hY5tqberxvyolAjb4B"
                    ),
                    "port_group": Returned("Name of the port group.", sample="Production"),
                    "mac": Returned("MAC address.", sample="52:54:00:2e:0a:8c"),
                    "model": Returned("What the guest sees.", sample="virtio"),
                },
            ),
        ),
        "volumes": Computed(
            _presented("volumes"),
            Returned(
                "Its volumes, by device path.",
                "list",
                elements="dict",
                contains={
                    "id": Returned("Identifier of the volume.", sample="vol-ufbaJ57FmvldEh0eHlAuz"),
                    "name": Returned("Name of the volume.", sample="root"),
                    "device_name": Returned(
                        "Name of the device in the instance.", sample="disk-vda"
                    ),
                    "device_path": Returned(
                        "Path of the device in the order of the bus.", sample="/dev/vda"
                    ),
                    "bus": Returned("V(virtio), V(sata) or V(scsi).", sample="virtio"),
                    "is_root": Returned("Whether it is the root volume.", "bool", sample=True),
                    "read_only": Returned(
                        "Whether the guest cannot write to it.", "bool", sample=False
                    ),
                    "size": Returned("Bytes that the guest sees.", "int", sample=10737418240),
                    "format": Returned("V(qcow2) or V(raw).", sample="qcow2"),
                },
            ),
        ),
        "devices": Computed(
            _presented("devices"),
            Returned(
                "Its CD-ROM drives, TPM, random number generators and USB devices, sorted by name."
                " What a type does not have is V(null).",
                "list",
                elements="dict",
                contains={
                    "id": Returned(
                        "Identifier, C(dev-) and 21 characters.", sample="dev-7yYOmqPGc68kDReiZgSAN"
                    ),
                    "name": Returned("Name.", sample="tools"),
                    "type": Returned("V(cdrom), V(tpm), V(rng) or V(usb).", sample="cdrom"),
                    "bus": Returned("Bus of a drive.", sample="sata"),
                    "device_path": Returned("Device path of a drive.", sample="/dev/sde"),
                    "medium": Returned(
                        "The image in a drive, or beside its open tray.",
                        sample="/var/lib/pextra-ce/images/rescue.iso",
                    ),
                    "tray": Returned("V(closed) or V(open).", sample="closed"),
                    "model": Returned("V(crb) or V(tis)."),
                    "version": Returned("Version of a TPM."),
                    "source": Returned("Where a random number generator takes from."),
                    "usb_id": Returned("Vendor and product of a USB device."),
                    "startup_policy": Returned("What happens where a USB device is missing."),
                },
            ),
        ),
        "state": Computed(
            _state,
            Returned(
                (
                    "V(running), V(paused), V(stopped), V(saved) where another tool has saved its"
                    " memory to go on from, or V(missing) where the node has no domain"
                    " for it; the next run of M(pextra.ce.instance) makes it again.",
                    "V(null) on other nodes than this machine.",
                ),
                sample="running",
            ),
        ),
        "uptime": Computed(
            _uptime,
            Returned(
                "Seconds since it was started, V(null) where it does not run or is on another"
                " node.",
                "int",
                sample=3600,
            ),
        ),
        "deployment_duration": Computed(
            _deployment_duration, Returned("Seconds since it was created.", "int", sample=86400)
        ),
        "accelerator": Computed(
            _accelerator,
            Returned(
                "What runs it, V(kvm) or V(tcg) (emulated). V(null) for a container, and where it"
                " does not run or is on another node.",
                sample="kvm",
            ),
        ),
        "console": Computed(
            _console,
            Returned(
                "How to open its console, on its node.",
                "dict",
                contains={
                    "serial": Returned(
                        "Command that opens the serial console.",
                        sample="virsh -c qemu:///system console web1",
                    ),
                    "log": Returned(
                        "File that keeps what it prints there, V(null) for a container.",
                        sample="/var/log/pextra-ce/console/inst-nbMz2FW4nWGPBWlN7FMJn.log",
                    ),
                    "vnc": Returned(
                        "Socket of the VNC server, V(null) where it does not run, on other nodes"
                        " than this machine, and for a container.",
                        sample="/var/lib/libvirt/qemu/domain-1-web1/vnc.sock",
                    ),
                },
            ),
        ),
    },
)
