# SPDX-License-Identifier: Apache-2.0
"""What a port group asks of the ports of instances, and how a domain carries it. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pextra.host.network.snapshot import Ranges, span_text
from pextra.host.network.vlans import UNTAGGED, of_trunk

if TYPE_CHECKING:
    from pextra.model.rows import PortGroupRow

NAMESPACE = "https://pextra.cloud/xmlns/ce/instance/1"
"""Of the element in a domain's metadata that is ours."""


@dataclass(frozen=True, slots=True)
class PortPolicy:
    """Settings of the bridge port of an instance's network device.

    Attributes:
        vlan: Frames without a tag belong to it; 1 is the vSwitch's own untagged VLAN.
        trunk: VLANs whose frames pass with their tags; then frames without a tag do not.
        promiscuous: It also gets the frames that are for others.
        mac_changes: It gets frames for other MAC addresses than the device's.
        forged_transmits: It may send from other MAC addresses than the device's.
        isolated: It exchanges no frames with other isolated ports of the vSwitch.
        rate_in: Bits per second to the instance, 0 without a limit.
        rate_out: Bits per second from the instance, 0 without a limit.
    """

    vlan: int = UNTAGGED
    trunk: Ranges = ()
    promiscuous: bool = False
    mac_changes: bool = True
    forged_transmits: bool = True
    isolated: bool = False
    rate_in: int = 0
    rate_out: int = 0

    @property
    def restricted(self) -> bool:
        """Whether the port knows its device's MAC address instead of learning."""
        return not (self.mac_changes and self.forged_transmits)

    @property
    def tagged(self) -> bool:
        """Whether it needs a bridge that keeps VLANs apart."""
        return self.vlan != UNTAGGED or bool(self.trunk)


OPEN = PortPolicy()
"""A port as the kernel makes it."""
_FLAGS = ("promiscuous", "mac_changes", "forged_transmits", "isolated")
_NUMBERS = ("vlan", "rate_in", "rate_out")


def of_group(group: PortGroupRow) -> PortPolicy:
    """What the row of a port group asks for. A promiscuous port gets all frames anyway."""
    limits = group["rate_limit"]
    return PortPolicy(
        vlan=group["vlan_id"] or UNTAGGED,
        trunk=of_trunk(group["trunk"]),
        promiscuous=group["promiscuous"],
        mac_changes=group["mac_changes"] or group["promiscuous"],
        forged_transmits=group["forged_transmits"],
        isolated=group["isolated"],
        rate_in=limits.get("inbound") or 0,
        rate_out=limits.get("outbound") or 0,
    )


def to_element(parent: ET.Element, tag: str, mac: str, policy: PortPolicy) -> None:
    """Add an element with what is not as the kernel makes it; none for an open port."""
    if policy == OPEN:
        return
    element = ET.SubElement(parent, tag, mac=mac)
    for name in (*_FLAGS, *_NUMBERS):
        value = getattr(policy, name)
        if value != getattr(OPEN, name):
            text = str(value) if name in _NUMBERS else ("yes" if value else "no")
            element.set(name.replace("_", "-"), text)
    if policy.trunk:
        element.set("trunk", ",".join(map(span_text, policy.trunk)))


def of_element(element: ET.Element) -> PortPolicy:
    """What such an element says."""
    policy = PortPolicy()
    for name in (*_FLAGS, *_NUMBERS):
        text = element.get(name.replace("_", "-"))
        if text is not None:
            value: Any = int(text) if name in _NUMBERS else text == "yes"
            policy = replace(policy, **{name: value})
    trunk = element.get("trunk")
    return replace(policy, trunk=of_trunk(trunk.split(","))) if trunk else policy


def of_domain(root: ET.Element) -> dict[str, PortPolicy]:
    """What a domain's definition asks of its ports, by MAC address; open ports are left out."""
    found = root.findall(f"metadata/{{{NAMESPACE}}}instance/{{{NAMESPACE}}}port")
    return {item.get("mac", ""): of_element(item) for item in found}
