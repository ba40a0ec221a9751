# SPDX-License-Identifier: Apache-2.0
"""Instances: virtual machines (qemu) and containers (lxc)."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.host.hypervisor import rootfs
from pextra.host.machine import Host
from pextra.kinds.common import check_here, resolve_node
from pextra.kinds.instance import cloud_init, realised, seeds
from pextra.kinds.instance import domain as instance_domain
from pextra.kinds.instance import files as instance_files
from pextra.kinds.instance import steps as instance_steps
from pextra.kinds.instance.domain import DomainState
from pextra.kinds.instance.fields import COMPUTED, FIELDS, STEERING
from pextra.kinds.instance_device import kind as instance_device
from pextra.kinds.network_device.kind import cards
from pextra.kinds.volume.place import detached, taking_back
from pextra.kinds.volume_snapshot.kind import refuse_snapshots
from pextra.model import kinds
from pextra.model.errors import ConflictError, InputError, PextraError, UnsupportedError
from pextra.model.fields import Field, Row
from pextra.model.names import AnyName, Key
from pextra.model.plan import Step
from pextra.model.request import Request
from pextra.model.spec import KindSpec
from pextra.model.values import Document, Options

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow, NetworkDeviceRow

realised.check(FIELDS)
_VOLUME_KEYS: Final = (
    "id",
    "name",
    "device_name",
    "device_path",
    "bus",
    "is_root",
    "read_only",
    "size",
    "format",
)


class Instance(Kind["InstanceRow", DomainState]):
    """A virtual machine or a container."""

    spec = KindSpec(
        name=kinds.INSTANCE,
        table="instances",
        prefix="inst",
        small=True,
        on_node=True,
        fields=FIELDS,
        options=STEERING,
        states=("present", "started", "stopped", "killed", "restarted", "absent"),
        scope=("cluster_id",),
        computed=COMPUTED,
        hidden=(Field("cloud_init_id"), Field("restarting"), Field("seed")),
        unfinished=("restarting",),
        rank=80,
        host_rank=40,
        on_host=True,
    )  # fmt: skip

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The node, this one unless named, and its cluster."""
        if "id" in request.values and "node" not in request.values:
            return {}
        node = resolve_node(request.values.get("node"), world, request.label)
        return {"node_id": node["id"], "cluster_id": node["cluster_id"]}

    def names(self, request: Request) -> Iterable[Key]:
        """Its own, and those of its volumes, their pools, and its port groups."""
        yield from super().names(request)
        yield kinds.STORAGE_POOL, "local"
        for volume in request.values.get("volumes") or ():
            yield kinds.VOLUME, volume["name"]
            if volume.get("storage_pool"):
                yield kinds.STORAGE_POOL, volume["storage_pool"]
        for device in request.values.get("networks") or ():
            if device.get("port_group"):
                yield kinds.PORT_GROUP, device["port_group"]

    def expand(self, request: Request, world: World) -> Iterable[Request]:
        """The instance, then its network devices and volumes."""
        yield request
        if request.state == "absent":
            return
        name = request.values.get("name") or request.values["id"]
        row = world.require(kinds.INSTANCE, name, self.resolve(request, world))
        yield from _network_requests(request, row, world)
        yield from _volume_requests(request, row, world)
        yield from _device_requests(request, row, world)

    def draft(
        self, request: Request, current: InstanceRow | None, row: InstanceRow, world: World
    ) -> None:
        """Check what depends on the type and on this host."""
        resource = request.label
        check_here(row, world, resource)
        row.setdefault("restored_from", None)
        if current is None:
            row["cloud_init_id"] = request.options.get("cloud_init_id")
        row.setdefault("restarting", None)
        row.setdefault("seed", None)
        container = row["type"] == "lxc"
        if container:
            _draft_rootfs(request, current, row, world)
        given = [key for key in ("cdrom", "cloud_init", "boot_order") if row[key] not in (None, [])]
        if container and given:
            raise InputError(f"a container has no {', '.join(given)}", resource=resource)
        if not container and (row["rootfs"] or row["rootfs_archive"]):
            option = "rootfs" if row["rootfs"] else "rootfs_archive"
            raise InputError(f"{option} is for containers", resource=resource)
        if container and request.values.get("devices"):
            raise InputError("a container has no devices", resource=resource)
        if row["chipset"] != "q35" and platform.machine() != "x86_64":
            raise UnsupportedError(
                f"this node has no machines with chipset {row['chipset']}", resource=resource
            )
        if (row["cloud_init"] or {}).get("bus") == "sata" and platform.machine() != "x86_64":
            raise UnsupportedError(
                "this node has no machines with bus sata",
                resource=resource,
                hint="Leave cloud_init.bus out",
            )
        instance_domain.check_cdrom(row, current, resource)
        restored = "cloud_init_id" in request.options
        if row["cloud_init"] and request.values.get("cloud_init") and not restored:
            before = current["cloud_init"] if current is not None else None
            cloud_init.check_schema(row["cloud_init"], before or {}, resource)
        if not request.options.get("hot_plug", True):
            world.defer(kinds.INSTANCE, row["id"])

    def encrypted(self, row: InstanceRow, after: InstanceRow, host: Host) -> Row:
        """What the seed is called, so that it is found without decrypting what is in it."""
        return {"seed": seeds.kept(row, after, host)}

    def retire(self, request: Request, current: InstanceRow, world: World) -> None:
        """Its network devices go; its volumes are let go, or destroyed if that was asked."""
        check_here(current, world, request.label)
        destroy = request.options.get("destroy_volumes")
        if current["rootfs_archive"] and not destroy and current["status"] == "ready":
            raise ConflictError(
                f"its root file system in {current['rootfs']} would be destroyed with it",
                resource=request.label,
                hint="Say that it may be: destroy_volumes=true",
            )
        for card in world.by(kinds.NETWORK_DEVICE, "instance_id", current["id"]):
            world.drop(kinds.NETWORK_DEVICE, card["id"])
        for device in world.by(kinds.INSTANCE_DEVICE, "instance_id", current["id"]):
            world.drop(kinds.INSTANCE_DEVICE, device["id"])
        for volume in world.by(kinds.VOLUME, "instance_id", current["id"]):
            if destroy or volume["status"] == "deleting":
                refuse_snapshots(world, volume, request.label)
                world.retire(kinds.VOLUME, volume["id"])
            else:
                world.put(kinds.VOLUME, detached(volume))

    def take_back(self, request: Request, row: InstanceRow, world: World) -> None:
        """Its volumes come back that were to be destroyed with it."""
        for volume in world.by(kinds.VOLUME, "instance_id", row["id"]):
            if volume["status"] == "deleting":
                taking_back(volume, world, request.label)
                world.keep(kinds.VOLUME, volume["id"])

    def present(self, row: InstanceRow, world: World) -> Document:
        """The instance with its state, virtual processors, network devices and volumes."""
        cpu = row["cpu"]
        volumes = world.by(kinds.VOLUME, "instance_id", row["id"])
        devices = world.by(kinds.INSTANCE_DEVICE, "instance_id", row["id"])
        return self.spec.public(row) | {
            "state": world.outlook(kinds.INSTANCE, row["id"]).get("state"),
            "vcpus": cpu["sockets"] * cpu["cores"] * cpu["threads"],
            "networks": [shown_card(item) for item in cards(row, world)],
            "volumes": [
                {key: item[key] for key in _VOLUME_KEYS}
                for item in sorted(volumes, key=lambda item: str(item["device_path"]))
            ],
            "devices": [
                instance_device.shown(item)
                for item in sorted(devices, key=lambda item: str(item["name"]))
            ],
        }

    def observe(
        self, rows: Sequence[InstanceRow], host: Host, world: World
    ) -> Mapping[str, DomainState]:
        """The domains of these instances: five listings a driver, and a definition each."""
        here = [row for row in rows if row["node_id"] == world.here]
        return instance_domain.observe(here, host, world)

    def converge(
        self,
        request: Request | None,
        row: InstanceRow | None,
        gone: InstanceRow | None,
        seen: DomainState | None,
        world: World,
    ) -> Iterable[Step]:
        """Define, plug, power; or undefine."""
        if seen is not None and gone is not None:
            return instance_steps.removal(request, gone, seen, world)
        if seen is not None and row is not None:
            return instance_steps.steps(request, row, seen, world)
        return ()

    def turn(self, step: Step) -> int:
        """Guests are asked to let go of devices at the same time."""
        return instance_steps.turn(step)

    def unasked(self, step: Step, row: InstanceRow) -> str | None:
        """What runs keeps its devices: it may have been asked to take over changes later."""
        return super().unasked(step, row) or instance_steps.left_running(step)

    def execute_many(self, steps: Sequence[Step], host: Host) -> None:
        """Carry out steps of one action with libvirt."""
        from pextra.kinds.instance import actions as instance_actions

        instance_actions.execute_many(steps, host)

    def wait(self, steps: Sequence[Step], host: Host) -> dict[str, PextraError]:
        """Wait for shutdowns, for all at once, and start again what is restarted."""
        from pextra.kinds.instance import actions as instance_actions

        return instance_actions.wait(steps, host)

    def learned(self, row: InstanceRow, world: World) -> Row:
        """Which restart was begun, or is still to be finished."""
        outlook = world.outlook(kinds.INSTANCE, row["id"])
        return {"restarting": outlook["restarting"]} if "restarting" in outlook else {}

    def powered(self, row: InstanceRow) -> Row:
        """A restart is finished."""
        return {"restarting": None}

    def settle(self, request: Request, row: InstanceRow, host: Host) -> None:
        """Wait for the line on the console that the request names."""
        if request.options.get("wait_console"):
            from pextra.kinds.instance import actions as instance_actions

            instance_actions.settle(request, row, host)


