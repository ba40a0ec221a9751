# SPDX-License-Identifier: Apache-2.0
"""Domains as libvirt's XML, both ways, by element tree and never by pasting text. Pure.

Source of the format: https://libvirt.org/formatdomain.html.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from pextra.host.hypervisor import console_xml, device_xml, disk_xml, pci_xml, port_xml
from pextra.host.hypervisor.domain import Device, Disk, Domain, Nic
from pextra.host.network.policy import NAMESPACE

_ID = f"{{{NAMESPACE}}}instance"

ET.register_namespace("pextra", NAMESPACE)


def render(domain: Domain) -> str:
    """The XML that defines a new domain."""
    root = ET.Element("domain", type=domain.type)
    ET.SubElement(root, "name").text = domain.name
    ET.SubElement(root, "uuid").text = domain.uuid
    port_xml.write(root, domain)
    ET.SubElement(root, "memory", unit="MiB").text = str(domain.memory)
    ET.SubElement(root, "currentMemory", unit="MiB").text = str(domain.memory)
    ET.SubElement(root, "vcpu").text = str(domain.vcpus)
    devices = _container(root, domain) if domain.type == "lxc" else _machine(root, domain)
    for disk in domain.disks:
        devices.append(disk_xml.element(disk))
    for nic in domain.nics:
        devices.append(nic_element(nic))
    for extra in domain.extras:
        devices.append(device_xml.element(extra))
    if domain.type != "lxc":
        pci_xml.provide(devices, domain.machine)
    return ET.tostring(root, encoding="unicode")


def _machine(root: ET.Element, domain: Domain) -> ET.Element:
    system = ET.SubElement(root, "os")
    if domain.uefi:
        system.set("firmware", "efi")
    ET.SubElement(system, "type", arch=domain.arch, machine=domain.machine).text = "hvm"
    if domain.uefi:
        firmware = ET.SubElement(system, "firmware")
        for name in ("secure-boot", "enrolled-keys"):
            ET.SubElement(firmware, "feature", enabled="no", name=name)
    features = ET.SubElement(root, "features")
    ET.SubElement(features, "acpi")
    if domain.arch == "x86_64":
        ET.SubElement(features, "apic")
    root.append(_cpu_element(domain))
    ET.SubElement(root, "clock", offset="utc")
    for event, action in (("poweroff", "destroy"), ("reboot", "restart"), ("crash", "destroy")):
        ET.SubElement(root, f"on_{event}").text = action
    devices = ET.SubElement(root, "devices")
    usb = "qemu-xhci" if domain.usb else "none"
    ET.SubElement(devices, "controller", type="usb", model=usb)
    pci_xml.add_buses(devices, domain.machine)
    ET.SubElement(devices, "controller", type="scsi", model="virtio-scsi")
    if domain.console_log:
        console_xml.keep_log(devices, domain.console_log)
    if domain.screen:
        console_xml.add_screen(devices)
    ET.SubElement(ET.SubElement(devices, "video"), "model", type="vga")
    ET.SubElement(devices, "memballoon", model="virtio")
    rng = ET.SubElement(devices, "rng", model="virtio")
    ET.SubElement(rng, "backend", model="random").text = "/dev/urandom"
    return devices


def _container(root: ET.Element, domain: Domain) -> ET.Element:
    system = ET.SubElement(root, "os")
    ET.SubElement(system, "type", arch=domain.arch).text = "exe"
    ET.SubElement(system, "init").text = "/sbin/init"
    ET.SubElement(root, "clock", offset="utc")
    devices = ET.SubElement(root, "devices")
    filesystem = ET.SubElement(devices, "filesystem", type="mount", accessmode="passthrough")
    ET.SubElement(filesystem, "source", dir=domain.rootfs or "")
    ET.SubElement(filesystem, "target", dir="/")
    ET.SubElement(devices, "console", type="pty")
    return devices


def _cpu_element(domain: Domain) -> ET.Element:
    cpu = ET.Element("cpu", mode=domain.cpu_mode, check="none", migratable="on")
    sockets, cores, threads = (str(number) for number in domain.cpu)
    ET.SubElement(cpu, "topology", sockets=sockets, dies="1", cores=cores, threads=threads)
    return cpu


def nic_element(nic: Nic) -> ET.Element:
    """An ``interface`` element."""
    element = ET.Element("interface", type="bridge")
    ET.SubElement(element, "mac", address=nic.mac)
    ET.SubElement(element, "source", bridge=nic.bridge)
    if nic.model != "lxc":
        ET.SubElement(element, "model", type=nic.model)
    return device_xml.marked(element, nic)


def as_text(element: ET.Element) -> str:
    """An element as text."""
    return ET.tostring(element, encoding="unicode")


def alias_of(text: str) -> str | None:
    """The alias in a device's XML."""
    return device_xml.alias_of(ET.fromstring(text))  # noqa: S314 - our own text


