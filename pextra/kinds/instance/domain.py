# SPDX-License-Identifier: Apache-2.0
"""An instance as a libvirt domain: what is on the host, and what the store's rows ask for."""

from __future__ import annotations

import contextlib
import functools
import platform
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from pextra.engine.world import World
from pextra.host.hypervisor import domain_xml, pauses, power
from pextra.host.hypervisor.connection import WHOLE, some_at_once, translated
from pextra.host.hypervisor.domain import (
    ALIAS,
    CDROM_TARGET,
    SEED_TARGET,
    Disk,
    Domain,
    Extra,
    Nic,
    Rng,
    Tpm,
    UsbDevice,
)
from pextra.host.hypervisor.domains import text_of
from pextra.host.hypervisor.readings import WORTH, Readings
from pextra.host.machine import Host
from pextra.host.network.policy import NAMESPACE, of_group
from pextra.host.pools.types import backend, pool_of, volume_of
from pextra.kinds.instance import files as instance_files
from pextra.kinds.instance import ports as instance_ports
from pextra.kinds.instance import seeds
from pextra.kinds.instance.files import console_log
from pextra.kinds.instance_device import kind as instance_device
from pextra.kinds.network_device.kind import cards
from pextra.model import ids, kinds
from pextra.model.errors import HostError, InputError
from pextra.model.request import label

if TYPE_CHECKING:
    import libvirt

    from pextra.model.rows import InstanceDeviceRow, InstanceRow

_Found: TypeAlias = "tuple[InstanceRow, libvirt.virDomain, bool]"
"""An instance, its domain, and whether that runs."""
_Read: TypeAlias = "tuple[str, Domain, Domain | None]"
"""A domain's persistent definition, as text and read, and how it runs if it does."""


@dataclass(frozen=True, slots=True)
class DomainState:
    """A domain on this host.

    Attributes:
        config: Its persistent definition; None where there is no domain. Its name is another one
            where somebody has renamed it.
        live: Its definition as it runs; None where it does not run.
        xml: The text of the persistent definition, passwords and all.
        autostart: It starts with the host.
        foreign: Another domain has the name, most likely one that is not ours.
        mistaken: That domain is another instance's, and somebody has renamed it.
        run: Which start of the machine it is that runs; another one each time.
        paused: It runs, and its processors stand still; and why they do.
        saved: It is off, and goes on from its saved memory.
        kept: Snapshots and checkpoints that other tools keep of it in libvirt; looked for where it
            goes, or has another name.
        files: Seeds, and the console's log where the instance goes; see ``instance_files``.
        damaged: Those of the files that were overwritten.
        others_macs: Where the instance gets a network device: the MAC addresses of the domains
            that are not ours, and the names of these.
    """

    config: Domain | None = None
    live: Domain | None = None
    xml: str = field(default="", repr=False)
    autostart: bool = False
    foreign: bool = False
    mistaken: bool = False
    run: str | None = None
    paused: pauses.Pause | None = None
    saved: bool = False
    kept: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    damaged: frozenset[str] = frozenset()
    others_macs: Mapping[str, str] = field(default_factory=dict)


_CPU_MODES = {"kvm": "host-passthrough", "qemu": "maximum", "lxc": ""}
"""By libvirt's domain type: what the host's processor has, all that QEMU knows, nothing."""
_SERIAL_LENGTH = 20
"""What virtio disks have space for (VIRTIO_BLK_ID_BYTES)."""


def check_cdrom(row: InstanceRow, current: InstanceRow | None, resource: str) -> None:
    """A CD-ROM image that is newly named must exist, and be all there.

    Raises:
        InputError: It does not, or was cut off.
    """
    path = row["cdrom"]
    if path and (current is None or current["cdrom"] != path):
        instance_device.check_medium(path, resource, "cdrom")


