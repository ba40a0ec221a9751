# SPDX-License-Identifier: Apache-2.0
"""libvirt's domains in bulk."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pextra.host.hypervisor import domain_xml, pauses
from pextra.host.hypervisor.connection import Hypervisor, translated
from pextra.host.hypervisor.domain import Domain
from pextra.model import ids
from pextra.model.request import label

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow

_ACTIVE, _SAVED = 1, 256
"""libvirt's VIR_CONNECT_LIST_DOMAINS_*."""
_INACTIVE = 2
"""libvirt's VIR_DOMAIN_XML_INACTIVE: the persistent definition, also of what runs."""
_NO_DOMAIN = 42
"""libvirt's VIR_ERR_NO_DOMAIN."""


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
        import libvirt

        uuid = ids.uuid_of(row["id"])
        domain = self.by_uuid.get(uuid)
        if domain is None or uuid not in self.active:
            return None
        with translated("reading the definition", label("instance", row["name"])):
            try:
                return ET.fromstring(domain.XMLDesc(0))  # noqa: S314 - libvirt's own output
            except libvirt.libvirtError as error:
                if error.get_error_code() == _NO_DOMAIN:  # gone since it was listed
                    return None
                raise


def definitions(driver: Hypervisor, id: str) -> tuple[Domain, ...]:
    """An instance's domain as it runs, if it does, and as it starts next; none where none is.

    Raises:
        HostError: libvirt does not answer.
    """
    import libvirt

    with translated("reading the definition"):
        try:
            domain = driver.connection.lookupByUUIDString(ids.uuid_of(id))
            flags = (0, _INACTIVE) if domain.isActive() else (_INACTIVE,)
            return tuple(domain_xml.parse(domain.XMLDesc(item)) for item in flags)
        except libvirt.libvirtError as error:
            if error.get_error_code() == _NO_DOMAIN:
                return ()
            raise
