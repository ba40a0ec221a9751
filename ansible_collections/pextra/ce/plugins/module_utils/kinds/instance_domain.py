# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance as a libvirt domain: what it should be, what it is, and the steps between."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils import ids
from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import Request, label
from ansible_collections.pextra.ce.plugins.module_utils.engine.plan import Phase, Step
from ansible_collections.pextra.ce.plugins.module_utils.engine.world import World
from ansible_collections.pextra.ce.plugins.module_utils.errors import (
    ConflictError,
    ForeignError,
    InputError,
    UnsupportedError,
)
from ansible_collections.pextra.ce.plugins.module_utils.host import Host
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor import domain_xml, power
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.connection import translated
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.domain import (
    ALIAS,
    CDROM_TARGET,
    SEED_TARGET,
    Disk,
    Domain,
    Nic,
)
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.types import backend
from ansible_collections.pextra.ce.plugins.module_utils.kinds import instance_files
from ansible_collections.pextra.ce.plugins.module_utils.kinds.instance_files import console_log

__all__ = ["console_log", "execute", "observe", "removal", "settle", "steps", "wait"]


@dataclass(frozen=True, slots=True)
class DomainState:
    """A domain on this host.

    Attributes:
        config: Its persistent definition; None where there is no domain.
        live: Its definition as it runs; None where it does not run.
        xml: The text of the persistent definition.
        autostart: It starts with the host.
        foreign: A domain that is not ours has the name.
        files: Seeds, and the console's log where the instance goes; see ``instance_files``.
    """

    config: Domain | None = None
    live: Domain | None = None
    xml: str = ""
    autostart: bool = False
    foreign: bool = False
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """What executing a step needs: the driver's type, and what to do there."""

    type: str
    text: str = ""
    autostart: bool = False
    console_log: str = ""
    timeout: int = 60


_CONFIG = 2
_LIVE = 1
"""libvirt's VIR_DOMAIN_AFFECT_* flags."""


def check_cdrom(row: Row, current: Row | None, resource: str) -> None:
    """A CD-ROM image that is newly named must exist.

    Raises:
        InputError: It does not.
    """
    path = row["cdrom"]
    if path and (current is None or current["cdrom"] != path) and not os.path.isfile(path):
        raise InputError(f"cdrom {path} does not exist on this node", resource=resource)


def observe(rows: Sequence[Row], host: Host) -> dict[str, DomainState]:
    """The domains of these instances: three listings a driver, and a definition each."""
    found: dict[str, DomainState] = {}
    files = instance_files.observe(rows, host)
    for type in sorted({row["type"] for row in rows}):
        driver = host.driver(type)
        domains, active = driver.domains(), driver.active_names()
        autostart = driver.autostart_names()
        for row in rows:
            if row["type"] != type:
                continue
            domain, own = domains.get(row["name"]), files.get(row["id"], ())
            if domain is None:
                found[row["id"]] = DomainState(files=own)
            elif domain.UUIDString() != ids.uuid_of(row["id"]):
                found[row["id"]] = DomainState(foreign=True, files=own)
            else:
                with translated("reading the definition", label("instance", row["name"])):
                    text = domain.XMLDesc(_CONFIG)
                    live = domain.XMLDesc(0) if row["name"] in active else None
                found[row["id"]] = DomainState(
                    config=domain_xml.parse(text),
                    live=domain_xml.parse(live) if live else None,
                    xml=text,
                    autostart=row["name"] in autostart,
                    files=own,
                )
    return found


def desired(row: Row, seen: DomainState, world: World) -> Domain:
    """The definition that the store's rows ask for."""
    host = world.host
    virt = "kvm" if host.kvm else "qemu"
    if seen.live is not None:
        virt = seen.live.type
    if row["type"] == "lxc":
        virt = "lxc"
    order = _boot_positions(row, world)
    return Domain(
        uuid=ids.uuid_of(row["id"]),
        id=row["id"],
        name=row["name"],
        type=virt,
        memory=row["memory"],
        cpu=(row["cpu"]["sockets"], row["cpu"]["cores"], row["cpu"]["threads"]),
        arch=platform.machine(),
        uefi=row["firmware"] == "uefi",
        console_log=console_log(row, host) if row["type"] == "qemu" else None,
        rootfs=row["rootfs"],
        disks=tuple(_disks(row, order, world)) if row["type"] == "qemu" else (),
        nics=tuple(_nics(row, order, world)),
    )