def observe(rows: Sequence[InstanceRow], host: Host, world: World) -> dict[str, DomainState]:
    """The domains of these instances: five listings a driver, and a definition each.

    Where some get network devices, also the definitions of the domains that are not ours.
    """
    found: dict[str, DomainState] = {}
    files = instance_files.observe(rows, host)
    damaged = instance_files.overwritten(files)
    looked = False
    for type in sorted({row["type"] for row in rows}):
        driver = host.driver(type)
        domains, active = driver.domains(), driver.active()
        paused, autostart = pauses.standing_still(driver), driver.autostarted()
        saved = driver.saved() if type == "qemu" else frozenset()
        named = {domain.name(): domain for domain in domains.values()}
        ours: list[_Found] = []
        of_type = [row for row in rows if row["type"] == type]
        macs = {}
        if _get_cards(of_type, world):
            known = {ids.uuid_of(row["id"]) for row in of_type}
            listed = [domains[uuid] for uuid in domains.keys() - known]
            macs = _others_macs([*listed, *_of_other_drivers(type, host)])
        for row in of_type:
            uuid = ids.uuid_of(row["id"])
            if uuid in domains:
                ours.append((row, domains[uuid], uuid in active))
            else:
                other = named.get(row["name"])
                found[row["id"]] = DomainState(
                    foreign=other is not None,
                    mistaken=other is not None and _is_ours(other),
                    files=files.get(row["id"], ()),
                    damaged=damaged,
                    others_macs=macs,
                )
        definitions = _definitions(ours, f"{host.state_dir}/definitions-{type}.json", domains)
        for (row, domain, _runs), (text, config, live) in zip(ours, definitions, strict=True):
            uuid = domain.UUIDString()
            if live and not looked:
                host.links.look()
                looked = True
            renamed = domain.name() != row["name"]
            matters = row["status"] == "deleting" or renamed
            other = named.get(row["name"]) if renamed else None
            found[row["id"]] = DomainState(
                config=config,
                live=instance_ports.observed(live, host) if live else None,
                xml=text,
                autostart=uuid in autostart,
                foreign=other is not None,
                mistaken=other is not None and _is_ours(other),
                run=pauses.run_of(domain) if live else None,
                paused=pauses.pause_of(domain) if uuid in paused else None,
                saved=uuid in saved,
                kept=power.kept(domain) if matters and type == "qemu" else (),
                files=files.get(row["id"], ()),
                damaged=damaged,
                others_macs=macs,
            )
    return found


def _is_ours(domain: libvirt.virDomain) -> bool:
    """Whether a domain has our mark."""
    return NAMESPACE in (text_of(domain) or "")


def _of_other_drivers(type: str, host: Host) -> list[libvirt.virDomain]:
    """The domains of the driver of the other type; none where this node has not got it."""
    with contextlib.suppress(HostError):
        return list(host.driver("qemu" if type == "lxc" else "lxc").domains().values())
    return []


def _get_cards(rows: Sequence[InstanceRow], world: World) -> bool:
    """Whether the plan gives some of these instances a network device."""
    instances = {row["id"] for row in rows}
    planned = (
        world.get(kinds.NETWORK_DEVICE, id)
        for (kind, id), before in world.replaced().items()
        if kind == kinds.NETWORK_DEVICE and before is None
    )
    return any(card is not None and card["instance_id"] in instances for card in planned)


def _others_macs(listed: Sequence[libvirt.virDomain]) -> dict[str, str]:
    """The MAC addresses of the domains without our mark, and whose they are."""
    texts = some_at_once(text_of, listed)
    others = (domain_xml.parse(text) for text in texts if text and NAMESPACE not in text)
    return {nic.mac: domain.name for domain in others for nic in domain.nics}


def _definitions(ours: Sequence[_Found], path: str, there: Collection[str]) -> list[_Read]:
    """The definitions of some domains; of many, those are read that are not as in a file.

    Read by several threads: while one waits for libvirt, another reads.
    """
    if len(ours) < WORTH:
        return some_at_once(functools.partial(_definition, domain_xml.parse), ours)
    known = Readings(path)
    found = some_at_once(functools.partial(_definition, known.read), ours)
    known.keep({domain.UUIDString() for _row, domain, _runs in ours}, there)
    return found


def _definition(read: Callable[..., Domain], item: _Found) -> _Read:
    row, domain, runs = item
    with translated("reading the definition", label("instance", row["name"])):
        text, live = domain.XMLDesc(WHOLE), domain.XMLDesc(0) if runs else None
    return text, read(text, buses=False), read(live, buses=True) if live else None


def desired(row: InstanceRow, seen: DomainState, world: World) -> Domain:
    """The definition that the store's rows ask for."""
    host = world.host
    virt = "kvm" if host.kvm else "qemu"
    if seen.live is not None:
        virt = seen.live.type
    if row["type"] == "lxc":
        virt = "lxc"
    order = _boot_positions(row, world)
    disks = tuple(_disks(row, order, world)) if row["type"] == "qemu" else ()
    extras = tuple(_extras(row, order, world))
    needs_usb = any(disk.bus == "usb" for disk in disks) or any(
        isinstance(item, UsbDevice) for item in extras
    )
    return Domain(
        uuid=ids.uuid_of(row["id"]),
        id=row["id"],
        name=row["name"],
        type=virt,
        memory=row["memory"],
        cpu=(row["cpu"]["sockets"], row["cpu"]["cores"], row["cpu"]["threads"]),
        arch=platform.machine(),
        uefi=row["firmware"] == "uefi",
        console_log=console_log(row["id"], host) if row["type"] == "qemu" else None,
        rootfs=row["rootfs"],
        disks=disks,
        nics=tuple(_nics(row, order, world)),
        extras=extras,
        # What a machine is made of stays, and so does a bus that it has once got.
        machine=seen.config.machine if seen.config else _machine(row),
        usb=needs_usb or (seen.config is not None and seen.config.usb),
        cpu_mode=_CPU_MODES[virt],
        screen=row["type"] == "qemu",
    )


def _machine(row: InstanceRow) -> str:
    if platform.machine() != "x86_64":
        return "virt"
    return "pc" if row["chipset"] == "i440fx" else "q35"


