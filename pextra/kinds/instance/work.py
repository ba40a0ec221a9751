# SPDX-License-Identifier: Apache-2.0
"""What carrying out a step on a domain needs."""

from __future__ import annotations

from dataclasses import dataclass

from pextra.host.hypervisor.domain import Domain, Nic
from pextra.model.plan import Work


@dataclass(frozen=True, slots=True)
class DomainWork(Work):
    """What executing a step needs: the driver's type, and what to do there.

    A new domain comes as its definition, whose XML is made when it is needed: plans are made often.
    """

    type: str
    text: str = ""
    definition: Domain | None = None
    autostart: bool = False
    console_log: str = ""
    timeout: int = 60
    metadata: str = ""
    nic: Nic | None = None
    forget: bool = False