def _boot_positions(row: Row, world: World) -> dict[str, int]:
    volumes = world.by("volume", "instance_id", row["id"])
    names = list(row["boot_order"])
    if not names:
        names = [item["device_name"] for item in volumes if item["is_root"]]
        names += ["cdrom"] if row["cdrom"] else []
    known = {item["device_name"] for item in volumes} | {"cdrom"}
    known |= {item["name"] for item in world.by("network_device", "instance_id", row["id"])}
    unknown = [name for name in names if name not in known]
    if unknown or len(set(names)) != len(names):
        raise InputError(
            f"boot_order names {', '.join(unknown) or 'a device twice'}",
            resource=label("instance", row["name"]),
            hint=f"Its devices are: {', '.join(sorted(known))}",
        )
    return {name: position for position, name in enumerate(names, 1)}


def _disks(row: Row, order: Mapping[str, int], world: World) -> Iterator[Disk]:
    for volume in sorted(
        world.by("volume", "instance_id", row["id"]), key=lambda item: str(item["device_path"])
    ):
        if volume["status"] == "deleting":
            continue
        pool = world.row("storage_pool", volume["storage_pool_id"])
        yield Disk(
            target=volume["device_path"].removeprefix("/dev/"),
            path=backend(pool["type"]).path(pool["options"], volume["id"], volume["format"]),
            format=volume["format"],
            bus=volume["bus"],
            boot=order.get(volume["device_name"]),
            alias=ALIAS + volume["id"],
        )
    bus = "sata" if platform.machine() == "x86_64" else "scsi"
    if row["cdrom"]:
        yield Disk(
            CDROM_TARGET, row["cdrom"], "raw", bus, "cdrom", order.get("cdrom"), ALIAS + "cdrom"
        )
    medium = instance_files.seed_of(row, world.host)
    if medium is not None:
        yield Disk(SEED_TARGET, medium[0], "raw", bus, "cdrom", None, ALIAS + "seed")


def _nics(row: Row, order: Mapping[str, int], world: World) -> Iterator[Nic]:
    devices = world.by("network_device", "instance_id", row["id"])
    for device in sorted(devices, key=lambda item: str(item["name"])):
        group = world.row("port_group", device["port_group_id"])
        vswitch = world.row("vswitch", group["vswitch_id"])
        container = row["type"] == "lxc"
        yield Nic(
            mac=device["mac"],
            bridge=vswitch["name"],
            model="lxc" if container else device["model"],
            boot=order.get(device["name"]),
            alias=None if container else ALIAS + device["id"],
        )


def _ours(domain: Domain) -> Domain:
    if domain.type == "lxc":
        return domain
    return dataclasses.replace(
        domain,
        disks=tuple(disk for disk in domain.disks if disk.alias),
        nics=tuple(nic for nic in domain.nics if nic.alias),
    )


def _comparable(domain: Domain) -> Domain:
    ours = _ours(domain)
    return dataclasses.replace(
        ours,
        console_log=None,
        disks=tuple(sorted(ours.disks, key=domain_xml.device_key)),
        nics=tuple(sorted(ours.nics, key=domain_xml.device_key)),
    )


def steps(request: Request | None, row: Row, seen: DomainState, world: World) -> Iterator[Step]:
    """From the domain as it is to what the store and the request ask for.

    Raises:
        ForeignError: A domain that is not ours has the name, or a device has a place we need.
    """
    resource = label("instance", row["name"])
    if seen.foreign:
        raise ForeignError(
            "libvirt has a domain of that name that is not ours",
            resource=resource,
            hint="Use another name; domains of others are never touched",
        )
    want = desired(row, seen, world)
    state = request.state if request else "present"
    yield from instance_files.making(row, seen.files, world.host)
    yield from _define(row, want, seen)
    if seen.live is not None:
        restarts = state in ("stopped", "killed", "restarted")
        yield from _live(row, want, seen.live, restarts, request)
    medium = instance_files.seed_of(row, world.host)
    yield from instance_files.clearing(row, seen.files, medium[0] if medium else None)
    yield from _power(request, row, state, seen, world)


def _define(row: Row, want: Domain, seen: DomainState) -> Iterator[Step]:
    work = Work(row["type"], "", row["autostart"], want.console_log or "")
    if seen.config is None:
        text = domain_xml.render(want)
        after = {"memory": want.memory, "vcpus": want.vcpus, "autostart": row["autostart"]}
        yield _step(row, "define", None, after, dataclasses.replace(work, text=text))
        return
    have, need = _comparable(seen.config), _comparable(want)
    _check_places(seen.config, want, label("instance", row["name"]))
    before, after = _differences(have, need)
    if seen.autostart != row["autostart"]:
        before["autostart"], after["autostart"] = seen.autostart, row["autostart"]
    if not after:
        return
    text = domain_xml.amend(seen.xml, _ours(seen.config), want)
    yield _step(row, "redefine", before, after, dataclasses.replace(work, text=text))


