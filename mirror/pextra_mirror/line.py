"""A connection to a source's server, or to the proxy before it."""

from __future__ import annotations

import base64
import contextlib
import http.client
import socket
import urllib.request
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit


@dataclass
class Line:
    """A connection of a thread's, and what it leads to."""

    connection: http.client.HTTPConnection
    place: tuple[str, str]
    proxied: bool
    headers: dict[str, str]
    used: bool = False
    sock: socket.socket | None = None

    def cut(self) -> None:
        """End what another thread waits for on it."""
        # Where the server closes it after the answer, the connection knows its socket no more.
        for sock in (self.sock, self.connection.sock):
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    @property
    def has_socket(self) -> bool:
        """Whether it is there already: a name may still be looked up."""
        return self.sock is not None or self.connection.sock is not None


def authorization(kind: str, secret: str) -> dict[str, str]:
    """The header that has a user and a password, as an address has them; none without."""
    if not secret:
        return {}
    user, _colon, password = secret.partition(":")
    text = f"{unquote(user)}:{unquote(password)}".encode()
    return {f"{kind}Authorization": f"Basic {base64.b64encode(text).decode()}"}


def connect(parts: SplitResult, timeout: int) -> Line:
    """A connection to a server, through the proxy that the environment names."""
    host, place = parts.hostname or "", (parts.scheme, parts.netloc)
    proxy = urllib.request.getproxies().get(parts.scheme)
    server = parts
    headers: dict[str, str] = {}
    if proxy and not urllib.request.proxy_bypass(host):
        server = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        headers = authorization("Proxy-", server.netloc.rpartition("@")[0])
    tunnel = server is not parts and parts.scheme == "https"
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(server.hostname or "", server.port, timeout=timeout)
    if tunnel:
        connection.set_tunnel(host, parts.port or 443, headers)
        headers = {}
    return Line(connection, place, server is not parts and not tunnel, headers)
