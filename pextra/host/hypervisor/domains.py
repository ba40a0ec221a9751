# SPDX-License-Identifier: Apache-2.0
"""libvirt's domains in bulk."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pextra.host.hypervisor import domain_xml, pauses
from pextra.host.hypervisor.connection import Hypervisor, bindings, is_gone, translated
from pextra.host.hypervisor.domain import Domain
from pextra.model import ids
from pextra.model.request import label

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow

_ACTIVE, _SAVED = 1, 256
"""libvirt's VIR_CONNECT_LIST_DOMAINS_*."""
_INACTIVE = 2
"""libvirt's VIR_DOMAIN_XML_INACTIVE: the persistent definition, also of what runs."""


@dataclass(frozen=True, slots=True)
class Domains:
    """The domains of one driver by UUID, which tells ours from others'."""

    by_uuid: Mapping[str, Any]
    active: frozenset[str]
    paused: frozenset[str]
    saved: frozenset[str]

    @classmethod
    def read(cls, driver: Hypervisor) -> Domains:
        """Four listings.

        Raises:
            HostError: libvirt does not answer.
        """
        with translated("listing the domains"):
            found, active, saved = (
                {domain.UUIDString(): domain for domain in driver.connection.listAllDomains(flags)}
                for flags in (0, _ACTIVE, _SAVED)
            )
        paused = pauses.standing_still(driver)
        return cls(found, frozenset(active), paused, frozenset(saved))

    def state(self, row: InstanceRow) -> str:
        """``running``, ``paused``, ``saved``, ``stopped``, or ``missing`` where none is ours."""
        uuid = ids.uuid_of(row["id"])
        if uuid in self.paused:
            return "paused"
        if uuid in self.active:
            return "running"
        if uuid in self.saved:
            return "saved"
        return "stopped" if uuid in self.by_uuid else "missing"

    def name(self, row: InstanceRow) -> str:
        """What its domain is called: somebody may have renamed it."""
        domain = self.by_uuid.get(ids.uuid_of(row["id"]))
        return str(domain.name()) if domain is not None else row["name"]

    def definition(self, row: InstanceRow) -> ET.Element | None:
        """An instance's domain as it runs (https://libvirt.org/formatdomain.html), in one call.

        None where it does not run.
        """
        uuid = ids.uuid_of(row["id"])
        domain = self.by_uuid.get(uuid)
        if domain is None or uuid not in self.active:
            return None
        with translated("reading the definition", label("instance", row["name"])):
            text = _text(domain, 0)
        return ET.fromstring(text) if text is not None else None  # noqa: S314 - libvirt's own


def definitions(driver: Hypervisor, id: str) -> tuple[Domain, ...]:
    """An instance's domain as it runs, if it does, and as it starts next; none where none is.

    Raises:
        HostError: libvirt does not answer.
    """
    with translated("reading the definition"):
        domain = driver.found(ids.uuid_of(id))
        if domain is None:
            return ()
        flags = (0, _INACTIVE) if domain.isActive() else (_INACTIVE,)
        texts = [_text(domain, item) for item in flags]
    whole = [domain_xml.parse(text) for text in texts if text is not None]
    return tuple(whole) if len(whole) == len(texts) else ()


def text_of(domain: Any) -> str | None:
    """The definition that a domain starts with next; None where it has gone since it was listed.

    Raises:
        HostError: libvirt does not answer.
    """
    with translated(f"reading the definition of {domain.name()}"):
        return _text(domain, _INACTIVE)


def _text(domain: Any, flags: int) -> str | None:
    try:
        return str(domain.XMLDesc(flags))
    except bindings().libvirtError as error:
        if is_gone(error):
            return None
        raise