def _check_places(config: Domain, want: Domain, resource: str) -> None:
    foreign = {disk.target for disk in config.disks if not disk.alias}
    taken = [disk.target for disk in want.disks if disk.target in foreign]
    if taken and want.type != "lxc":
        raise ForeignError(
            f"somebody else attached a device at {', '.join(taken)}",
            resource=resource,
            hint="Give the volume another device_path, or detach the other device",
        )


def _differences(have: Domain, need: Domain) -> tuple[dict[str, Any], dict[str, Any]]:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for item in dataclasses.fields(Domain):
        old, new = getattr(have, item.name), getattr(need, item.name)
        if isinstance(old, tuple) and item.name in ("disks", "nics"):
            old, new = _without(old, new), _without(new, old)
        if old != new:
            before[item.name], after[item.name] = _shown(old), _shown(new)
    return before, after


def _without(some: tuple[Any, ...], others: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(item for item in some if item not in others)


def _shown(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_shown(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key: item for key, item in dataclasses.asdict(value).items() if item is not None}
    return value


def _live(
    row: Row, want: Domain, live: Domain, restarts: bool, request: Request | None
) -> Iterator[Step]:
    """Plug and unplug, and what only a restart can change."""
    if restarts:
        return
    have, need = _ours(live), want
    for old, new in (*_pairs(have.disks, need.disks), *_pairs(have.nics, need.nics)):
        yield from _plug(row, old, new)
    stale = {
        name: (getattr(have, name), getattr(need, name))
        for name in ("memory", "cpu", "rootfs")
        if getattr(have, name) != getattr(need, name)
    }
    if stale:
        timeout = request.options.get("timeout", 60) if request else 60
        yield Step(
            "instance", row["id"], row["name"], "restart", Phase.POWER,
            {key: _shown(pair[0]) for key, pair in stale.items()},
            {key: _shown(pair[1]) for key, pair in stale.items()},
            needs_restart=True,
            payload=Work(row["type"], timeout=timeout),
        )  # fmt: skip


def _pairs(have: Any, need: Any) -> Iterator[tuple[Any, Any]]:
    old = {domain_xml.device_key(item): dataclasses.replace(item, boot=None) for item in have}
    new = {domain_xml.device_key(item): dataclasses.replace(item, boot=None) for item in need}
    for key in [*(key for key in old if key not in new), *new]:
        if old.get(key) != new.get(key):
            yield old.get(key), new.get(key)


def _plug(row: Row, old: Disk | Nic | None, new: Disk | Nic | None) -> Iterator[Step]:
    """Steps that bring one device of a running domain from ``old`` to ``new``."""
    if isinstance(old, Disk) and old.device == "cdrom":
        medium = new if isinstance(new, Disk) else dataclasses.replace(old, path=None)
        if old.path != medium.path:
            yield _device_step(row, "change-medium", old, medium)
    elif isinstance(new, Disk) and new.device == "cdrom":
        step = _device_step(row, "restart", None, new)
        yield dataclasses.replace(
            step, phase=Phase.POWER, needs_restart=True, payload=Work(row["type"])
        )
    else:
        if old is not None:
            yield _device_step(row, "unplug", old, None)
        if new is not None:
            yield _device_step(row, "plug", None, new)


def _device_step(row: Row, action: str, old: Disk | Nic | None, new: Disk | Nic | None) -> Step:
    subject = new if new is not None else old
    element = (
        domain_xml.nic_element(subject)
        if isinstance(subject, Nic)
        else domain_xml.disk_element(subject or Disk(CDROM_TARGET, None))
    )
    text = domain_xml.as_text(element)
    return _step(row, action, _shown(old), _shown(new), Work(row["type"], text))


def _power(
    request: Request | None, row: Row, state: str, seen: DomainState, world: World
) -> Iterator[Step]:
    active = seen.live is not None
    action = {
        ("started", False): "start",
        ("stopped", True): "shutdown",
        ("killed", True): "kill",
        ("restarted", True): "restart",
        ("restarted", False): "start",
    }.get((state, active))
    if action is None:
        return
    if action in ("start", "restart") and row["type"] == "qemu":
        _check_vlans(row, world)
    timeout = request.options.get("timeout", 60) if request else 60
    before = {"power": "running" if active else "stopped"}
    after = {"power": "stopped" if action in ("shutdown", "kill") else "running"}
    yield Step(
        "instance", row["id"], row["name"], action, Phase.POWER, before, after,
        payload=Work(row["type"], timeout=timeout),
    )  # fmt: skip


def _check_vlans(row: Row, world: World) -> None:
    for device in world.by("network_device", "instance_id", row["id"]):
        group = world.get("port_group", device["port_group_id"])
        if group is not None and group["vlan_id"] is not None:
            raise UnsupportedError(
                f'port group "{group["name"]}" has a VLAN, and this release does not tag'
                " instances' ports yet",
                resource=label("instance", row["name"]),
                hint="Use a port group without a VLAN",
            )


def _step(row: Row, action: str, before: Any, after: Any, work: Work) -> Step:
    return Step("instance", row["id"], row["name"], action, Phase.HOST, before, after, payload=work)


def removal(gone: Row, seen: DomainState) -> Iterator[Step]:
    """Undefine a domain that is not running, and remove the instance's files.

    Raises:
        ConflictError: It runs.
    """
    if seen.live is not None:
        raise ConflictError(
            "it is running",
            resource=label("instance", gone["name"]),
            hint="Stop it first: state=stopped, or state=killed if it does not answer",
        )
    if seen.config is not None:
        yield _step(gone, "undefine", {"power": "stopped"}, None, Work(gone["type"]))
    yield from instance_files.clearing(gone, seen.files, None)


def execute(step: Step, host: Host) -> None:
    """Carry out one step with libvirt."""
    if step.action in instance_files.ACTIONS:
        instance_files.execute(step)
        return
    work: Work = step.payload
    driver, resource = host.driver(work.type), label("instance", step.name)
    if step.action in ("define", "redefine"):
        _execute_define(step, work, host)
    elif step.action in ("plug", "unplug", "change-medium"):
        _execute_device(step, work, host)
    elif step.action == "undefine":
        with translated("undefining it", resource):
            flags = 4 if work.type == "qemu" else 0  # VIR_DOMAIN_UNDEFINE_NVRAM
            driver.domain(ids.uuid_of(step.id)).undefineFlags(flags)
    elif step.action == "start":
        host.console_marks[step.id] = power.console_size(_log_of(step, host))
        power.start(driver, step.id, resource)
    elif step.action == "kill":
        power.kill(driver, step.id, resource)
    else:
        power.ask_to_stop(driver, step.id, resource)


def _log_of(step: Step, host: Host) -> str:
    return console_log({"id": step.id}, host)


def _execute_define(step: Step, work: Work, host: Host) -> None:
    if work.console_log:
        os.makedirs(os.path.dirname(work.console_log), mode=0o700, exist_ok=True)
    with translated("defining it", label("instance", step.name)):
        domain = host.driver(work.type).connection.defineXMLFlags(work.text, 0)
        if step.action == "redefine" or work.autostart:
            domain.setAutostart(int(work.autostart))


def _execute_device(step: Step, work: Work, host: Host) -> None:
    domain = host.driver(work.type).domain(ids.uuid_of(step.id))
    with translated(f"{step.action} of a device", label("instance", step.name)):
        if step.action == "plug":
            domain.attachDeviceFlags(work.text, _LIVE)
        elif step.action == "unplug":
            domain.detachDeviceFlags(work.text, _LIVE)
            power.wait_unplugged(domain, domain_xml.alias_of(work.text), step.name)
        else:
            domain.updateDeviceFlags(work.text, _LIVE)


def wait(step: Step, host: Host) -> None:
    """Wait until a shutdown is complete; start again what was to restart."""
    work: Work = step.payload
    if step.action not in ("shutdown", "restart"):
        return
    driver, resource = host.driver(work.type), label("instance", step.name)
    power.wait_stopped(driver, step.id, work.timeout, resource)
    if step.action == "restart":
        host.console_marks[step.id] = power.console_size(_log_of(step, host))
        power.start(driver, step.id, resource)


def settle(request: Request, row: Row, host: Host) -> None:
    """Wait for the console line that the request names."""
    if request.state not in ("started", "restarted"):
        return
    offset = host.console_marks.get(row["id"], 0)
    power.wait_console(
        console_log(row, host), request.options["wait_console"], offset,
        request.options["timeout"], label("instance", row["name"]),
    )  # fmt: skip
