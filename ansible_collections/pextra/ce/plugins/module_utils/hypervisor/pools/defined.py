# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage pools as libvirt has them defined on this host."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils import ids
from ansible_collections.pextra.ce.plugins.module_utils.host import Host
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.connection import (
    Hypervisor,
    translated,
)
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.backend import PoolBackend


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool on this host; ``foreign`` means that somebody else's has its name."""

    defined: bool = False
    active: bool = False
    autostart: bool = False
    path_exists: bool = True
    foreign: bool = False


def observe(names: Mapping[str, str], host: Host) -> dict[str, PoolState]:
    """The pools of these associations (id to pool name), from one listing."""
    if not names:
        return {}
    with translated("listing the storage pools"):
        pools = {pool.name(): pool for pool in host.qemu.connection.listAllStoragePools(0)}
        found = {}
        for id, name in names.items():
            pool = pools.get(name)
            if pool is None:
                found[id] = PoolState()
            elif pool.UUIDString() != ids.uuid_of(id):
                found[id] = PoolState(foreign=True)
            else:
                target = ET.fromstring(pool.XMLDesc(0)).findtext("target/path")  # noqa: S314
                found[id] = PoolState(
                    defined=True,
                    active=bool(pool.isActive()),
                    autostart=bool(pool.autostart()),
                    path_exists=target is None or os.path.isdir(target),
                )
    return found


def define(
    hypervisor: Hypervisor, type: PoolBackend, name: str, uuid: str, options: Mapping[str, Any]
) -> None:
    """Define, start and autostart a pool.

    Raises:
        HostError: What it stands on cannot be made, or libvirt refused.
    """
    type.prepare(options)
    text = ET.tostring(type.describe(name, uuid, options), encoding="unicode")
    with translated(f"defining storage pool {name}"):
        pool = hypervisor.connection.storagePoolDefineXML(text, 0)
        if not pool.isActive():
            pool.create(0)
        pool.setAutostart(1)


def undefine(
    hypervisor: Hypervisor, type: PoolBackend, uuid: str, options: Mapping[str, Any]
) -> None:
    """Stop and undefine a pool, and remove its directory if nothing is in it.

    Raises:
        HostError: libvirt refused.
    """
    with translated(f"undefining storage pool {uuid}"):
        pool = hypervisor.connection.storagePoolLookupByUUIDString(uuid)
        if pool.isActive():
            pool.destroy()
        pool.undefine()
    type.clear(options)