def parse(text: str, *, buses: bool = True) -> Domain:
    """What libvirt says of a domain, without what it added by itself.

    Args:
        text: The definition.
        buses: Count its free places, too; otherwise it is read faster.
    """
    if not buses:
        text = pci_xml.without_buses(text)
    root = ET.fromstring(text)  # noqa: S314 - libvirt's own output
    topology = root.find("cpu/topology")
    vcpus = int(root.findtext("vcpu") or 1)
    cpu = (
        (
            int(topology.get("sockets", "1")),
            int(topology.get("cores", "1")),
            int(topology.get("threads", "1")),
        )
        if topology is not None
        else (1, vcpus, 1)
    )
    mark = root.find(f"metadata/{_ID}")
    system = root.find("os")
    loader = root.find("os/loader")
    uefi = (system is not None and system.get("firmware") == "efi") or (
        loader is not None and loader.get("type") == "pflash"
    )
    source, arch, cpu_element = (
        root.find(path) for path in ("devices/filesystem/source", "os/type", "cpu")
    )
    devices = _child(root, "devices")
    memory, vcpu = _mebibytes(root.find("memory")), root.find("vcpu")
    current = root.find("currentMemory")
    return Domain(
        uuid=root.findtext("uuid") or "",
        id=mark.get("id", "") if mark is not None else "",
        name=root.findtext("name") or "",
        type=root.get("type", ""),
        memory=memory,
        cpu=cpu,
        arch=arch.get("arch", "x86_64") if arch is not None else "x86_64",
        uefi=uefi,
        console_log=console_xml.log_of(devices),
        rootfs=source.get("dir") if source is not None else None,
        disks=tuple(disk_xml.parse(item) for item in root.findall("devices/disk")),
        nics=port_xml.with_ports(
            root, tuple(_nic(item) for item in root.findall("devices/interface"))
        ),
        extras=device_xml.parse(devices),
        machine=_machine_of(arch),
        usb=device_xml.has_usb(devices),
        cpu_mode=cpu_element.get("mode", "") if cpu_element is not None else "",
        screen=console_xml.has_screen(devices),
        withheld_memory=memory - _mebibytes(current) if current is not None else 0,
        withheld_vcpus=vcpus - int(vcpu.get("current", vcpus)) if vcpu is not None else 0,
        free_places=pci_xml.free(devices) if buses else 0,
    )


def _machine_of(type: ET.Element | None) -> str:
    """Such as ``q35`` for the ``pc-q35-7.2`` that libvirt makes of it."""
    name = type.get("machine", "") if type is not None else ""
    if name == "pc" or name.startswith("pc-i440fx"):
        return "pc"
    return "virt" if name.startswith("virt") else "q35"


_KIB = {"b": 1 / 1024, "bytes": 1 / 1024, "KiB": 1, "MiB": 1024, "GiB": 1024 * 1024}


def _mebibytes(element: ET.Element | None) -> int:
    if element is None:
        return 0
    return round(int(element.text or 0) * _KIB[element.get("unit", "KiB")] / 1024)


def _nic(element: ET.Element) -> Nic:
    mac, source, model = element.find("mac"), element.find("source"), element.find("model")
    target = element.find("target")
    return Nic(
        mac=mac.get("address", "") if mac is not None else "",
        bridge=source.get("bridge", "") if source is not None else "",
        model=model.get("type", "lxc") if model is not None else "lxc",
        boot=device_xml.boot_of(element),
        alias=device_xml.alias_of(element),
        tap=target.get("dev") if target is not None else None,
    )


