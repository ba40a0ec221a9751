# SPDX-License-Identifier: Apache-2.0
"""What the platform knows of a libvirt domain. Plain values that compare. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from pextra.host.network.policy import OPEN, PortPolicy
from pextra.host.pools.backend import Remote

SEED_TARGET = "sdz"
ALIAS = "ua-pextra-"
"""Prefix of the aliases of our devices; libvirt keeps aliases that begin with ua-."""
CDROM_TARGET = "sdy"
"""CD-ROM drives sit at the end, so that volumes have the letters from a."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A block device.

    Attributes:
        target: Device name in the guest's order, such as ``vda``.
        path: The image file, the device below /dev, or what ``remote`` calls it; None is an empty
            drive.
        format: ``qcow2`` or ``raw``.
        bus: ``virtio``, ``sata`` or ``scsi``; of a CD-ROM drive also ``ide`` or ``usb``.
        device: ``disk`` or ``cdrom``.
        boot: Position in the boot order, from 1.
        alias: Marks the device as ours; None on what somebody else added.
        read_only: A guest cannot write to the disk; CD-ROM drives are so anyway.
        tray: ``open`` where a drive's medium is out.
        remote: How QEMU reaches it over the network.
        controller: Of a SCSI device, the controller that it is on; ours are on the first, for
            which guests have a driver.
        serial: What the guest knows the disk by, such as in /dev/disk/by-id.
        discard: What the guest discards, and the zeroes that it writes, take no space.
        place: Where on its bus it is: controller, target and unit; None where its target says it.
        copied: Of a running machine: a tool copies the disk, or writes back what is over it.
    """

    target: str
    path: str | None
    format: str = "raw"
    bus: str = "virtio"
    device: str = "disk"
    boot: int | None = None
    alias: str | None = None
    read_only: bool = False
    tray: str = "closed"
    remote: Remote | None = None
    controller: int | None = None
    serial: str | None = None
    discard: bool = False
    place: tuple[int, int, int] | None = field(default=None, compare=False)
    copied: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Nic:
    """A network device on a bridge, known by its MAC address.

    Attributes:
        port: Settings of its bridge port; None where it has none, being on no bridge.
        tap: The interface of the host that is the bridge port, while the domain runs.
    """

    mac: str
    bridge: str
    model: str = "virtio"
    boot: int | None = None
    alias: str | None = None
    port: PortPolicy | None = OPEN
    tap: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Tpm:
    """An emulated TPM: ``crb`` or ``tis``, version ``1.2`` or ``2.0``."""

    model: str
    version: str
    alias: str


@dataclass(frozen=True, slots=True)
class Rng:
    """A random number generator that takes from a device of the host."""

    source: str
    alias: str


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """A USB device of the host, by vendor and product, four hexadecimal digits each."""

    vendor: str
    product: str
    startup_policy: str
    alias: str
    boot: int | None = None


Extra: TypeAlias = "Tpm | Rng | UsbDevice"
"""What is neither a disk nor on a network; known by its alias."""
Device: TypeAlias = "Disk | Nic | Extra"


@dataclass(frozen=True, slots=True)
class Domain:
    """The definition of an instance.

    Attributes:
        uuid: Derived from the instance's id: the mark that a domain is ours.
        id: The instance's id, for people who look with virsh.
        name: The instance's name, and the domain's.
        type: ``kvm``, ``qemu`` (emulated) or ``lxc``.
        memory: MiB.
        cpu: Sockets, cores and threads.
        uefi: UEFI instead of BIOS firmware.
        console_log: File that the serial console is logged to.
        rootfs: Root directory of a container.
        machine: ``q35``, ``pc`` (i440FX) or ``virt``.
        usb: There is a USB bus.
        cpu_mode: Where the processor's features come from; a container has none of its own.
        screen: There is one, which only this machine reaches.
        withheld_memory: MiB of its memory that its balloon keeps from the guest from the start.
        withheld_vcpus: How many of its processors it starts without.
        free_places: How many devices more its PCI buses take, where those were read.
    """

    uuid: str
    id: str
    name: str
    type: str
    memory: int
    cpu: tuple[int, int, int]
    arch: str = "x86_64"
    uefi: bool = False
    console_log: str | None = None
    rootfs: str | None = None
    disks: tuple[Disk, ...] = ()
    nics: tuple[Nic, ...] = ()
    extras: tuple[Extra, ...] = ()
    machine: str = "q35"
    usb: bool = False
    cpu_mode: str = ""
    screen: bool = False
    withheld_memory: int = 0
    withheld_vcpus: int = 0
    free_places: int = field(default=0, compare=False)

    @property
    def vcpus(self) -> int:
        """Virtual processors: the product of the topology."""
        sockets, cores, threads = self.cpu
        return sockets * cores * threads
