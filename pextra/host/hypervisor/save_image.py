# SPDX-License-Identifier: Apache-2.0
"""Save images: libvirt's files with the memory and devices of a machine that is to go on later."""

from __future__ import annotations

import contextlib
import os

from pextra.host.hypervisor.connection import Hypervisor, translated
from pextra.model import ids
from pextra.model.errors import HostError


def save(hypervisor: Hypervisor, id: str, path: str, resource: str) -> None:
    """Stop a machine and write its save image, whole or not at all.

    Raises:
        HostError: libvirt refused; the machine then runs on.
    """
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with translated("saving its memory", resource):
        hypervisor.domain(ids.uuid_of(id)).saveFlags(path, None, 0)
    if not os.path.exists(path):
        raise HostError(f"its memory was not saved to {path}", resource=resource)


def restore(hypervisor: Hypervisor, path: str, resource: str) -> None:
    """Let a machine go on from its save image, which stays.

    Raises:
        HostError: libvirt refused.
    """
    with translated("going on with its memory", resource):
        hypervisor.connection.restoreFlags(path, None, 0)


def forget(path: str) -> None:
    """Remove a save image, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
