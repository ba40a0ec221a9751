# SPDX-License-Identifier: Apache-2.0
"""The bridge ports of an instance: as the kernel has them, and steps that correct them."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from pextra.host.hypervisor.domain import Device, Domain, Nic
from pextra.host.machine import Host
from pextra.host.network import ports
from pextra.host.network.policy import OPEN
from pextra.model.errors import UnsupportedError
from pextra.model.request import label
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow

CONTAINER_HOOK = "/etc/libvirt/hooks/lxc.d/50-pextra-ce"


def observed(domain: Domain, host: Host) -> Domain:
    """A running domain with its ports as the kernel has them."""
    nics = tuple(
        dataclasses.replace(nic, port=host.links.ports.of(_place(nic))) if nic.tap else nic
        for nic in domain.nics
    )
    return dataclasses.replace(domain, nics=nics)


def _place(nic: Nic) -> ports.Place:
    return ports.Place(nic.tap or "", nic.mac, nic.bridge)


def shown(nic: Nic) -> Document:
    """A network device as steps show it: of its port, what is not as the kernel makes it."""
    found = {key: value for key, value in dataclasses.asdict(nic).items() if value is not None}
    found.pop("tap", None)
    port = nic.port
    if port is None:
        return found | {"port": "not on its bridge"}
    default, settings = dataclasses.asdict(OPEN), dataclasses.asdict(port)
    found["port"] = {key: value for key, value in settings.items() if value != default[key]}
    return found


def same_device(old: Device | None, new: Device | None) -> bool:
    """Whether all that can be between two devices is the settings of their bridge port."""
    if not isinstance(old, Nic) or not isinstance(new, Nic):
        return False
    return bool(dataclasses.replace(old, port=new.port) == new)


def matched(old: Nic, new: Nic) -> bool:
    """Whether a running device's port is as wanted but for what the kernel rounds."""
    return bool(ports.nearly(old.port, new.port or OPEN) == new.port)


def check_start(row: InstanceRow, want: Domain) -> None:
    """A container cannot be started paused, so only libvirt's hook closes its ports in time.

    Raises:
        UnsupportedError: There is no hook.
    """
    closed = any(nic.port != OPEN for nic in want.nics)
    if row["type"] == "lxc" and closed and not os.path.exists(CONTAINER_HOOK):
        raise UnsupportedError(
            "its port groups ask for settings that libvirt's hook makes, and the hook is missing",
            resource=label("instance", row["name"]),
            hint="Run the role pextra.ce.hypervisor on this node, which installs it",
        )
