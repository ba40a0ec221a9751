# SPDX-License-Identifier: Apache-2.0
"""Places on a machine's PCI buses: how many a definition has, needs and gets. Pure.

On PCI Express each root port takes one device, and so many can be plugged in while a machine runs
as ports were free when it started. The buses of a PC of 1996 have slots. Ports are most of a
definition's text, so a machine has few of them until it starts.

Source: libvirt's docs/pci-hotplug.rst.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter

from pextra.host.hypervisor.domain import Device, Disk, Nic, Rng

_PORTS = 32
"""Of a machine that the engine starts; enough for all 26 virtio disks."""
FEW = 4
"""At least so many places are free in a definition, and so also when others start it."""
SPARE = 8
"""So many are free in a new one, and in one that has got more: not one at a time."""
MOST = 96
"""Devices of a machine that need a place."""
_SLOTS = 31
"""Of a bus; slot 0 is its own."""
_BUSES = ("pci-root", "pci-bridge")
_PORT = "pcie-root-port"
_BUS = re.compile(
    r"<controller type=.pci.[^>]*>(?:(?<=/>)|[^<]*(?:<(?!/controller>)[^<]*)*</controller>)"
)
_TAGS = ("disk", "interface", "rng", "memballoon", "controller")


def takes_place(device: Device | None) -> bool:
    """Whether a device of ours is on a PCI bus."""
    return isinstance(device, (Nic, Rng)) or (isinstance(device, Disk) and device.bus == "virtio")


def free(devices: ET.Element) -> int:
    """How many devices more fit on the buses of a machine as it is defined or runs."""
    used = _used(devices)
    waiting = sum(is_unplaced(item) for tag in _TAGS for item in devices.findall(tag))
    return sum(_room(item, used) for item in devices.findall("controller")) - waiting


def without_buses(text: str) -> str:
    """A definition without its buses, which are most of its text."""
    return _BUS.sub("", text)


def add_buses(devices: ET.Element, machine: str) -> None:
    """Give a new machine the bus that its ports are on."""
    root = "pci-root" if machine == "pc" else "pcie-root"
    ET.SubElement(devices, "controller", type="pci", index="0", model=root)


def provide(devices: ET.Element, machine: str) -> None:
    """Give a machine that does not run more places, where too few are free."""
    room = free(devices)
    missing = 0 if room >= FEW else SPARE - room
    if machine == "pc":
        _add(devices, "pci-bridge", -(-missing // (_SLOTS - 1)))
    else:
        _add(devices, _PORT, missing)


def with_ports(text: str) -> str | None:
    """A definition with the places that a machine is started with; None if it has them."""
    root = ET.fromstring(text)  # noqa: S314 - libvirt's own output
    devices = root.find("devices")
    if devices is None or devices.find("controller[@model='pcie-root']") is None:
        return None
    there = len(devices.findall(f"controller[@model='{_PORT}']"))
    missing = max(_PORTS - there, SPARE - free(devices))
    _add(devices, _PORT, missing)
    return ET.tostring(root, encoding="unicode") if missing > 0 else None


def _add(devices: ET.Element, model: str, count: int) -> None:
    for _number in range(count):
        ET.SubElement(devices, "controller", type="pci", model=model)


def _used(devices: ET.Element) -> Counter[int]:
    """How many slots of each bus are used."""
    addresses = (item.find("address") for item in devices)
    places = {
        (int(found.get("bus", "0"), 0), found.get("slot"))
        for found in addresses
        if found is not None and found.get("type") == "pci"
    }
    return Counter(bus for bus, _slot in places)


def _room(controller: ET.Element, used: Counter[int]) -> int:
    """How many devices more fit where a controller is a bus."""
    model, index = controller.get("model"), controller.get("index")
    if controller.get("type") != "pci" or model not in (_PORT, *_BUSES):
        return 0
    there = used[int(index)] if index is not None else 0
    return (1 if model == _PORT else _SLOTS) - there


def is_unplaced(item: ET.Element) -> bool:
    """Whether libvirt is still to find a place for a device."""
    if item.find("address") is not None:
        return False
    if item.tag == "disk":
        target = item.find("target")
        return target is not None and target.get("bus") == "virtio"
    if item.tag == "interface":
        return item.find("model") is not None
    if item.tag == "controller":
        model = item.get("model")
        return item.get("type") in ("scsi", "sata") or model in ("qemu-xhci", "pci-bridge")
    return item.get("model") == "virtio"
