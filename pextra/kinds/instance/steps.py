# SPDX-License-Identifier: Apache-2.0
"""The steps from an instance's domain as it is to the domain as it should be. Pure."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pextra.engine.world import World
from pextra.host.hypervisor import device_xml, disk_xml, domain_xml, pci_xml, port_xml
from pextra.host.hypervisor.domain import (
    ALIAS,
    CDROM_TARGET,
    SEED_TARGET,
    Device,
    Disk,
    Domain,
    Nic,
    Tpm,
    UsbDevice,
)
from pextra.host.network.policy import OPEN
from pextra.kinds.instance import files as instance_files
from pextra.kinds.instance import overlays as instance_overlays
from pextra.kinds.instance import places as instance_places
from pextra.kinds.instance import ports as instance_ports
from pextra.kinds.instance import power as instance_power
from pextra.kinds.instance import realised
from pextra.kinds.instance.domain import DomainState, desired
from pextra.kinds.instance.files import step_of
from pextra.kinds.instance.work import DomainWork
from pextra.kinds.volume import overlays, saved
from pextra.model import kinds
from pextra.model.errors import ConflictError, ForeignError
from pextra.model.plan import Phase, Step
from pextra.model.request import Request, label
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow

DEVICES = ("disks", "nics", "extras")


def _ours(domain: Domain) -> Domain:
    if domain.type == "lxc":
        return domain
    disks = tuple(disk for disk in domain.disks if disk.alias)
    nics = tuple(nic for nic in domain.nics if nic.alias)
    if (disks, nics) == (domain.disks, domain.nics):
        return domain
    return dataclasses.replace(domain, disks=disks, nics=nics)


def _comparable(domain: Domain) -> Domain:
    ours = _ours(domain)
    if all(len(getattr(ours, name)) < 2 for name in DEVICES):
        return ours
    return dataclasses.replace(
        ours,
        disks=tuple(sorted(ours.disks, key=domain_xml.device_key)),
        nics=tuple(sorted(ours.nics, key=domain_xml.device_key)),
        extras=tuple(sorted(ours.extras, key=domain_xml.device_key)),
    )


def steps(
    request: Request | None, row: InstanceRow, seen: DomainState, world: World
) -> Iterator[Step]:
    """From the domain as it is to what the store and the request ask for.

    Raises:
        ForeignError: A domain that is not ours has the name, or a device has a place we need.
    """
    resource = label("instance", row["name"])
    if seen.mistaken:
        raise ForeignError(
            "libvirt has the domain of another instance under its name, which somebody has renamed",
            resource=resource,
            hint="Give the domains their own names back, with virsh domrename",
        )
    if seen.foreign:
        raise ForeignError(
            "libvirt has a domain of that name that is not ours",
            resource=resource,
            hint="Use another name; domains of others are never touched",
        )
    yield from instance_overlays.committing(request, row, seen, world)
    want = desired(row, seen, world)
    state = request.state if request else "present"
    discards = bool(seen.saved and request and request.options.get("discard_saved"))
    made = [*_rename(row, seen), *_define(row, want, seen)]
    if discards:
        yield step_of(row, "discard", {"state": "saved"}, {"state": "stopped"}, _work(row))
    elif seen.saved and (
        # A restart is asked for to boot, and what goes on does not.
        state == "restarted" or saved.has_grown(row, world) or any(map(_is_of_machine, made))
    ):
        saved.refuse(resource)
    yield from instance_files.making(row, seen.files, seen.damaged, world.host)
    yield from made
    live: list[Step] = []
    if seen.live is not None:
        restarts = state in ("stopped", "killed", "restarted")
        cold = world.deferred(kinds.INSTANCE, row["id"])
        overlays.refuse_copied([instance_overlays.touched(seen.live, world)], world, resource)
        there = overlays.found([seen.live], world)
        runs = instance_overlays.committed(seen.live, there)
        live = list(_live(row, want, runs, restarts, cold, request))
        if any(step.needs_restart for step in live):
            instance_power.check_rename(row, seen)
    yield from live
    yield from instance_files.clearing(row, seen.files, instance_files.keep(row, world.host))
    power = list(instance_power.steps(request, row, state, seen, world))
    instance_power.foresee(row, state, [*live, *power], seen, discards, world)
    yield from power


def _work(row: InstanceRow) -> DomainWork:
    return DomainWork(row["type"])


def _is_of_machine(step: Step) -> bool:
    """Whether a step changes more than whether the machine starts with its host."""
    return set(step.after or ()) != {"autostart"}


def _rename(row: InstanceRow, seen: DomainState) -> Iterator[Step]:
    """Give a domain its name back that another tool has renamed, which it must be off for."""
    name = seen.config.name if seen.config is not None else row["name"]
    if name != row["name"] and seen.live is None:
        instance_power.check_rename(row, seen)
        yield step_of(row, "rename", {"name": name}, {"name": row["name"]}, DomainWork(row["type"]))


def _define(row: InstanceRow, want: Domain, seen: DomainState) -> Iterator[Step]:
    resource, log = label("instance", row["name"]), want.console_log or ""
    instance_places.check(want, seen, resource)
    work = DomainWork(row["type"], autostart=row["autostart"], console_log=log)
    if seen.config is None:
        made = {"memory": want.memory, "vcpus": want.vcpus, "autostart": row["autostart"]}
        yield step_of(row, "define", None, made, dataclasses.replace(work, definition=want))
        return
    if seen.live is not None:
        # Its name is changed when it is off.
        want = dataclasses.replace(want, name=seen.config.name)
    have = _comparable(seen.config)
    if have.name != want.name:
        have = dataclasses.replace(have, name=want.name)
    need = _comparable(want)
    # A saved machine goes on as it is, and has what nobody asked for when it starts anew.
    goes_on = seen.saved and _settled(have) == _settled(need)
    before, after = ({}, {}) if goes_on else _differences(have, need)
    if seen.autostart != row["autostart"]:
        before["autostart"], after["autostart"] = seen.autostart, row["autostart"]
    if not after:
        return
    text = seen.xml if goes_on else domain_xml.amend(seen.xml, _ours(seen.config), want)
    yield step_of(row, "redefine", before, after, dataclasses.replace(work, text=text))


def _settled(domain: Domain) -> Domain:
    """A machine without what it has from its start on: places, the seed's bus, what is withheld."""
    disks = (
        dataclasses.replace(_placed(disk), bus="" if disk.target == SEED_TARGET else disk.bus)
        for disk in domain.disks
    )
    return dataclasses.replace(domain, disks=tuple(disks), withheld_memory=0, withheld_vcpus=0)


