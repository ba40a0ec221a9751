# SPDX-License-Identifier: Apache-2.0
"""Disks and CD-ROM drives as libvirt's XML, both ways, and their places on SCSI and SATA. Pure.

libvirt, left to itself, puts seven SCSI devices on a controller, and adds further ones of a model
that few guests have a driver for. So each device path is a place of its own: on SCSI a target of
the first controller, on SATA a port.
"""

from __future__ import annotations

import string
import xml.etree.ElementTree as ET

from pextra.host.hypervisor import device_xml, disk_source
from pextra.host.hypervisor.domain import CDROM_TARGET, SEED_TARGET, Disk

_VOLUMES_PORTS = 4
_PORTS = 6
"""Of a SATA controller. The first has the volumes /dev/sda to /dev/sdd, and our drives."""
_DRIVES_PORTS = {CDROM_TARGET: 4, SEED_TARGET: 5}


def element(disk: Disk) -> ET.Element:
    """A ``disk`` element."""
    kind = disk_source.kind(disk)
    found = ET.Element("disk", type=kind, device=disk.device)
    driver = ET.SubElement(found, "driver", name="qemu", type=disk.format)
    if disk.discard:
        driver.attrib.update(discard="unmap", detect_zeroes="unmap")
    if disk.path is not None:
        found.append(disk_source.element(disk.path, disk.remote, kind))
    target = ET.SubElement(found, "target", dev=disk.target, bus=disk.bus)
    if disk.tray == "open":
        target.set("tray", "open")
    if disk.device == "cdrom" or disk.read_only:
        ET.SubElement(found, "readonly")
    if disk.serial is not None:
        ET.SubElement(found, "serial").text = disk.serial
    place = _place(disk)
    if place is not None:
        controller, scsi_target, unit = map(str, place)
        ET.SubElement(
            found, "address", type="drive", controller=controller, bus="0", target=scsi_target,
            unit=unit,
        )  # fmt: skip
    return device_xml.marked(found, disk)


def _place(disk: Disk) -> tuple[int, int, int] | None:
    """Controller, target and unit; None where libvirt finds one."""
    if disk.place is not None:
        return disk.place
    number = string.ascii_lowercase.index(disk.target[-1])
    if disk.bus == "scsi":
        return disk.controller or 0, number, 0
    if disk.bus != "sata":
        return None
    if number < _VOLUMES_PORTS:
        return 0, 0, number
    if disk.target in _DRIVES_PORTS:
        return 0, 0, _DRIVES_PORTS[disk.target]
    further, port = divmod(number - _VOLUMES_PORTS, _PORTS)
    return 1 + further, 0, port


def keeps_place(old: ET.Element, want: Disk) -> bool:
    """Whether a device stays where it is on its bus, or is put where guests see it."""
    there = parse(old)
    return there.bus == want.bus and there.controller == want.controller


def parse(item: ET.Element) -> Disk:
    """What a ``disk`` element says."""
    source, target, driver = (item.find(name) for name in ("source", "target", "driver"))
    about = target.attrib if target is not None else {}
    path, remote = disk_source.parse(source)
    device, bus = item.get("device", "disk"), about.get("bus", "")
    place = _place_in(item)
    return Disk(
        target=about.get("dev", ""),
        path=path,
        format=driver.get("type", "raw") if driver is not None else "raw",
        bus=bus,
        device=device,
        boot=device_xml.boot_of(item),
        alias=device_xml.alias_of(item),
        read_only=device != "cdrom" and item.find("readonly") is not None,
        tray=about.get("tray", "closed"),
        remote=remote,
        controller=(place[0] if place else 0) if bus == "scsi" else None,
        serial=item.findtext("serial"),
        discard=driver is not None and driver.get("discard") == "unmap",
        place=place,
        copied=item.find("mirror") is not None,
    )


def _place_in(item: ET.Element) -> tuple[int, int, int] | None:
    address = item.find("address")
    if address is None or address.get("type") != "drive":
        return None
    controller, target, unit = (
        int(address.get(name, "0")) for name in ("controller", "target", "unit")
    )
    return controller, target, unit
