# SPDX-License-Identifier: Apache-2.0
"""One question over HTTP that is answered with JSON: bounded in time and size, TLS verified.

What is sent, a key above all, goes to the server that was asked for and to no other.
"""

from __future__ import annotations

import functools
import http.client
import json
import socket
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import IO, Any, Self

from pextra.model.errors import HostError

MOST = 8 * 1024 * 1024
"""Bytes of an answer that are read."""
_REDIRECTS = 3
_Accepts = Callable[[str], bool]


class StatusError(HostError):
    """The server answered with a status that says no.

    Attributes:
        status: The status, such as 401.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def get_json(
    url: str, headers: Mapping[str, str], seconds: float, accepts: _Accepts | None = None
) -> object:
    """What a server answers, as JSON has it.

    Args:
        url: The address, ``https`` or ``http``. With ``http`` no proxy is asked.
        headers: What is sent besides; no message says any of it.
        seconds: How long it may take altogether.
        accepts: Whether an IP address may be spoken to over ``http``; any unless given.

    Raises:
        StatusError: The server says no.
        HostError: It cannot be reached, is not who it says, leads elsewhere, or answers no JSON.
    """
    place = urllib.parse.urlsplit(url).netloc
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - by the caller
    with _Deadline(seconds) as deadline:
        opener = _opener(url, deadline, accepts)
        try:
            with opener.open(request, timeout=seconds) as response:
                data = response.read(MOST + 1)
        except urllib.error.HTTPError as error:
            error.close()
            said = f"{place} answers with status {error.code}"
            raise StatusError(error.code, said) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise HostError(_why(place, error, deadline)) from None
        if deadline.passed:
            raise HostError(_why(place, TimeoutError(), deadline))
    if len(data) > MOST:
        raise HostError(f"the answer of {place} has more than {MOST} bytes")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise HostError(f"the answer of {place} is no JSON") from None


def _why(place: str, error: Exception, deadline: _Deadline) -> str:
    """Why there is no answer."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if deadline.passed or isinstance(reason, TimeoutError):
        return f"{place} has not answered within {deadline.seconds:g} s"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"the certificate of {place} is not trusted: {reason.verify_message}"
    if isinstance(reason, ssl.SSLError):
        return f"there is no TLS with {place}: {reason.reason or 'it failed'}"
    if isinstance(reason, _RefusedError):
        return str(reason)
    if isinstance(reason, socket.gaierror):
        return f"the name in {place} is not known"
    if isinstance(reason, OSError):
        return f"{place} cannot be reached: {reason.strerror or type(reason).__name__}"
    return f"{place} does not answer as a server of HTTP does"


class _RefusedError(OSError):
    """We do not go there."""


class _Deadline:
    """Ends the connections that are open when a time has passed, whatever they wait for."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passed = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def hold(self, connection: socket.socket) -> None:
        """End this one too; a copy is kept, since TLS takes the socket over."""
        with self._lock:
            self._sockets.append(connection.dup())

    def _end(self) -> None:
        self.passed = True
        with self._lock:
            for connection in self._sockets:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for connection in self._sockets:
                connection.close()
            self._sockets.clear()


def _connected(deadline: _Deadline, accepts: _Accepts | None, *given: Any, **more: Any) -> Any:
    """A connection that the deadline ends, to a peer that may be spoken to."""
    connection = socket.create_connection(*given, **more)
    peer = str(connection.getpeername()[0])
    if accepts is not None and not accepts(peer.partition("%")[0]):
        connection.close()
        raise _RefusedError(f"{peer} is not in a private network, and http is read by others")
    deadline.hold(connection)
    return connection


class _Plain(urllib.request.HTTPHandler):
    """HTTP."""

    def __init__(self, connect: Callable[..., Any]) -> None:
        super().__init__()
        self._connect = connect

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Open it with our own connections."""

        def made(host: str, **more: Any) -> http.client.HTTPConnection:
            connection = http.client.HTTPConnection(host, **more)
            connection._create_connection = self._connect  # type: ignore[attr-defined]
            return connection

        return self.do_open(made, request)


class _Secure(urllib.request.HTTPSHandler):
    """HTTP over TLS."""

    def __init__(self, connect: Callable[..., Any]) -> None:
        self._verified = ssl.create_default_context()
        super().__init__(context=self._verified)
        self._connect = connect

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Open it with our own connections."""

        def made(host: str, **more: Any) -> http.client.HTTPSConnection:
            connection = http.client.HTTPSConnection(host, context=self._verified, **more)
            connection._create_connection = self._connect  # type: ignore[attr-defined]
            return connection

        return self.do_open(made, request)


class _SameServer(urllib.request.HTTPRedirectHandler):
    """Follows to where the question was asked, and nowhere else."""

    max_redirections = _REDIRECTS
    max_repeats = _REDIRECTS

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The next question, to the same server.

        Raises:
            urllib.error.URLError: It leads to another one.
        """
        here, there = (urllib.parse.urlsplit(url) for url in (req.full_url, newurl))
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            host = there.hostname or "elsewhere"
            said = f"{here.netloc} leads to another server, {host}, which is not followed"
            raise urllib.error.URLError(_RefusedError(said))
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(
    url: str, deadline: _Deadline, accepts: _Accepts | None
) -> urllib.request.OpenerDirector:
    """What opens the address, and no other scheme."""
    plain = urllib.parse.urlsplit(url).scheme == "http"
    connect = functools.partial(_connected, deadline, accepts if plain else None)
    opener = urllib.request.OpenerDirector()
    handlers: list[urllib.request.BaseHandler] = [
        _Plain(connect) if plain else _Secure(connect),
        _SameServer(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ]
    if not plain:
        handlers.append(urllib.request.ProxyHandler())
    for handler in handlers:
        opener.add_handler(handler)
    return opener