def _differences(have: Domain, need: Domain) -> tuple[Document, Document]:
    before: Document = {}
    after: Document = {}
    if have == need:
        return before, after
    for item in dataclasses.fields(Domain):
        if not item.compare:
            continue
        old, new = getattr(have, item.name), getattr(need, item.name)
        if isinstance(old, tuple) and item.name in DEVICES:
            old, new = _without(old, new), _without(new, old)
        if old != new:
            before[item.name], after[item.name] = _shown(old), _shown(new)
    return before, after


def _without(some: tuple[Any, ...], others: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(item for item in some if item not in others)


def _shown(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_shown(item) for item in value]
    if isinstance(value, Nic):
        return instance_ports.shown(value)
    if isinstance(value, Disk):
        # Its target says the place, and its alias the serial that it should have.
        known = value.serial is not None and f"{ALIAS}{value.serial}" in (value.alias or "")
        value = dataclasses.replace(value, place=None, serial=None if known else value.serial)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = dataclasses.asdict(value)
        shown.pop("copied", None)  # what another tool does, and not what the disk is
        return {key: item for key, item in shown.items() if item is not None}
    return value


_BEFORE_DEVICES = ("commit", "discard", "rename", "define", "redefine", *instance_files.MAKING)


def turn(step: Step) -> int:
    """First what a machine starts with next, then what running guests let go of, then the rest."""
    if step.action in _BEFORE_DEVICES:
        return 0
    return 1 if step.action == "unplug" else 2


def _live(
    row: InstanceRow,
    want: Domain,
    live: Domain,
    restarts: bool,
    cold: bool,
    request: Request | None,
) -> Iterator[Step]:
    """Plug and unplug, and what only a restart can change."""
    if restarts:
        return
    have, need = _ours(live), want
    before: Document = {}
    after: Document = {}
    places = live.free_places if row["type"] == "qemu" else pci_xml.MOST
    pairs = (_pairs(getattr(have, name), getattr(need, name)) for name in DEVICES)
    for old, new in itertools.chain.from_iterable(pairs):
        if cold and not _is_seed(old, new) and not instance_ports.same_device(old, new):
            continue  # it gets them when it starts next
        name = _called(old, new)
        places += pci_xml.takes_place(old) - pci_xml.takes_place(new)
        if _is_fixed(old, new, live):
            before[name], after[name] = _shown(old), _shown(new)
        elif places < 0 and pci_xml.takes_place(new):
            before[name], after[name] = "no free place on the PCI bus", _shown(new)
            places += 1
        else:
            yield from _plug(row, old, new, want)
    for name in ("name", *realised.by_restart()):
        if getattr(have, name) != getattr(need, name):
            before[name], after[name] = _shown(getattr(have, name)), _shown(getattr(need, name))
    if after:
        timeout = request.options.get("timeout", 60) if request else 60
        yield Step(
            kinds.INSTANCE, row["id"], row["name"], "restart", Phase.POWER, before, after,
            needs_restart=True, work=DomainWork(row["type"], timeout=timeout),
        )  # fmt: skip


def _is_seed(old: Device | None, new: Device | None) -> bool:
    """Whether it is the drive of the cloud-init seed, whose file goes with its contents."""
    return any(isinstance(item, Disk) and item.target == SEED_TARGET for item in (old, new))


def left_running(step: Step) -> str | None:
    """Why a step waits for a request or the next start; None: an instance does not notice it."""
    target = {**(step.before or {}), **(step.after or {})}.get("target")
    if step.action in ("plug", "unplug") or (
        step.action == "change-medium" and target != SEED_TARGET
    ):
        return "it runs, and takes over its devices when it starts next or when it is asked to"
    return None


def _is_fixed(old: Device | None, new: Device | None, live: Domain) -> bool:
    """Whether only a restart brings it: SATA and drives have no hot-plug, TPMs neither."""
    if isinstance(old, Disk) and old.device == "cdrom":
        return False  # its medium can be changed
    for item in (old, new):
        if isinstance(item, Tpm) or (isinstance(item, UsbDevice) and not live.usb):
            return True
        if isinstance(item, Disk) and (item.bus == "sata" or item.device == "cdrom"):
            return True
    return False


def _called(old: Device | None, new: Device | None) -> str:
    """A device's name in messages."""
    found = new if new is not None else old
    if isinstance(found, (Disk, Nic)):
        return domain_xml.device_key(found)
    return type(found).__name__.lower()


def _pairs(have: Any, need: Any) -> Iterator[tuple[Any, Any]]:
    old = {domain_xml.device_key(item): _as_running(item) for item in have}
    new = {domain_xml.device_key(item): _as_running(item) for item in need}
    for key in [*(key for key in old if key not in new), *new]:
        if old.get(key) != new.get(key):
            yield old.get(key), new.get(key)


def _as_running(item: Any) -> Any:
    """A device without what means nothing, is the guest's to change, or stays while it runs."""
    if isinstance(item, Disk):
        return dataclasses.replace(_placed(item), boot=None, tray="closed")
    return dataclasses.replace(item, boot=None) if hasattr(item, "boot") else item


def _placed(disk: Disk) -> Disk:
    """A disk without what it has from its machine's start on, and nobody asked for."""
    return dataclasses.replace(disk, controller=None, serial=None, discard=False)


def _plug(row: InstanceRow, old: Device | None, new: Device | None, want: Domain) -> Iterator[Step]:
    """Steps that bring one device of a running domain from ``old`` to ``new``."""
    if isinstance(old, Disk) and old.device == "cdrom":
        # The drive stays where it is until the instance starts next.
        medium = dataclasses.replace(old, path=new.path if isinstance(new, Disk) else None)
        if old.path != medium.path:
            yield _device_step(row, "change-medium", old, medium)
    elif isinstance(old, Nic) and isinstance(new, Nic) and instance_ports.same_device(old, new):
        if not instance_ports.matched(old, new):
            work = DomainWork(row["type"], metadata=port_xml.element_text(want), nic=new)
            yield step_of(row, "set-port", _shown(old), _shown(new), work)
    else:
        if old is not None:
            yield _device_step(row, "unplug", old, None)
        if new is not None:
            step = _device_step(row, "plug", None, new)
            if isinstance(new, Nic) and new.port != OPEN:
                metadata = port_xml.element_text(want)
                work = dataclasses.replace(step.work_as(DomainWork), nic=new, metadata=metadata)
                step = dataclasses.replace(step, work=work)
            yield step


def _device_step(row: InstanceRow, action: str, old: Device | None, new: Device | None) -> Step:
    subject = new if new is not None else old
    if isinstance(subject, Nic):
        element = domain_xml.nic_element(subject)
    elif isinstance(subject, Disk) or subject is None:
        element = disk_xml.element(subject or Disk(CDROM_TARGET, None))
    else:
        element = device_xml.element(subject)
    text = domain_xml.as_text(element)
    return step_of(row, action, _shown(old), _shown(new), DomainWork(row["type"], text))


def removal(
    request: Request | None, gone: InstanceRow, seen: DomainState, world: World
) -> Iterator[Step]:
    """Undefine a domain that is not running, and remove the instance's files.

    Raises:
        ConflictError: It runs, or another tool has put files over volumes that stay, or keeps
            something else of it.
    """
    force = request is not None and bool(request.options.get("force"))
    if seen.live is not None:
        raise ConflictError(
            "it is running",
            resource=label("instance", gone["name"]),
            hint="Stop it first: state=stopped, or state=killed if it does not answer",
        )
    yield from instance_overlays.committing(request, gone, seen, world)
    if seen.saved:
        if request is None or not (force or request.options.get("discard_saved")):
            saved.refuse(label("instance", gone["name"]))
        yield step_of(gone, "discard", {"state": "saved"}, {"state": "stopped"}, _work(gone))
    if seen.config is not None:
        before: Document = {"power": "stopped"}
        if seen.kept:
            if not force:
                instance_power.refuse_kept(seen, label("instance", gone["name"]))
            before["kept"] = list(seen.kept)
        work = DomainWork(gone["type"], forget=force)
        yield step_of(gone, "undefine", before, None, work)
    yield from instance_files.clearing(gone, seen.files, None)