def _devices(row: InstanceRow, world: World) -> list[InstanceDeviceRow]:
    found = world.by(kinds.INSTANCE_DEVICE, "instance_id", row["id"])
    return sorted(found, key=lambda item: str(item["name"]))


def _boot_positions(row: InstanceRow, world: World) -> dict[str, int]:
    volumes = world.by(kinds.VOLUME, "instance_id", row["id"])
    names = list(row["boot_order"])
    if not names:
        names = [str(item["device_name"]) for item in volumes if item["is_root"]]
        names += ["cdrom"] if row["cdrom"] else []
    known = {str(item["device_name"]) for item in volumes} | {"cdrom"}
    known |= {item["name"] for item in world.by(kinds.NETWORK_DEVICE, "instance_id", row["id"])}
    known |= {item["name"] for item in _devices(row, world) if item["type"] in ("cdrom", "usb")}
    unknown = [name for name in names if name not in known]
    if unknown or len(set(names)) != len(names):
        raise InputError(
            f"boot_order names {', '.join(unknown) or 'a device twice'}",
            resource=label("instance", row["name"]),
            hint=f"Its devices are: {', '.join(sorted(known))}",
        )
    return {name: position for position, name in enumerate(names, 1)}


def _disks(row: InstanceRow, order: Mapping[str, int], world: World) -> Iterator[Disk]:
    for volume in sorted(
        world.by(kinds.VOLUME, "instance_id", row["id"]), key=lambda item: str(item["device_path"])
    ):
        if volume["status"] == "deleting":
            continue
        pool = world.row(kinds.STORAGE_POOL, volume["storage_pool_id"])
        type, where, bus = backend(pool["type"]), pool_of(pool, world.host), str(volume["bus"])
        yield Disk(
            target=str(volume["device_path"]).removeprefix("/dev/"),
            path=type.path(where, volume_of(volume)),
            remote=type.remote(where, volume_of(volume)),
            format=volume["format"],
            bus=bus,
            boot=order.get(str(volume["device_name"])),
            alias=ALIAS + volume["id"],
            read_only=volume["read_only"],
            controller=_controller(bus),
            # The others have one that QEMU makes; with ours, their guests would not find them.
            serial=volume["id"][:_SERIAL_LENGTH] if bus == "virtio" else None,
            discard=not volume["read_only"],
        )
    for device in _devices(row, world):
        if device["type"] == "cdrom":
            yield _drive(device, order)
    if row["cdrom"]:
        bus = "sata" if platform.machine() == "x86_64" else "scsi"
        yield _own_drive(CDROM_TARGET, row["cdrom"], bus, "cdrom", order.get("cdrom"))
    medium = seeds.path(row, world.host)
    if medium is not None and row["cloud_init"] is not None:
        bus = row["cloud_init"].get("bus", "scsi")
        yield _own_drive(SEED_TARGET, medium, bus, "seed", None)


def _controller(bus: str) -> int | None:
    """The controller of a device of ours: of SCSI the first, where guests see what is on it."""
    return 0 if bus == "scsi" else None


def _own_drive(target: str, path: str, bus: str, name: str, boot: int | None) -> Disk:
    controller = _controller(bus)
    return Disk(target, path, "raw", bus, "cdrom", boot, ALIAS + name, controller=controller)


def _drive(device: InstanceDeviceRow, order: Mapping[str, int]) -> Disk:
    options = device["options"]
    return Disk(
        target=options["device_path"].removeprefix("/dev/"),
        path=options["medium"] if options["tray"] == "closed" else None,
        format="raw",
        bus=options["bus"],
        device="cdrom",
        boot=order.get(device["name"]),
        alias=ALIAS + device["id"],
        tray=options["tray"],
        controller=_controller(options["bus"]),
    )


def _extras(row: InstanceRow, order: Mapping[str, int], world: World) -> Iterator[Extra]:
    for device in _devices(row, world):
        options, alias = device["options"], ALIAS + device["id"]
        if device["type"] == "tpm":
            yield Tpm(options["model"], options["version"], alias)
        elif device["type"] == "rng":
            yield Rng(instance_device.SOURCES[options["source"]], alias)
        elif device["type"] == "usb":
            vendor, product = options["usb_id"].split(":")
            policy, boot = options["startup_policy"], order.get(device["name"])
            yield UsbDevice(vendor, product, policy, alias, boot)


def _nics(row: InstanceRow, order: Mapping[str, int], world: World) -> Iterator[Nic]:
    for device in cards(row, world):
        group = world.row(kinds.PORT_GROUP, device["port_group_id"])
        vswitch = world.row(kinds.VSWITCH, group["vswitch_id"])
        container = row["type"] == "lxc"
        yield Nic(
            mac=device["mac"],
            bridge=vswitch["name"],
            model="lxc" if container else device["model"],
            boot=order.get(device["name"]),
            alias=None if container else ALIAS + device["id"],
            port=of_group(group),
        )
