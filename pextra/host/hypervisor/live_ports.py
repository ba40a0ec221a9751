# SPDX-License-Identifier: Apache-2.0
"""Starting domains, with their bridge ports closed; and those ports while they run."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from pextra.host.hypervisor import pci_xml, port_xml
from pextra.host.hypervisor.connection import WHOLE, Hypervisor, translated
from pextra.host.hypervisor.domain import Nic
from pextra.host.network import ports
from pextra.host.network.policy import NAMESPACE, OPEN, of_domain

_LIVE = 1
"""libvirt's VIR_DOMAIN_AFFECT_LIVE."""
_ELEMENT = 2
"""libvirt's VIR_DOMAIN_METADATA_ELEMENT."""
_PAUSED = 1
"""libvirt's VIR_DOMAIN_START_PAUSED."""


def start(hypervisor: Hypervisor, domain: Any, resource: str) -> None:
    """Start an instance; a virtual machine's ports are closed as asked before its guest runs.

    The hook does the same for whoever starts it; this does not rely on it.

    Raises:
        HostError: libvirt or the kernel refused.
    """
    container = hypervisor.uri.startswith("lxc")
    with translated("reading the definition", resource):
        text = domain.XMLDesc(WHOLE)
        saved = not container and domain.hasManagedSaveImage(0)
    more = None if container or saved else pci_xml.with_ports(text)
    if more is not None:
        with translated("giving it places to plug devices in", resource):
            domain = hypervisor.connection.defineXMLFlags(more, 0)
    closed = bool(of_domain(ET.fromstring(text)))  # noqa: S314 - libvirt's
    if not closed or container:
        with translated("starting it", resource):
            domain.create()
        return
    with translated("starting it", resource):
        domain.createWithFlags(_PAUSED)
    try:
        ports.secure(domain.XMLDesc(0))
    except BaseException:
        with translated("stopping it again", resource):
            domain.destroy()
        raise
    with translated("starting it", resource):
        domain.resume()


def correct(domain: Any, nic: Nic, metadata: str, resource: str) -> None:
    """Give a running domain's port its settings, and have the domain carry them on."""
    with translated("noting the port's settings", resource):
        domain.setMetadata(_ELEMENT, metadata, port_xml.KEY, NAMESPACE, _LIVE)
        text = domain.XMLDesc(0)
    root = ET.fromstring(text)  # noqa: S314 - libvirt's own output
    places = [place for place in ports.places_of(root) if place.mac == nic.mac]
    ports.apply([(place, nic.port or OPEN) for place in places])


def plug(domain: Any, nic: Nic, metadata: str, text: str, resource: str) -> None:
    """Plug a network device into a running domain; its link is down until its port is closed.

    Raises:
        HostError: libvirt or the kernel refused.
    """
    element = ET.fromstring(text)  # noqa: S314 - our own text
    link = ET.SubElement(element, "link", state="down")
    with translated("plugging a network device", resource):
        domain.attachDeviceFlags(ET.tostring(element, encoding="unicode"), _LIVE)
    correct(domain, nic, metadata, resource)
    link.set("state", "up")
    with translated("connecting a network device", resource):
        domain.updateDeviceFlags(ET.tostring(element, encoding="unicode"), _LIVE)
