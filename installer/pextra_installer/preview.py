"""What an installation would do to a machine, for people to read before it does. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pextra_installer import keyboard, licensing
from pextra_installer.advice import warnings
from pextra_installer.hardware.choice import ChosenLinks, choose_disk, choose_links, unmet
from pextra_installer.hardware.model import Disk, Firmware, Hardware, Interface
from pextra_installer.plan import Plan
from pextra_installer.problems import RequirementsError


@dataclass(frozen=True, slots=True)
class Target:
    """A plan on a machine: which parts of it are meant."""

    disk: Disk
    links: ChosenLinks
    firmware: Firmware
    architecture: str

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The interfaces of the management network."""
        return self.links.interfaces


def target_of(plan: Plan, hardware: Hardware) -> Target:
    """Find the parts of a machine that a plan means.

    Raises:
        DiskChoiceError: Not exactly one disk is meant, or it is too small.
        LinkChoiceError: An interface is missing, or it is unclear which is meant.
        RequirementsError: The machine does not meet the requirements.
    """
    disk = choose_disk(hardware.disks, plan.disk, plan.ignore_checks)
    links = choose_links(hardware.interfaces, plan.network)
    missing = unmet(hardware, plan.ignore_checks)
    if missing:
        raise RequirementsError(
            "this machine does not meet the requirements of a node:\n"
            + "\n".join(f"  {line}" for line in missing),
            "To install all the same, name them as ignored checks (ignore_checks)",
        )
    return Target(disk, links, hardware.firmware, hardware.architecture)


def erased(disk: Disk) -> list[str]:
    """What is on a disk and would be gone, as indented lines."""
    if not disk.contents:
        return ["  (nothing is recognised on it)"]
    return [f"  {'  ' * content.depth}{content}" for content in disk.contents]


def network_lines(plan: Plan, target: Target) -> list[str]:
    """The management network, for people."""
    network = plan.network
    names = ", ".join(link.name for link in target.interfaces)
    text = f"bond0 ({network.bond.mode.value} of {names})" if network.bond else names
    text += f", VLAN {network.vlan}" if network.vlan else ""
    text += f", MTU {network.mtu}" if network.mtu else ""
    lines = [text]
    for version, family in (("IPv4", network.ipv4), ("IPv6", network.ipv6)):
        via = f" via {family.gateway}" if family.gateway else ""
        lines.append(f"{version}: {family.method.value} {family.address or ''}{via}".rstrip())
    return lines


def lines(plan: Plan, target: Target) -> list[str]:
    """The whole summary; it holds no secret."""
    head = f"The disk that is ERASED: {target.disk}"
    pairs = [
        ("Host name", plan.hostname),
        ("Organization", plan.organization),
        ("Administrator", plan.administrator.username),
        ("Licence", licensing.described(plan.license_key)),
        ("Time zone", plan.timezone),
        ("Keyboard", keyboard.LAYOUTS[plan.keyboard]),
        ("Firmware", target.firmware.value),
        ("At the end", plan.when_done.value),
    ]
    described = network_lines(plan, target)
    return [
        head,
        *erased(target.disk),
        *(f"{name + ':':15} {value}" for name, value in pairs),
        f"{'Network:':15} {described[0]}",
        *(f"{'':15} {line}" for line in described[1:]),
        *(f"warning: {warning}" for warning in (*target.links.warnings, *warnings(plan))),
    ]
