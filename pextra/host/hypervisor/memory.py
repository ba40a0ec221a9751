# SPDX-License-Identifier: Apache-2.0
"""Holding a running virtual machine still: paused, or with its memory in a file."""

from __future__ import annotations

import contextlib
import os

from pextra.host.hypervisor.connection import Hypervisor, bindings, translated
from pextra.model import ids
from pextra.model.errors import HostError

_PAUSED = 3
"""libvirt's VIR_DOMAIN_PAUSED."""


def state(hypervisor: Hypervisor, id: str) -> str:
    """``running``, ``paused`` or ``stopped``, which is also what is not there.

    Raises:
        HostError: libvirt does not answer.
    """
    libvirt = bindings()
    with translated("reading the state"):
        try:
            domain = hypervisor.connection.lookupByUUIDString(ids.uuid_of(id))
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return "stopped"
            raise
        if not domain.isActive():
            return "stopped"
        return "paused" if domain.state()[0] == _PAUSED else "running"


def save(hypervisor: Hypervisor, id: str, path: str, resource: str) -> None:
    """Stop a machine and keep its memory in a file, whole or not at all.

    Raises:
        HostError: libvirt refused; the machine then runs on.
    """
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with translated("saving its memory", resource):
        hypervisor.domain(ids.uuid_of(id)).saveFlags(path, None, 0)
    if not os.path.exists(path):
        raise HostError(f"its memory was not saved to {path}", resource=resource)


def restore(hypervisor: Hypervisor, path: str, resource: str) -> None:
    """Let a machine go on with the memory in a file; the file stays.

    Raises:
        HostError: libvirt refused.
    """
    with translated("going on with its memory", resource):
        hypervisor.connection.restoreFlags(path, None, 0)


def pause(hypervisor: Hypervisor, id: str, resource: str) -> None:
    """Let a machine's processors stand still; what it has written to disks is there.

    Raises:
        HostError: libvirt refused.
    """
    with translated("pausing it", resource):
        hypervisor.domain(ids.uuid_of(id)).suspend()


def resume(hypervisor: Hypervisor, id: str, resource: str) -> None:
    """Let a paused machine go on.

    Raises:
        HostError: libvirt refused.
    """
    with translated("resuming it", resource):
        hypervisor.domain(ids.uuid_of(id)).resume()


def forget(path: str) -> None:
    """Remove a file with memory, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