def shown_card(card: NetworkDeviceRow) -> Document:
    """A network device as it is returned."""
    return {key: card[key] for key in ("id", "name", "port_group_id", "mac", "model")}


def _draft_rootfs(
    request: Request, current: InstanceRow | None, row: InstanceRow, world: World
) -> None:
    """A container's root file system: a directory of the user's, or one made from an archive."""
    given, archive, resource = request.values.get("rootfs"), row["rootfs_archive"], request.label
    if current is None and bool(given) == bool(archive):
        raise InputError(
            "rootfs or rootfs_archive must be given for a container"
            + (", not both" if archive else ""),
            resource=resource,
        )
    if current is None and archive:
        rootfs.check_archive(archive)
        row["rootfs"] = instance_files.rootfs_of(row["id"], world.host)


def _network_requests(request: Request, row: InstanceRow, world: World) -> Iterable[Request]:
    devices = request.values.get("networks")
    if devices is None:
        return
    for device in devices:
        yield _part(kinds.NETWORK_DEVICE, "present", {**device, "instance": row["id"]}, request)
    if "networks" in request.options.get("purge", ()):
        named = {device["name"] for device in devices}
        for other in world.by(kinds.NETWORK_DEVICE, "instance_id", row["id"]):
            if other["name"] not in named:
                values = {"id": other["id"], "name": other["name"], "instance": row["id"]}
                yield _part(kinds.NETWORK_DEVICE, "absent", values, request, left_out=True)


