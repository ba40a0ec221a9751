# SPDX-License-Identifier: Apache-2.0
"""What is in an overlay, an image file that another tool put over a disk, written back to it.

libvirt's external snapshots make such files: https://libvirt.org/kbase/snapshots.html.
"""

from __future__ import annotations

import json
import os
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import TYPE_CHECKING

from pextra.host.hypervisor import images
from pextra.host.hypervisor.connection import Hypervisor, bindings, translated
from pextra.model import ids
from pextra.model.errors import HostError

if TYPE_CHECKING:
    import libvirt

_POLL = 0.2

Told = Callable[[int, int], None]
"""Is called with the bytes done and those altogether."""


def stands_on(overlay: str, format: str, base: str) -> bool:
    """Whether an image file is an overlay of another file or device, at any depth.

    Raises:
        HostError: qemu-img cannot read it.
    """
    if not os.path.exists(overlay):
        return False
    asked = ("-U", "-f", format, "--backing-chain", "--output=json")
    read = json.loads(images.run("info", *asked, overlay))
    names = [os.path.realpath(item["filename"]) for item in read[1:]]
    return os.path.realpath(base) in names


def commit_running(hypervisor: Hypervisor, id: str, target: str, told: Told, resource: str) -> None:
    """Write an overlay back while the instance runs, which then runs on without it.

    One that an interrupted run began goes on.

    Raises:
        HostError: libvirt refused, or the disk below took no more.
    """
    api, domain = bindings(), hypervisor.domain(ids.uuid_of(id))
    with translated(f"writing back the overlay of {target}", resource):
        if not domain.blockJobInfo(target):
            domain.blockCommit(target, None, None, 0, api.VIR_DOMAIN_BLOCK_COMMIT_ACTIVE)
        while True:
            job = domain.blockJobInfo(target)
            if not job:
                raise HostError(
                    f"writing back the overlay of {target} was broken off",
                    resource=resource,
                    hint="See libvirt's log; most likely the storage pool is full",
                )
            told(job["cur"], job["end"])
            # All may be copied a while before QEMU says that it is ready to switch over.
            if job["cur"] == job["end"] and _is_ready(domain, target):
                break
            time.sleep(_POLL)
        domain.blockJobAbort(target, api.VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT)


def _is_ready(domain: libvirt.virDomain, target: str) -> bool:
    """Whether the machine can be switched over to the file that its disk is written back to.

    Source: https://libvirt.org/formatdomain.html, "mirror" of a disk.
    """
    disks = ET.fromstring(domain.XMLDesc(0)).iterfind("devices/disk")  # noqa: S314 - libvirt's
    for disk in disks:
        at, mirror = disk.find("target"), disk.find("mirror")
        if at is not None and at.get("dev") == target:
            # A job that is over has no mirror any more: the switch tells what became of it.
            return mirror is None or mirror.get("ready") is not None
    return True


def commit_stopped(overlay: str, format: str, base: str) -> None:
    """Write an overlay back whose instance does not run; the file stays as it is.

    Raises:
        HostError: qemu-img refused, because of a full disk or because the instance was started.
    """
    images.run("commit", "-q", "-d", "-f", format, "-b", base, overlay)
