# SPDX-License-Identifier: Apache-2.0
"""Storage pools as libvirt has them defined on this host."""

from __future__ import annotations

import contextlib
import os
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pextra.host.hypervisor.connection import Hypervisor, bindings, translated
from pextra.host.machine import Host
from pextra.host.pools import mounts
from pextra.host.pools.backend import Pool, PoolBackend
from pextra.host.pools.types import backend
from pextra.model import ids
from pextra.model.errors import SecretError

_INACTIVE = 1
"""libvirt's VIR_STORAGE_XML_INACTIVE."""
_ACTIVE, _AUTOSTART = 2, 16
"""libvirt's VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE and _AUTOSTART."""


@dataclass(frozen=True, slots=True)
class OnHost:
    """A pool to look at: its type, and the id of its association with this node."""

    type: str
    association: str
    pool: Pool


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool on this host.

    Attributes:
        foreign: Somebody else's pool has its name; nothing else is known then.
        trouble: Why it cannot be used although libvirt has it active.
        prepared: Its credentials are in place.
    """

    defined: bool = False
    active: bool = False
    autostart: bool = False
    foreign: bool = False
    trouble: str | None = None
    prepared: bool = True

    @property
    def available(self) -> bool:
        """Whether it can be used, now and after the host has been started again."""
        return self.started and self.autostart and self.prepared

    @property
    def started(self) -> bool:
        """Whether it can be used now."""
        return self.defined and self.active and self.trouble is None


def observe(items: Mapping[str, OnHost], host: Host) -> dict[str, PoolState]:
    """The pools of these associations: three listings, and one look a type at what they are on."""
    if not items:
        return {}
    with translated("listing the storage pools"):
        connection = host.qemu.connection
        uuids = {pool.name(): pool.UUIDString() for pool in connection.listAllStoragePools(0)}
        active, autostart = (
            {pool.UUIDString() for pool in connection.listAllStoragePools(flag)}
            for flag in (_ACTIVE, _AUTOSTART)
        )
    running: dict[str, list[Pool]] = {}
    for item in items.values():
        if ids.uuid_of(item.association) in active:
            running.setdefault(item.type, []).append(item.pool)
    troubles: dict[str, str] = {}
    for type, pools in running.items():
        troubles |= backend(type).troubles(pools)
    found = {}
    for key, item in items.items():
        uuid = ids.uuid_of(item.association)
        defined = uuids.get(item.pool.name)
        if defined is None or defined != uuid:
            found[key] = PoolState(foreign=defined is not None)
        else:
            found[key] = PoolState(
                defined=True,
                active=uuid in active,
                autostart=uuid in autostart,
                trouble=troubles.get(item.pool.id) if uuid in active else None,
                prepared=_prepared(item),
            )
    return found


def _prepared(item: OnHost) -> bool:
    """Whether a pool's credentials are in place; where they cannot be read, what is there stays."""
    try:
        return backend(item.type).prepared(item.pool)
    except SecretError:
        return True


def beside(host: Host, uuid: str, path: str) -> tuple[str, str] | None:
    """The name and directory of another pool in libvirt that has this directory, by any path to it.

    Raises:
        HostError: libvirt does not answer.
    """
    mounted = mounts.table()
    place = mounts.place(mounts.resolved(path, mounted), mounted)
    with translated("listing the storage pools"):
        others = [
            pool for pool in host.qemu.connection.listAllStoragePools(0)
            if pool.UUIDString() != uuid
        ]  # fmt: skip
        for pool in others:
            text = _definition(pool)
            root = ET.fromstring(text) if text else None  # noqa: S314 - libvirt's own
            found = root.findtext("target/path") if root is not None else None
            if root is None or not found:
                continue
            # A server's file system is not looked at: it may be gone, and then nothing returns.
            local = root.get("type") == "dir"
            real = mounts.resolved(found, mounted) if local else os.path.normpath(found)
            if mounts.place(real, mounted) == place:
                return pool.name(), found
    return None


def _definition(pool: Any) -> str | None:
    """How a pool is defined; None if another tool has just removed it."""
    try:
        text: str = pool.XMLDesc(_INACTIVE)
    except bindings().libvirtError as error:
        if error.get_error_code() == bindings().VIR_ERR_NO_STORAGE_POOL:
            return None
        raise
    return text


def define(hypervisor: Hypervisor, type: PoolBackend, pool: Pool, uuid: str) -> None:
    """Define a pool, again if it is defined already. It is not started.

    Raises:
        PextraError: What it stands on cannot be made, or libvirt refused.
    """
    type.prepare(pool)
    text = ET.tostring(type.describe(pool, uuid), encoding="unicode")
    with translated(f"defining storage pool {pool.name}"):
        hypervisor.connection.storagePoolDefineXML(text, 0)


def start(
    hypervisor: Hypervisor, type: PoolBackend, pool: Pool, uuid: str, *, anew: bool = False
) -> None:
    """Start a pool, now and with the host.

    Args:
        anew: libvirt has it active, but it cannot be used: stop it first, unless preparing it
            was enough. Stopping takes what it is on away from the instances that use it.

    Raises:
        PextraError: It cannot be reached, or libvirt refused.
    """
    type.test(pool)
    type.prepare(pool)
    with translated(f"starting storage pool {pool.name}"):
        found = hypervisor.connection.storagePoolLookupByUUIDString(uuid)
        if anew and found.isActive() and pool.id in type.troubles([pool]):
            found.destroy()
            type.prepare(pool)
        if not found.isActive():
            found.create(0)
        if not found.autostart():
            found.setAutostart(1)


def undefine(hypervisor: Hypervisor, type: PoolBackend, pool: Pool, uuid: str) -> None:
    """Stop and undefine a pool, and remove what it was on if nothing is in it.

    Raises:
        PextraError: libvirt refused, for example because it is in use.
    """
    with translated(f"undefining storage pool {pool.name}"):
        found = hypervisor.connection.storagePoolLookupByUUIDString(uuid)
        if found.isActive():
            found.destroy()
        found.undefine()
    type.clear(pool)


def masked(text: str, pool: Pool) -> str:
    """A text without the pool's secrets; one that this node cannot read is in no text of it."""
    for name in pool.secrets:
        with contextlib.suppress(SecretError):
            text = text.replace(pool.secrets[name], "********")
    return text