def _device_requests(request: Request, row: InstanceRow, world: World) -> Iterable[Request]:
    devices = request.values.get("devices")
    if devices is None:
        return
    if "devices" in request.options.get("purge", ()):
        named = {device["name"] for device in devices}
        for other in world.by(kinds.INSTANCE_DEVICE, "instance_id", row["id"]):
            if other["name"] not in named:
                gone = {"id": other["id"], "name": other["name"], "instance": row["id"]}
                yield _part(kinds.INSTANCE_DEVICE, "absent", gone, request, left_out=True)
    for device in devices:
        values: dict[str, Any] = {key: device[key] for key in ("name", "type") if key in device}
        values["options"] = {
            key: item for key, item in device.items() if key not in ("name", "type")
        }
        values["instance"] = row["id"]
        yield _part(kinds.INSTANCE_DEVICE, "present", values, request)


def _volume_requests(request: Request, row: InstanceRow, world: World) -> Iterable[Request]:
    volumes = request.values.get("volumes")
    if volumes is None:
        return
    attached = world.by(kinds.VOLUME, "instance_id", row["id"])
    has_root = any(volume["is_root"] for volume in attached)
    for index, volume in enumerate(volumes):
        values = {**volume, "node": row["node_id"], "instance": row["id"]}
        options = {"root": True} if index == 0 and not has_root else {}
        yield _part(kinds.VOLUME, "attached", values, request, options)
    if "volumes" in request.options.get("purge", ()):
        named = {volume["name"] for volume in volumes}
        for other in attached:
            if other["name"] not in named and not other["is_root"]:
                yield _part(kinds.VOLUME, "detached", {"id": other["id"]}, request, left_out=True)


def _part(
    kind: AnyName,
    state: str,
    values: Options,
    request: Request,
    options: Options | None = None,
    *,
    left_out: bool = False,
) -> Request:
    return Request(kind, state, values, options or {}, request.position, left_out)
