# SPDX-License-Identifier: Apache-2.0
"""Copies of disks, all of one moment, into qcow2 files."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from typing import Any

from pextra.host.hypervisor import images
from pextra.host.hypervisor.connection import Hypervisor, bindings, translated
from pextra.model import ids
from pextra.model.errors import HostError

_POLL = 0.2
_COMPLETED = 3
"""libvirt's VIR_DOMAIN_JOB_COMPLETED."""


def copy_stopped(source: str, format: str, target: str) -> None:
    """Copy the disk of an instance that does not run; it cannot be started meanwhile.

    Raises:
        HostError: qemu-img failed, because of a full disk or because the instance was started.
    """
    images.convert(source, format, target, "qcow2")


def copy_running(
    hypervisor: Hypervisor,
    id: str,
    targets: Mapping[str, str],
    told: Callable[[int, int], None],
    resource: str,
) -> None:
    """Copy disks of a running instance as they are now, while it runs on.

    QEMU saves what the guest overwrites meanwhile (libvirt's backup in push mode,
    https://libvirt.org/formatbackup.html).

    Args:
        hypervisor: libvirt's driver.
        id: The instance.
        targets: The file of each disk, by its target such as ``vda``.
        told: Called with the bytes done and those altogether.
        resource: What messages are about.

    Raises:
        HostError: libvirt refused, or the copy failed; the instance runs on.
    """
    domain = hypervisor.domain(ids.uuid_of(id))
    root = ET.Element("domainbackup", mode="push")
    disks = ET.SubElement(root, "disks")
    for name, path in targets.items():
        disk = ET.SubElement(disks, "disk", name=name, type="file")
        ET.SubElement(disk, "target", file=path)
        ET.SubElement(disk, "driver", type="qcow2")
    with translated("copying its disks", resource):
        domain.backupBegin(ET.tostring(root, encoding="unicode"), None, 0)
        try:
            while (stats := domain.jobStats(0))["type"] != 0:
                told(stats.get("disk_processed", 0), stats.get("disk_total", 0))
                time.sleep(_POLL)
        except BaseException:
            _abort(domain)
            raise
        done: dict[str, Any] = domain.jobStats(bindings().VIR_DOMAIN_JOB_STATS_COMPLETED)
    if done["type"] != _COMPLETED:
        reason = done.get("errmsg") or "the copy failed, most likely because a disk is full"
        raise HostError(f"copying its disks failed: {reason}", resource=resource)


def stop_copying(hypervisor: Hypervisor, id: str, directory: str) -> None:
    """End a copy into this directory that a killed run has left going."""
    libvirt = bindings()
    domain = hypervisor.domain(ids.uuid_of(id))
    try:
        under_way = domain.backupGetXMLDesc(0)
    except libvirt.libvirtError:
        return
    if directory in under_way:
        _abort(domain)
        while domain.isActive() and domain.jobStats(0)["type"] != 0:
            time.sleep(_POLL)


def _abort(domain: Any) -> None:
    libvirt = bindings()
    try:
        domain.abortJob()
    except libvirt.libvirtError:
        return
