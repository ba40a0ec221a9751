# SPDX-License-Identifier: Apache-2.0
"""What a domain's definition says of its bridge ports: our element in its metadata. Pure.

libvirt knows no VLANs on Linux bridges, so the settings travel with the domain, and the hook and
the modules apply them.
"""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

from pextra.host.hypervisor.domain import Domain, Nic
from pextra.host.network.policy import NAMESPACE, OPEN, of_domain, to_element

KEY = "pextra"
"""The prefix of our namespace, as setMetadata wants it."""
_MARK = f"{{{NAMESPACE}}}instance"
_PORT = f"{{{NAMESPACE}}}port"


def write(root: ET.Element, domain: Domain) -> None:
    """Put the settings of a domain's ports into its definition."""
    metadata = root.find("metadata")
    if metadata is None:
        metadata = ET.SubElement(root, "metadata")
    mark = metadata.find(_MARK)
    if mark is None:
        mark = ET.SubElement(metadata, _MARK, id=domain.id)
    for port in mark.findall(_PORT):
        mark.remove(port)
    for nic in sorted(domain.nics, key=lambda nic: nic.mac):
        to_element(mark, _PORT, nic.mac, nic.port or OPEN)


def element_text(domain: Domain) -> str:
    """Our element alone, without its namespace, which setMetadata adds."""
    element = ET.Element("instance", id=domain.id)
    for nic in sorted(domain.nics, key=lambda nic: nic.mac):
        to_element(element, "port", nic.mac, nic.port or OPEN)
    return ET.tostring(element, encoding="unicode")


def with_ports(root: ET.Element, nics: tuple[Nic, ...]) -> tuple[Nic, ...]:
    """Network devices with the settings that a definition has for them."""
    policies = of_domain(root)
    return tuple(dataclasses.replace(nic, port=policies.get(nic.mac, OPEN)) for nic in nics)
