# SPDX-License-Identifier: Apache-2.0
"""Where a disk's data is, as libvirt's XML, both ways. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from pextra.host.pools.backend import Remote

if TYPE_CHECKING:
    from pextra.host.hypervisor.domain import Disk

_SECRET_TYPES = {"rbd": "ceph"}


def kind(disk: Disk) -> str:
    """libvirt's type of a disk: ``file``, ``block`` or ``network``."""
    if disk.remote is not None:
        return "network"
    return "block" if (disk.path or "").startswith("/dev/") else "file"


def element(path: str, remote: Remote | None, kind: str) -> ET.Element:
    """A ``source`` element."""
    if remote is None:
        return ET.Element("source", {"dev" if kind == "block" else "file": path})
    found = ET.Element("source", protocol=remote.protocol, name=remote.name)
    for host, port in remote.hosts:
        ET.SubElement(found, "host", name=host, port=port)
    auth = ET.SubElement(found, "auth", username=remote.username)
    ET.SubElement(auth, "secret", type=_SECRET_TYPES[remote.protocol], uuid=remote.secret)
    return found


def parse(source: ET.Element | None) -> tuple[str | None, Remote | None]:
    """Path and remote of a ``source`` element."""
    if source is None:
        return None, None
    protocol = source.get("protocol")
    if protocol is None:
        return source.get("file", source.get("dev")), None
    auth, secret = source.find("auth"), source.find("auth/secret")
    hosts = ((item.get("name", ""), item.get("port", "")) for item in source.findall("host"))
    name = source.get("name", "")
    remote = Remote(
        protocol=protocol,
        name=name,
        hosts=tuple(hosts),
        username=auth.get("username", "") if auth is not None else "",
        secret=secret.get("uuid", "") if secret is not None else "",
    )
    return f"{protocol}:{name}", remote
