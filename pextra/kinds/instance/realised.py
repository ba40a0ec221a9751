# SPDX-License-Identifier: Apache-2.0
"""Where each stored field of an instance is on its host, so that none is forgotten there.

A field of the domain is compared with the definition that libvirt has; one whose change needs a
restart also with the domain as it runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

from pextra.host.hypervisor.domain import Domain
from pextra.kinds.instance.fields import FIELDS
from pextra.model.fields import Change, Field

IN_DOMAIN: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "type": ("type",),
    "cpu": ("cpu",),
    "memory": ("memory",),
    "chipset": ("machine",),
    "firmware": ("uefi",),
    "boot_order": ("disks", "nics", "extras"),
    "cdrom": ("disks",),
    "cloud_init": ("disks",),
    "rootfs": ("rootfs",),
}
"""Fields by what of the domain carries them; ``domain.desired`` makes it of them."""
BESIDE_DOMAIN: Mapping[str, str] = {
    "autostart": "libvirt keeps it beside the definition; steps compares it",
    "rootfs_archive": "files unpacks it, and sees whether that is there",
}
"""Fields that are on the host in another place, with what looks after them."""
NOT_ON_HOST = frozenset({"node", "description"})
"""Fields that are in the store alone."""


def check(fields: Iterable[Field]) -> None:
    """Have every stored field accounted for, so that a new one cannot be forgotten on the host.

    Raises:
        TypeError: One is not.
    """
    for problem in _problems([item for item in fields if item.stored]):
        raise TypeError(f"pextra/kinds/instance/realised.py: {problem}")


def _problems(fields: list[Field]) -> Iterator[str]:
    attributes = {item.name for item in dataclasses.fields(Domain)}
    places = (IN_DOMAIN, BESIDE_DOMAIN, NOT_ON_HOST)
    for item in fields:
        count = sum(item.name in place for place in places)
        if count != 1:
            yield f"the field {item.name} of instances is in {count} of its tables, not in one"
        if item.change is Change.RESTART and item.name not in IN_DOMAIN:
            yield f"a change of {item.name} needs a restart, but nothing of the domain carries it"
        unknown = set(IN_DOMAIN.get(item.name, ())) - attributes
        if unknown:
            yield f"a domain has no {', '.join(sorted(unknown))}"


def by_restart() -> tuple[str, ...]:
    """What of a domain that runs only a restart changes, besides its devices."""
    changed = (IN_DOMAIN[item.name] for item in FIELDS if item.change is Change.RESTART)
    # What another tool has made of the root file system shows in a running container too.
    return (*(name for names in changed for name in names), "rootfs")
