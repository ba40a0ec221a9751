# SPDX-License-Identifier: Apache-2.0
"""The serial console with its log, and the screen, as libvirt's XML. Pure.

Source of the format: https://libvirt.org/formatdomain.html.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

_SCREEN = "graphics[@type='vnc']"


def log_of(devices: ET.Element) -> str | None:
    """The file that the first serial port is logged to."""
    log = devices.find("serial/log")
    return log.get("file") if log is not None else None


def keep_log(devices: ET.Element, path: str) -> None:
    """Log the first serial port to a file; there is one afterwards."""
    serial = devices.find("serial")
    if serial is None:
        serial = ET.SubElement(devices, "serial", type="pty")
        ET.SubElement(serial, "target", port="0")
    log = serial.find("log")
    if log is None:
        log = ET.SubElement(serial, "log")
    log.attrib.update(file=path, append="on")


def has_screen(devices: ET.Element) -> bool:
    """Whether there is a screen that is reached by a socket of this machine, and by nothing else.

    A running machine's definition says which socket.
    """
    screens = devices.findall(_SCREEN)
    kinds = [item.get("type") for screen in screens for item in screen.findall("listen")]
    return bool(screens) and set(kinds) == {"socket"}


def add_screen(devices: ET.Element) -> None:
    """Have such a screen, in place of one that is reached from elsewhere."""
    for screen in devices.findall(_SCREEN):
        devices.remove(screen)
    graphics = ET.SubElement(devices, "graphics", type="vnc")
    ET.SubElement(graphics, "listen", type="socket")
