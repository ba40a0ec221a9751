# SPDX-License-Identifier: Apache-2.0
"""TPMs, random number generators and USB devices as libvirt's XML, both ways. Pure.

Source of the format: https://libvirt.org/formatdomain.html.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from pextra.host.hypervisor.domain import ALIAS, Device, Extra, Rng, Tpm, UsbDevice

TAGS = {"tpm": Tpm, "rng": Rng, "hostdev": UsbDevice}


def element(device: Extra) -> ET.Element:
    """The element that defines a device."""
    if isinstance(device, Tpm):
        found = ET.Element("tpm", model=f"tpm-{device.model}")
        ET.SubElement(found, "backend", type="emulator", version=device.version)
    elif isinstance(device, Rng):
        found = ET.Element("rng", model="virtio")
        ET.SubElement(found, "backend", model="random").text = device.source
    else:
        found = ET.Element("hostdev", mode="subsystem", type="usb", managed="no")
        source = ET.SubElement(found, "source", startupPolicy=device.startup_policy)
        ET.SubElement(source, "vendor", id=f"0x{device.vendor}")
        ET.SubElement(source, "product", id=f"0x{device.product}")
    return marked(found, device)


def marked(element: ET.Element, device: Device) -> ET.Element:
    """The element with the device's position in the boot order, and its alias."""
    boot = None if isinstance(device, (Tpm, Rng)) else device.boot
    if boot is not None:
        ET.SubElement(element, "boot", order=str(boot))
    if device.alias is not None:
        ET.SubElement(element, "alias", name=device.alias)
    return element


def parse(devices: ET.Element) -> tuple[Extra, ...]:
    """Our devices of these types; those of others have no alias of ours."""
    return tuple(
        device
        for tag in TAGS
        for item in devices.findall(tag)
        if (device := _parsed(tag, item)) is not None
    )


def _parsed(tag: str, item: ET.Element) -> Extra | None:
    alias = alias_of(item)
    if alias is None:
        return None
    backend, source = item.find("backend"), item.find("source")
    if tag == "tpm":
        version = backend.get("version", "") if backend is not None else ""
        return Tpm(item.get("model", "").removeprefix("tpm-"), version, alias)
    if tag == "rng":
        return Rng((backend.text or "") if backend is not None else "", alias)
    return UsbDevice(
        _usb_number(item, "source/vendor"),
        _usb_number(item, "source/product"),
        source.get("startupPolicy", "mandatory") if source is not None else "mandatory",
        alias,
        boot_of(item),
    )


def boot_of(item: ET.Element) -> int | None:
    """A device's position in the boot order."""
    boot = item.find("boot")
    return int(boot.get("order", "0")) if boot is not None else None


def _usb_number(item: ET.Element, path: str) -> str:
    found = item.find(path)
    return found.get("id", "").removeprefix("0x") if found is not None else ""


def alias_of(item: ET.Element) -> str | None:
    """The alias of a device of ours."""
    alias = item.find("alias")
    name = alias.get("name", "") if alias is not None else ""
    return name if name.startswith(ALIAS) else None


def amend(devices: ET.Element, current: tuple[Extra, ...], desired: tuple[Extra, ...]) -> None:
    """Bring the devices of ours to what is desired; those that stay keep their addresses."""
    have, want = ({item.alias: item for item in some} for some in (current, desired))
    for tag in TAGS:
        for item in devices.findall(tag):
            alias = alias_of(item)
            if alias in have and want.get(alias) != have[alias]:
                devices.remove(item)
    for alias, device in want.items():
        if have.get(alias) != device:
            devices.append(element(device))


def has_usb(devices: ET.Element) -> bool:
    """Whether there is a USB bus."""
    return any(
        item.get("type") == "usb" and item.get("model") != "none"
        for item in devices.findall("controller")
    )


def add_usb(devices: ET.Element) -> None:
    """Put a USB controller where the definition says that there is none."""
    for item in devices.findall("controller"):
        if item.get("type") == "usb":
            devices.remove(item)
    ET.SubElement(devices, "controller", type="usb", model="qemu-xhci")
