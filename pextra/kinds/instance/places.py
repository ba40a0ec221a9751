# SPDX-License-Identifier: Apache-2.0
"""Whether a machine has room for its devices, and nobody else is where they are to be. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pextra.host.hypervisor import domain_xml, pci_xml
from pextra.host.hypervisor.domain import Disk, Domain, Nic
from pextra.kinds.instance.domain import DomainState
from pextra.model.errors import ConflictError, ForeignError


def check(want: Domain, seen: DomainState, resource: str) -> None:
    """Refuse in the plan what libvirt would refuse in the middle of a run, or what others have.

    Raises:
        ConflictError: There are too many devices.
        ForeignError: Somebody else has a device at a place or with a MAC address that we need.
    """
    if want.type != "lxc":
        _check_count(want, resource)
        for there in (seen.config, seen.live):
            if there is not None:
                _check_places(there, want, resource)
    for nic in want.nics:
        if nic.mac in seen.others_macs:
            raise ForeignError(
                f"MAC address {nic.mac} is used by the domain {seen.others_macs[nic.mac]!r}, which"
                " is not ours",
                resource=resource,
                hint="Give the network device another mac, or change that domain",
            )


def _check_count(want: Domain, resource: str) -> None:
    count = sum(map(pci_xml.takes_place, (*want.disks, *want.nics, *want.extras)))
    if count > pci_xml.MOST:
        raise ConflictError(
            f"it would have {count} devices on PCI buses, which take {pci_xml.MOST}",
            resource=resource,
            hint="Put volumes on bus scsi, or have fewer network devices",
        )


def _check_places(there: Domain, want: Domain, resource: str) -> None:
    foreign = {domain_xml.device_key(item) for item in _plain(there) if not item.alias}
    taken = [key for key in map(domain_xml.device_key, _plain(want)) if key in foreign]
    if taken:
        raise ForeignError(
            f"somebody else attached a device at {', '.join(taken)}",
            resource=resource,
            hint="Give yours another device_path or MAC address, or detach the other device",
        )


def _plain(domain: Domain) -> Iterator[Disk | Nic]:
    yield from domain.disks
    yield from domain.nics
