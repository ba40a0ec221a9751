# SPDX-License-Identifier: Apache-2.0
"""Devices that running guests are asked to let go of, and waiting until they have."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pextra.host.hypervisor import pauses
from pextra.host.hypervisor.connection import bindings, translated
from pextra.host.hypervisor.domain_xml import alias_of
from pextra.host.hypervisor.power import POLL
from pextra.model.errors import HostError, PextraError

TIMEOUT = 30.0
"""Seconds that guests have for it, all of them and for all of their devices together."""
_UNDER_WAY = "already in the process of unplug"
"""QEMU's words for what was asked before, and is not answered yet."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A device that a guest was asked to let go of.

    Attributes:
        domain: Its domain.
        alias: What libvirt knows the device by; None where it goes at once, as a container's do.
        name: What people know it by.
        resource: What messages call the instance.
    """

    domain: Any
    alias: str | None
    name: str
    resource: str


def ask(domain: Any, text: str, resource: str) -> Asked:
    """Ask a guest to let go of a device, without waiting.

    Raises:
        HostError: libvirt refused.
    """
    libvirt = bindings()
    with translated("unplug of a device", resource):
        try:
            domain.detachDeviceFlags(text, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        except libvirt.libvirtError as error:
            if _UNDER_WAY not in str(error):
                raise
    return Asked(domain, alias_of(text), _name(text), resource)


def _name(text: str) -> str:
    root = ET.fromstring(text)  # noqa: S314 - our own text
    names = (
        item.get(key)
        for path, key in (("target", "dev"), ("mac", "address"))
        if (item := root.find(path)) is not None
    )
    return next((name for name in names if name), root.tag)


def wait(asked: Iterable[Asked], timeout: float = TIMEOUT) -> list[PextraError]:
    """Wait until guests have let go of devices; for each that has not, of what.

    Raises:
        HostError: libvirt does not answer.
    """
    left = list(asked)
    deadline = time.monotonic() + timeout
    while left := [item for item in left if _has(item)]:
        if time.monotonic() > deadline:
            break
        time.sleep(POLL)
    by_guest: dict[str, list[Asked]] = {}
    for item in left:
        by_guest.setdefault(item.resource, []).append(item)
    return [_refused(items, timeout) for items in by_guest.values()]


def _has(item: Asked) -> bool:
    if item.alias is None:
        return False
    with translated("reading the definition", item.resource):
        return f"'{item.alias}'" in item.domain.XMLDesc(0)


def _refused(items: list[Asked], timeout: float) -> HostError:
    paused = pauses.pause_of(items[0].domain)
    state = f"; it is paused {paused.why}" if paused is not None else ""
    return HostError(
        f"the guest did not let go of {', '.join(item.name for item in items)} within"
        f" {timeout:.0f} seconds{state}",
        resource=items[0].resource,
        hint="Stop the instance and run it again",
    )
