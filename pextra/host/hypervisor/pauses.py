# SPDX-License-Identifier: Apache-2.0
"""Machines whose processors stand still: why they do, and letting them go on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from pextra.host import process
from pextra.host.hypervisor.connection import Hypervisor, translated
from pextra.model import ids
from pextra.model.errors import ConflictError, HostError

_GOES_ON = 1.0
"""Seconds for which a machine has to run that was paused, until it counts as going on."""

_PAUSED, _SLEEPS = 3, 7
"""libvirt's VIR_DOMAIN_PAUSED and VIR_DOMAIN_PMSUSPENDED."""
_LISTED = 32 | 128
"""libvirt's VIR_CONNECT_LIST_DOMAINS_PAUSED and _OTHER, which those that sleep are among."""
_WHY = {
    1: "by another tool", 2: "for a migration", 3: "while its memory is saved", 4: "for a dump",
    5: "by an I/O error", 6: "by its watchdog", 7: "as it was in a snapshot", 8: "to shut down",
    9: "for a snapshot", 10: "by a crash of its guest", 11: "to start",
    12: "for a migration", 13: "by a migration that failed",
}  # fmt: skip
"""libvirt's VIR_DOMAIN_PAUSED_*, for people."""
_IO_ERROR = 5
_PASSING = frozenset({8, 11})
"""Those that libvirt itself ends."""
_AT_WORK = frozenset({2, 3, 4, 9, 12})
"""Those that it ends while a job of it is at work. A machine restored as suspended says 2, too."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a machine's processors stand still.

    Attributes:
        why: For people, such as ``by an I/O error (vda: no space)``.
        passes: Something is at work with it, and lets it go on when that is done.
    """

    why: str
    passes: bool = False


def pause_of(domain: Any) -> Pause | None:
    """Why a domain's processors stand still; None where they do not.

    Raises:
        HostError: libvirt does not answer.
    """
    with translated("reading the state"):
        state, reason = domain.state()
        if state == _SLEEPS:
            return Pause("because its guest sleeps (suspended to memory)")
        if state != _PAUSED:
            return None
        why = _WHY.get(reason, "for a reason that libvirt does not know")
        if reason == _IO_ERROR:
            errors = domain.diskErrors().items()
            what = ", ".join(
                f"{disk}: {'no space is left' if code == 2 else 'it failed'}"  # NO_SPACE
                for disk, code in sorted(errors)
            )
            why += f" ({what})" if what else ""
        passes = reason in _PASSING or (reason in _AT_WORK and domain.jobInfo()[0] != 0)
        return Pause(why if passes or reason not in _AT_WORK else _WHY[1], passes)


def standing_still(hypervisor: Hypervisor) -> frozenset[str]:
    """UUIDs of the domains whose processors stand still: one call, and one for each of them.

    Raises:
        HostError: libvirt does not answer.
    """
    with translated("listing the paused domains"):
        found = hypervisor.connection.listAllDomains(_LISTED)
    return frozenset(item.UUIDString() for item in found if pause_of(item) is not None)


def run_of(domain: Any) -> str:
    """What tells this start of a domain from all others of it."""
    return f"{process.boot_id()}/{domain.ID()}"


def go_on(hypervisor: Hypervisor, id: str, resource: str) -> None:
    """Let a machine go on that somebody or something has paused.

    Raises:
        HostError: libvirt refused.
    """
    domain = hypervisor.domain(ids.uuid_of(id))
    if pause_of(domain) is not None:
        with translated("resuming it", resource):
            if domain.state()[0] == _SLEEPS:
                domain.pMWakeup(0)
            else:
                domain.resume()


def check_goes_on(hypervisor: Hypervisor, id: str, resource: str) -> None:
    """Make sure that a machine that was let go on is not paused again at once.

    Raises:
        HostError: It is: what paused it is still so.
    """
    domain = hypervisor.domain(ids.uuid_of(id))
    deadline = time.monotonic() + _GOES_ON
    while time.monotonic() < deadline:
        refuse_paused(domain, resource)
        time.sleep(0.1)


def refuse_paused(domain: Any, resource: str) -> None:
    paused = pause_of(domain)
    if paused is not None:
        raise HostError(
            f"it is paused again, {paused.why}",
            resource=resource,
            hint="Mend what paused it, and run it again; or force it off with state=killed",
        )


def refuse_passing(paused: Pause | None, resource: str) -> None:
    """Refuse to start or stop what something else is at work with.

    Raises:
        ConflictError: It is paused for that.
    """
    if paused is not None and paused.passes:
        raise ConflictError(
            f"it is paused {paused.why}",
            resource=resource,
            hint="Wait until that is over, and run it again; or force it off with state=killed",
        )