def amend(text: str, current: Domain, desired: Domain) -> str:
    """The definition with only the differing parts replaced.

    ``current`` holds the devices that are ours. Addresses that libvirt gave to devices, and
    whatever an operator added, stay as they are.
    """
    root = ET.fromstring(text)  # noqa: S314 - libvirt's own output
    if current.name != desired.name:
        _child(root, "name").text = desired.name
    if current.type != desired.type:
        root.set("type", desired.type)
    if _of_memory(current) != _of_memory(desired):
        for name in ("memory", "currentMemory"):
            element = _child(root, name)
            element.set("unit", "MiB")
            element.text = str(desired.memory)
    if _processor(current) != _processor(desired) and desired.type != "lxc":
        vcpu = _child(root, "vcpu")
        vcpu.attrib.pop("current", None)
        vcpu.text = str(desired.vcpus)
        old = root.find("cpu")
        if old is not None:
            root.remove(old)
        root.append(_cpu_element(desired))
    elif current.cpu != desired.cpu:
        _child(root, "vcpu").text = str(desired.vcpus)
    if current.withheld_vcpus != desired.withheld_vcpus:
        _child(root, "vcpu").attrib.pop("current", None)
        for each in root.findall("vcpus"):
            root.remove(each)
    system = _child(root, "os")
    if any(disk.boot for disk in desired.disks) or any(nic.boot for nic in desired.nics):
        for boot in system.findall("boot"):
            system.remove(boot)
    devices = _child(root, "devices")
    _amend_devices(devices, "disk", current.disks, desired.disks)
    _amend_devices(devices, "interface", current.nics, desired.nics)
    device_xml.amend(devices, current.extras, desired.extras)
    if desired.usb and not current.usb:
        device_xml.add_usb(devices)
    if desired.console_log and desired.console_log != current.console_log:
        console_xml.keep_log(devices, desired.console_log)
    if desired.screen and not current.screen:
        console_xml.add_screen(devices)
    if desired.type != "lxc":
        pci_xml.provide(devices, desired.machine)
    port_xml.write(root, desired)
    return ET.tostring(root, encoding="unicode")


def _processor(domain: Domain) -> tuple[object, ...]:
    return domain.cpu, domain.type, domain.cpu_mode


def _of_memory(domain: Domain) -> tuple[int, int]:
    return domain.memory, domain.withheld_memory


def _child(root: ET.Element, name: str) -> ET.Element:
    found = root.find(name)
    return found if found is not None else ET.SubElement(root, name)


def device_key(device: Device) -> str:
    """What tells devices apart: a disk's target, a network device's MAC address, an alias."""
    if isinstance(device, Disk):
        return device.target
    return device.mac if isinstance(device, Nic) else device.alias


def _amend_devices(
    devices: ET.Element,
    tag: str,
    current: tuple[Disk, ...] | tuple[Nic, ...],
    desired: tuple[Disk, ...] | tuple[Nic, ...],
) -> None:
    wanted: dict[str, Disk | Nic] = {device_key(item): item for item in desired}
    have: dict[str, Disk | Nic] = {device_key(item): item for item in current}
    for element in devices.findall(tag):
        there = disk_xml.parse(element) if tag == "disk" else _nic(element)
        key = device_key(there)
        if key not in have or there.alias != have[key].alias:
            continue  # somebody else's
        want = wanted.get(key)
        if want is None:
            devices.remove(element)
        elif want != have[key]:
            _replace(devices, element, want)
    for key, item in wanted.items():
        if key not in have:
            devices.append(_element(item))


def _element(device: Disk | Nic) -> ET.Element:
    return disk_xml.element(device) if isinstance(device, Disk) else nic_element(device)


def _replace(devices: ET.Element, old: ET.Element, want: Disk | Nic) -> None:
    new = _element(want)
    if not isinstance(want, Disk) or disk_xml.keeps_place(old, want):
        for address in new.findall("address"):
            new.remove(address)
        new.extend(old.findall("address"))
    position = list(devices).index(old)
    devices.remove(old)
    devices.insert(position, new)
