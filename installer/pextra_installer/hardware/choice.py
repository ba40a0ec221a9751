"""Which disk and which interfaces of a machine the answers mean. Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from pextra.host.preflight import checks
from pextra.model.units import GIB
from pextra_installer.hardware.model import Disk, Hardware, Interface, decimal
from pextra_installer.network import Network
from pextra_installer.plan import DiskChoice, DiskFilter
from pextra_installer.problems import DiskChoiceError, LinkChoiceError

LEAST = 4 * GIB
"""No system fits on less, whatever checks are ignored."""


@dataclass(frozen=True, slots=True)
class ChosenLinks:
    """The interfaces of the management network, and what to tell the user about them."""

    interfaces: tuple[Interface, ...]
    warnings: tuple[str, ...]


def choose_disk(disks: Sequence[Disk], choice: DiskChoice, ignore: Sequence[str] = ()) -> Disk:
    """The one disk that the answers mean.

    Args:
        disks: All disks of the machine; protected ones are never chosen.
        choice: The filters in their order.
        ignore: Names of requirements that do not count; ``storage`` is the disk's least size.

    Raises:
        DiskChoiceError: No filter fits any disk, the first that fits does so with several, or
            the disk is too small.
    """
    allowed = [disk for disk in disks if disk.protected is None]
    for position, wanted in enumerate(choice.match):
        fitting = [disk for disk in allowed if fits(disk, wanted)]
        if len(fitting) > 1:
            names = "\n".join(f"  {disk}" for disk in fitting)
            raise DiskChoiceError(
                f"disk.match[{position}] fits {len(fitting)} disks:\n{names}\n"
                "It must fit exactly one; add by_id or serial, or path where they have neither"
            )
        if fitting:
            return _large_enough(fitting[0], ignore)
    if not disks:
        raise DiskChoiceError(
            "this machine shows no disk", "Look at cables, and at the controller's mode (AHCI, HBA)"
        )
    seen = "\n".join(
        f"  {disk}" + (f"  (never: {disk.protected})" if disk.protected else "") for disk in disks
    )
    raise DiskChoiceError(f"disk.match fits none of these disks:\n{seen}")


def _large_enough(disk: Disk, ignore: Sequence[str]) -> Disk:
    least = LEAST if "storage" in ignore else checks.STORAGE[0]
    if disk.size < least:
        raise DiskChoiceError(
            f"the disk {disk.path} is too small: it has {decimal(disk.size)},"
            f" at least {decimal(least)} are needed",
            "Use a larger disk",
        )
    return disk


def fits(disk: Disk, wanted: DiskFilter) -> bool:
    """Whether a disk has all that a filter asks for; what is unknown fits nothing."""
    size = wanted.size
    return (
        (wanted.by_id is None or any(_like(name, wanted.by_id) for name in disk.by_id))
        and (wanted.path is None or disk.path == wanted.path)
        and (wanted.serial is None or _like(disk.serial, wanted.serial))
        and (wanted.model is None or _like(disk.model, wanted.model))
        and (wanted.ssd is None or disk.ssd is wanted.ssd)
        and (size is None or size.min is None or disk.size >= size.min)
        and (size is None or size.max is None or disk.size <= size.max)
    )


def _like(text: str | None, pattern: str) -> bool:
    return text is not None and fnmatch.fnmatchcase(text.lower(), pattern.lower())


def choose_links(interfaces: Sequence[Interface], network: Network) -> ChosenLinks:
    """The interfaces that the answers mean; one without a link is a warning.

    Raises:
        LinkChoiceError: One is not there, or none is named and it is unclear which is meant.
    """
    if network.bond is not None:
        chosen = tuple(_named(name, interfaces) for name in network.bond.interfaces)
        if len({link.name for link in chosen}) < len(chosen):
            raise LinkChoiceError("network.bond.interfaces names one interface twice")
    elif network.interface is not None:
        chosen = (_named(network.interface, interfaces),)
    else:
        chosen = (_only(interfaces),)
    warnings = tuple(
        f"{link.name} has no link: look at its cable and switch port"
        for link in chosen
        if not link.link
    )
    return ChosenLinks(chosen, warnings)


def _named(name: str, interfaces: Sequence[Interface]) -> Interface:
    for link in interfaces:
        if name in (link.name, link.mac):
            return link
    known = ", ".join(f"{link.name} ({link.mac})" for link in interfaces) or "none"
    raise LinkChoiceError(f"there is no network interface {name}", f"This machine has: {known}")


def _only(interfaces: Sequence[Interface]) -> Interface:
    usable = [link for link in interfaces if link.physical] or list(interfaces)
    if not usable:
        raise LinkChoiceError("this machine shows no network interface", "Fit a wired one")
    linked = [link for link in usable if link.link]
    if len(linked) == 1 or len(usable) == 1:
        return (linked or usable)[0]
    names = ", ".join(f"{link.name} ({link.mac})" for link in linked or usable)
    count = f"{len(linked)} have" if linked else "none of them has"
    raise LinkChoiceError(
        f"it is unclear which network interface is meant: {count} a link",
        f"Name it (network.interface); it is one of: {names}",
    )


def unmet(hardware: Hardware, ignore: Sequence[str]) -> list[str]:
    """The requirements that the machine does not meet, as sentences.

    Those of storage and network are left to the disk and interface that are chosen, that of the
    operating system to the medium.
    """
    elsewhere = {"storage", "storage_medium", "network", "operating_system", "python", "root"}
    return [
        f"{one.name}: required {one.requirement}, found {one.found}"
        for one in hardware.requirements
        if one.level == "fail" and one.name not in ignore and one.name not in elsewhere
    ]
