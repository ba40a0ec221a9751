# SPDX-License-Identifier: Apache-2.0
"""A connection to one of libvirt's drivers, with errors as ours."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pextra.model.errors import HostError

if TYPE_CHECKING:
    import libvirt

_AT_ONCE = 4
T = TypeVar("T")
R = TypeVar("R")

_DENIED = (
    "QEMU runs as a user of its own: let others pass (chmod o+x) through every folder above that"
    " file, also above where it is mounted"
)
_BUSY = (
    "Another tool is at work with that disk: wait for it, or end it with virsh blockjob --abort or"
    " virsh domjobabort"
)
WHOLE = 3
"""libvirt's VIR_DOMAIN_XML_SECURE and VIR_DOMAIN_XML_INACTIVE: what a domain starts with next, and
with its passwords, so that it can be defined with it again."""


class Hypervisor:
    """One libvirt driver of this host, connected when first used.

    Args:
        uri: Such as ``qemu:///system``.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri

    @functools.cached_property
    def connection(self) -> libvirt.virConnect:
        """The open connection.

        Raises:
            HostError: libvirt is not installed or does not answer.
        """
        libvirt = bindings()
        libvirt.registerErrorHandler(lambda _context, _error: None, None)
        try:
            return libvirt.open(self.uri)
        except libvirt.libvirtError as error:
            raise HostError(
                f"libvirt does not answer at {self.uri}: {error}",
                hint="Start libvirtd, or run the role pextra.ce.hypervisor",
            ) from None

    def domains(self) -> dict[str, libvirt.virDomain]:
        """Every domain by UUID, ours or not: one call. Others may have renamed it."""
        with translated("listing the domains"):
            return {item.UUIDString(): item for item in self.connection.listAllDomains(0)}

    def active(self) -> frozenset[str]:
        """UUIDs of the running domains: one call."""
        return self._uuids("running", bindings().VIR_CONNECT_LIST_DOMAINS_ACTIVE)

    def paused(self) -> frozenset[str]:
        """UUIDs of the running domains whose processors stand still: one call."""
        return self._uuids("paused", bindings().VIR_CONNECT_LIST_DOMAINS_PAUSED)

    def autostarted(self) -> frozenset[str]:
        """UUIDs of the domains that start with the host: one call."""
        return self._uuids("autostarted", bindings().VIR_CONNECT_LIST_DOMAINS_AUTOSTART)

    def saved(self) -> frozenset[str]:
        """UUIDs of the domains that are off, with their memory saved to go on from: one call."""
        return self._uuids("saved", bindings().VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)

    def _uuids(self, which: str, flag: int) -> frozenset[str]:
        with translated(f"listing the {which} domains"):
            return frozenset(item.UUIDString() for item in self.connection.listAllDomains(flag))

    def domain(self, uuid: str) -> Any:
        """The domain with this UUID.

        Raises:
            HostError: There is none.
        """
        with translated(f"looking up domain {uuid}"):
            return self.connection.lookupByUUIDString(uuid)

    def found(self, uuid: str) -> Any:
        """The domain with this UUID; None where there is none.

        Raises:
            libvirtError: libvirt does not answer; the caller says what for.
        """
        try:
            return self.connection.lookupByUUIDString(uuid)
        except bindings().libvirtError as error:
            if is_gone(error):
                return None
            raise

    def close(self) -> None:
        """Close the connection if it is open."""
        opened = self.__dict__.pop("connection", None)
        if opened is not None:
            opened.close()


def is_gone(error: Any) -> bool:
    """Whether libvirt's error says that a domain is not there, or not any more."""
    return bool(error.get_error_code() == bindings().VIR_ERR_NO_DOMAIN)


def some_at_once(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """What each item comes to, in their order, with several of them at libvirt at the same time.

    A caller of libvirt waits: for its daemon, and that one for its disk. What ``work`` raises for
    the first item that failed is raised; what had not begun by then is left out,
    as after an interruption.
    """
    if len(items) < 2:
        return [work(item) for item in items]
    import signal
    from concurrent.futures import ThreadPoolExecutor

    found: dict[int, R] = {}
    failed: dict[int, BaseException] = {}
    places = iter(range(len(items)))  # all threads take the next one from it

    def some() -> None:
        for place in places:
            try:
                if signal.SIGINT in signal.sigpending():
                    raise KeyboardInterrupt
                found[place] = work(items[place])
            except BaseException as error:
                failed[place] = error
            if failed:
                return

    # Raised between two steps of the pool, an interruption would leave its locks held for ever: it
    # waits until all that has begun is done.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _thread in range(min(_AT_ONCE, len(items))):
                pool.submit(some)
        if failed:
            raise failed[min(failed)]
        return [found[place] for place in range(len(items))]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def bindings() -> Any:
    """libvirt's Python bindings, imported when first needed.

    Raises:
        HostError: This Python has none.
    """
    try:
        import libvirt
    except ImportError:
        raise HostError(
            f"{sys.executable} has no libvirt bindings",
            hint="Install python3-libvirt, as the role pextra.ce.hypervisor does; Debian's own"
            " /usr/bin/python3 has it",
        ) from None
    return libvirt


@contextlib.contextmanager
def translated(doing: str, resource: str | None = None) -> Iterator[None]:
    """Turn libvirt's errors into ours, saying what was being done.

    Raises:
        HostError: libvirt refused.
    """
    libvirt = bindings()
    try:
        yield
    except libvirt.libvirtError as error:
        text = str(error)
        busy = "blockjob" in text or "block job" in text or "is in use" in text
        hint = _DENIED if "Permission denied" in text else _BUSY if busy else None
        raise HostError(f"{doing} failed: {text}", resource=resource, hint=hint) from None
