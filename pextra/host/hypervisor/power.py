# SPDX-License-Identifier: Apache-2.0
"""Power actions on domains, waiting for them, and what only a running domain can do."""

from __future__ import annotations

import os
import re
import time
import xml.etree.ElementTree as ET
from typing import Any

from pextra.host.hypervisor import live_ports, pauses
from pextra.host.hypervisor.connection import WHOLE, Hypervisor, bindings, translated
from pextra.model import ids
from pextra.model.errors import HostError

POLL = 0.1
"""Seconds between two looks at what is waited for."""
_ASK_AGAIN = 10.0
"""Seconds after which a guest that was still booting is asked again to shut down."""
_STUMBLES = 5.0
"""Seconds for which libvirt may fail to end a domain."""

_RUNNING, _PAUSED = 1, 3
"""libvirt's VIR_DOMAIN_RUNNING and VIR_DOMAIN_PAUSED."""


def state(hypervisor: Hypervisor, id: str) -> str:
    """``running``, ``paused`` or ``stopped``, which is also what is not there.

    Raises:
        HostError: libvirt does not answer.
    """
    with translated("reading the state"):
        domain = hypervisor.found(ids.uuid_of(id))
        if domain is None or not domain.isActive():
            return "stopped"
        return "paused" if domain.state()[0] == _PAUSED else "running"


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


def start(hypervisor: Hypervisor, id: str, resource: str) -> None:
    """Start an instance; another run may have done so meanwhile.

    Raises:
        HostError: libvirt refused.
    """
    domain = hypervisor.domain(ids.uuid_of(id))
    try:
        live_ports.start(hypervisor, domain, resource)
    except HostError:
        with translated("starting it", resource):
            if domain.state()[0] != _RUNNING:
                raise


def ask_to_stop(hypervisor: Hypervisor, id: str, resource: str, *, again: bool = False) -> None:
    """Ask the guest to shut down, without waiting.

    A container is asked through its init's control pipe, which systemd has; one without, or
    that has not heeded it, gets the signal SIGTERM, which systemd takes for something harmless.

    Raises:
        HostError: libvirt refused.
    """
    domain = hypervisor.domain(ids.uuid_of(id))
    with translated("shutting it down", resource):
        if not domain.isActive():
            return
        if not again:
            pauses.go_on(hypervisor, id, resource)  # one that stands still heeds nothing
        if hypervisor.uri.startswith("lxc"):
            _ask_container(domain, again)
            return
        try:
            domain.shutdown()
        except bindings().libvirtError:
            pauses.refuse_paused(domain, resource)
            raise


def _ask_container(domain: Any, again: bool) -> None:
    libvirt = bindings()
    if not again:
        try:
            domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_INITCTL)
        except libvirt.libvirtError:
            pass
        else:
            return
    domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_SIGNAL)


def kill(hypervisor: Hypervisor, id: str, resource: str) -> None:
    """End an instance at once; its guest does not notice.

    Raises:
        HostError: libvirt refused.
    """
    libvirt, domain = bindings(), hypervisor.domain(ids.uuid_of(id))
    deadline = time.monotonic() + _STUMBLES
    with translated("force-stopping it", resource):
        while domain.isActive():
            try:
                domain.destroy()
            except libvirt.libvirtError:
                # A container's control group goes with its last process, also while libvirt looks.
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL)


class Stopping:
    """A guest that was asked to shut down.

    Args:
        hypervisor: Its driver.
        id: The instance's identifier.
        timeout: Seconds that it has for it.
        resource: What messages call it.
    """

    def __init__(self, hypervisor: Hypervisor, id: str, timeout: float, resource: str) -> None:
        self._hypervisor = hypervisor
        self._id = id
        self._timeout = timeout
        self._resource = resource
        self._began = self._asked = time.monotonic()
        self._run = self._runs()

    def _runs(self) -> int:
        """The number of its run that libvirt has; -1 where it is off."""
        return int(self._hypervisor.domain(ids.uuid_of(self._id)).ID())

    def over(self) -> bool:
        """Whether it is off, or was; another run may have started it again.

        Raises:
            HostError: It still runs after its time, or cannot heed it.
        """
        runs, now = self._runs(), time.monotonic()
        if runs != self._run or runs == -1:
            return True
        pauses.refuse_paused(self._hypervisor.domain(ids.uuid_of(self._id)), self._resource)
        if now - self._began > self._timeout:
            raise HostError(
                f"it did not shut down within {self._timeout:.0f} seconds",
                resource=self._resource,
                hint="Give it a longer timeout, or force it with state=killed",
            )
        if now - self._asked > _ASK_AGAIN:
            ask_to_stop(self._hypervisor, self._id, self._resource, again=True)
            self._asked = now
        return False


