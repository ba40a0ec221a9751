# SPDX-License-Identifier: Apache-2.0
"""Messages for the node's journal, with fields, and for a syslog server where one is configured.

Sources: systemd's Native Journal Protocol; RFC 5424 for syslog, RFC 6587 for it over TCP.
"""

from __future__ import annotations

import datetime as dt
import socket
import struct
import urllib.parse
from collections.abc import Mapping

from pextra.model.errors import InputError

SOCKET = "/run/systemd/journal/socket"
NOTICE, WARNING = 5, 4
"""Priorities; see syslog(3)."""
_AUTHPRIV = 10
"""The facility of what is about security."""
_IDENTIFIER = "pextra-audit"
_PORT = 514
_PATIENCE = 2.0
"""Seconds that a syslog server may take."""


def tell(text: str, priority: int = NOTICE, fields: Mapping[str, str] | None = None) -> bool:
    """Write a message into the journal; whether there is one.

    Args:
        text: The message.
        priority: How grave it is.
        fields: Further fields, their names in capitals.
    """
    values = {
        "MESSAGE": text, "PRIORITY": str(priority), "SYSLOG_IDENTIFIER": _IDENTIFIER,
        **(fields or {}),
    }  # fmt: skip
    data = b"".join(_field(name, value.encode()) for name, value in values.items())
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.connect(SOCKET)
            line.sendall(data)
    except OSError:
        return False
    return True


def _field(name: str, value: bytes) -> bytes:
    if b"\n" not in value:
        return name.encode() + b"=" + value + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"


def address(text: str) -> tuple[str, int] | str:
    """Where a syslog server is: ``udp://host:514``, ``tcp://host:514``, or a socket's path.

    Raises:
        InputError: It is none of these.
    """
    if text.startswith("/"):
        return text
    parts = urllib.parse.urlsplit(text)
    try:
        port = _PORT if parts.port is None else parts.port
    except ValueError:
        port = 0
    if parts.scheme not in ("udp", "tcp") or not parts.hostname or not port or parts.path:
        raise InputError(
            f"{text!r} is no syslog server",
            hint="Write udp://logs.example.com:514, tcp://… or the path of a socket",
        )
    return parts.hostname, port


def send(server: str, text: str, moment: dt.datetime) -> None:
    """Send a message to a syslog server.

    Args:
        server: Its address.
        text: The message, one line.
        moment: When it is of.

    Raises:
        InputError: The server's address is none.
        OSError: It cannot be reached.
    """
    where = address(server)
    when = moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # RFC 5424, 6: version 1; no process, message id or structured data.
    head = f"<{_AUTHPRIV * 8 + NOTICE}>1 {when} {socket.gethostname()} {_IDENTIFIER} - - - "
    data = (head + text).encode()
    if isinstance(where, str):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.settimeout(_PATIENCE)
            line.sendto(data, where)
    elif server.startswith("tcp:"):
        with socket.create_connection(where, _PATIENCE) as line:
            line.sendall(b"%d %s" % (len(data), data))  # RFC 6587, 3.4.1
    else:
        family, *_more = socket.getaddrinfo(*where, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as line:
            line.sendto(data, where)