def is_saved(hypervisor: Hypervisor, id: str) -> bool:
    """Whether libvirt has saved the memory of an instance that is off, to go on from it.

    Raises:
        HostError: libvirt does not answer.
    """
    with translated("reading the state"):
        domain = hypervisor.found(ids.uuid_of(id))
        return domain is not None and bool(domain.hasManagedSaveImage(0))


def discard(hypervisor: Hypervisor, id: str, resource: str) -> None:
    """Give up the memory that libvirt has saved of an instance.

    Raises:
        HostError: libvirt refused.
    """
    if is_saved(hypervisor, id):
        with translated("discarding its saved memory", resource):
            hypervisor.domain(ids.uuid_of(id)).managedSaveRemove(0)


def kept(domain: Any) -> tuple[str, ...]:
    """What other tools keep of a domain in libvirt: snapshots and checkpoints, by name.

    Raises:
        HostError: libvirt does not answer.
    """
    with translated("listing its snapshots"):
        snapshots = sorted(item.getName() for item in domain.listAllSnapshots(0))
        checkpoints = sorted(item.getName() for item in domain.listAllCheckpoints(0))
    return (
        *(f"snapshot {name}" for name in snapshots),
        *(f"checkpoint {name}" for name in checkpoints),
    )


def undefine(hypervisor: Hypervisor, id: str, resource: str, *, forget: bool) -> None:
    """Have libvirt forget an instance, and also what other tools keep of it there if so asked.

    Raises:
        HostError: libvirt refused.
    """
    libvirt, flags = bindings(), 0
    if not hypervisor.uri.startswith("lxc"):
        flags = libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
        if forget:
            flags |= libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
            flags |= libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    with translated("undefining it", resource):
        hypervisor.domain(ids.uuid_of(id)).undefineFlags(flags)


def rename(hypervisor: Hypervisor, id: str, name: str, resource: str) -> None:
    """Have an instance that is off be called so, if another tool has renamed its domain.

    Raises:
        HostError: libvirt refused, for example because of what another tool keeps of it.
    """
    domain = hypervisor.domain(ids.uuid_of(id))
    if domain.name() == name:
        return
    with translated(f"renaming it from {domain.name()}", resource):
        if not hypervisor.uri.startswith("lxc"):
            domain.rename(name, 0)
            return
        text = domain.XMLDesc(WHOLE)
        root = ET.fromstring(text)  # noqa: S314 - libvirt's own output
        for element in root.findall("name"):
            element.text = name
        autostart = domain.autostart()
        domain.undefine()
        text = ET.tostring(root, encoding="unicode")
        hypervisor.connection.defineXMLFlags(text, 0).setAutostart(autostart)


def grow_disk(hypervisor: Hypervisor, instance_id: str, path: str, size: int) -> bool:
    """Grow a disk of a running instance to ``size`` bytes; false if it does not run.

    Raises:
        HostError: libvirt refused.
    """
    import libvirt

    try:
        domain = hypervisor.connection.lookupByUUIDString(ids.uuid_of(instance_id))
    except libvirt.libvirtError:
        return False
    with translated(f"growing {path}"):
        if not domain.isActive():
            return False
        domain.blockResize(path, size, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
    return True


def console_size(path: str) -> int:
    """Bytes that a console's log has so far."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def wait_console(path: str, pattern: str, offset: int, timeout: float, resource: str) -> None:
    """Wait until a console's log has a match at or after ``offset``.

    Raises:
        HostError: None came within ``timeout`` seconds; the message has the console's tail.
    """
    wanted = re.compile(pattern, re.MULTILINE)
    deadline = time.monotonic() + timeout
    while True:
        text = _console(path, offset)
        if wanted.search(text):
            return
        if time.monotonic() > deadline:
            tail = "\n".join(text.splitlines()[-15:]) or "(nothing)"
            raise HostError(
                f"its console did not show {pattern!r} within {timeout:.0f} seconds;"
                f" it ends with:\n{tail}",
                resource=resource,
                hint=f"The whole console is in {path}",
            )
        time.sleep(POLL)


def _console(path: str, offset: int) -> str:
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            data: Any = file.read()
    except OSError:
        return ""
    text = str(data, "utf-8", "replace").replace("\r", "")
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
