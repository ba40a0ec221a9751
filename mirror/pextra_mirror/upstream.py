"""Fetching from a source: over few connections, going on where it broke off, never for ever."""

from __future__ import annotations

import contextlib
import errno
import http.client
import re
import ssl
import string
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from pextra_mirror import __version__
from pextra_mirror.config import split_secret
from pextra_mirror.errors import TransferError
from pextra_mirror.line import Line, authorization, connect

CHUNK = 64 * 2**10
FIRST_PAUSE = 0.2
"""Seconds before the second attempt; each further pause is twice as long, up to the last."""
LAST_PAUSE = 10.0
_TICK = 0.1
"""Seconds after which one who waits looks whether it is over."""
_REDIRECTS = 5
_HEADERS = {"User-Agent": f"pextra-mirror/{__version__}"}
_FAULTS = (OSError, http.client.HTTPException, ssl.SSLError, ValueError)
"""What comes of a connection; ``ValueError`` of an address that is none, as of a redirection."""
_GONE = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)
"""What a connection says that the server closed between two requests."""


Idle = contextlib.AbstractContextManager[None]


class Refusal(Exception):
    """An answer other than the file."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status


class WrongSize(Exception):
    """Another file than the one that was announced, such as a page that asks for a login."""


class Slow(OSError):
    """Too few bytes came."""


@dataclass
class Waiting:
    """A connection on which something is awaited, until when, and whether too long."""

    line: Line
    until: float
    ended: bool = False


class Upstream:
    """A source, as seen over the network; for use by several threads.

    It has no locks: a signal's handler may stop it at any moment.

    Args:
        url: Its address.
        timeout: Seconds without a byte after which a connection counts as dead.
        retries: Attempts without progress before a transfer is given up.
        slowest: Bytes a second, on an average over the timeout, that count as progress.

    Attributes:
        received: Bytes of content that came.
        requests: How many requests were made.
    """

    def __init__(self, url: str, *, timeout: int, retries: int, slowest: int) -> None:
        self.url, secret = split_secret(url)
        self._secret = authorization("", secret)
        self._place = urlsplit(self.url)[:2]
        self.received = 0
        self.requests = 0
        self._timeout = timeout
        self._retries = retries
        self._slowest = slowest
        self._stopped = False
        self._lines: dict[int, Line] = {}
        self._waiting: dict[int, Waiting] = {}
        self._watch: threading.Thread | None = None
        self._idle: Idle = contextlib.nullcontext()

    def stop(self) -> None:
        """End all transfers that run; for when it is over, or one of them has failed for good."""
        self._stopped = True
        for line in list(self._lines.values()):
            line.cut()

    @contextlib.contextmanager
    def shared(self, idle: Idle) -> Iterator[None]:
        """Have threads of several be in ``idle`` while they wait for the network."""
        self._idle = idle
        try:
            yield
        finally:
            self._idle = contextlib.nullcontext()

    def _over(self, pause: float | None) -> bool:
        """Whether no further attempt is made: after the last, or when all was stopped meanwhile."""
        with self._idle:
            self._sleep(pause or 0)
        return self._stopped or pause is None

    def _sleep(self, seconds: float) -> None:
        """Wait, unless all is stopped meanwhile."""
        until = time.monotonic() + seconds
        while not self._stopped and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _TICK))

    def address(self, path: str) -> str:
        """The address of a file, in whose name anything may be."""
        return f"{self.url}/{quote(path, safe='/~+:', errors='surrogateescape')}"

    def get(self, path: str, limit: int, *, missing_ok: bool = False) -> bytes | None:
        """A small file, whole; None if there is none and that is fine.

        Raises:
            TransferError: It cannot be had, or has more bytes than the limit.
        """
        fault: TransferError | None = None
        for pause in self._attempts():
            data = bytearray()
            try:
                for chunk in self._chunks(self.address(path), 0, limit + 1, exact=False):
                    data += chunk
                if len(data) <= limit:
                    return bytes(data)
                raise TransferError(
                    f"{self.url}/{path} has more than {limit} bytes", "That is no file of its kind"
                )
            except Refusal as error:
                if error.status in (403, 404, 410) and missing_ok:
                    return None
                fault = self._fault(path, error)
            except _FAULTS as error:
                fault = self._fault(path, error)
            if self._over(pause):
                raise fault
        raise AssertionError("unreachable")  # pragma: no cover

    def resume(self, path: str, have: int, size: int, write: Callable[[bytes], object]) -> None:
        """Bring what is missing of a large file.

        Args:
            path: Its path below the address.
            have: Bytes of it that are here; if there are more than it has, nothing comes.
            size: Bytes that it has.
            write: Takes what comes, in order.

        Raises:
            TransferError: It broke off too often without progress.
        """
        attempts = self._attempts()
        while have < size:
            before, slow = have, False
            fault = TransferError(f"{self.url}/{path} broke off after {have} of {size} bytes")
            try:
                for chunk in self._chunks(self.address(path), have, size):
                    write(chunk)
                    have += len(chunk)
            except (Refusal, WrongSize, *_FAULTS) as error:
                if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                    raise
                slow = isinstance(error, Slow)
                fault = self._fault(path, error)
            if have > before and not slow:
                attempts = self._attempts()
            if have < size and self._over(next(attempts)):
                raise fault

    def _chunks(self, address: str, have: int, size: int, *, exact: bool = True) -> Iterator[bytes]:
        """What comes of a file after the bytes that are there, up to its size."""
        answer = self._open(address, {"Range": f"bytes={have}-"} if have else {})
        if have and not continues(answer, have, size):
            # Whoever cannot do that has to send it from its beginning.
            self._close()
            answer = self._open(address, {})
        try:
            if answer.status not in (200, 206):
                raise Refusal(answer.status, answer.reason)
            skip = 0 if answer.status == 206 and continues(answer, have, size) else have
            announced = answer.length
            expected = size - (have - skip)
            if exact and announced is not None and announced != expected:
                raise WrongSize(f"it has {announced} bytes where {expected} belong")
            left, since, came = size - have, time.monotonic(), 0
            while left and (chunk := self._read(answer)):
                if self._stopped:
                    raise OSError("it was stopped")
                self.received += len(chunk)
                came += len(chunk)
                skipped, skip = min(skip, len(chunk)), max(0, skip - len(chunk))
                chunk = chunk[skipped:][:left]
                left -= len(chunk)
                if chunk:
                    yield chunk
                if (passed := time.monotonic() - since) >= self._timeout:
                    if came < passed * self._slowest:
                        raise Slow(f"{came} bytes came in {passed:.0f} seconds, which is too slow")
                    since, came = time.monotonic(), 0
            if left and answer.length:
                raise OSError(f"broke off, {answer.length} bytes are missing")
        finally:
            if answer.length == 0:
                answer.close()  # the connection stays
            else:
                self._close()

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        """Some bytes of a body, for which nobody waits longer than the timeout, whatever drips."""
        thread = threading.get_ident()
        with self._idle:
            waiting = Waiting(self._lines[thread], time.monotonic() + self._timeout)
            self._waiting[thread] = waiting
            try:
                chunk = answer.read1(CHUNK)
            except _FAULTS:
                if not waiting.ended:
                    raise
            finally:
                self._waiting.pop(thread, None)
        if waiting.ended:
            raise Slow(f"nothing came in {self._timeout} seconds, which is too slow")
        return chunk

    def _attempts(self) -> Iterator[float | None]:
        """The pause after each attempt, None after the last."""
        for attempt in range(self._retries - 1):
            yield min(FIRST_PAUSE * 2**attempt, LAST_PAUSE)
        while True:
            yield None

    def _open(self, address: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        """The answer to a request, redirections followed."""
        for _index in range(_REDIRECTS):
            answer = self._ask(address, headers)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            header = answer.getheader("Location", "")
            # It should be ASCII, and is whatever bytes the server has; a fragment is not sent.
            header = quote(header, safe=string.punctuation, encoding="latin-1").partition("#")[0]
            location = split_secret(urljoin(address, header))[0]
            if urlsplit(address).scheme == "https" and urlsplit(location).scheme != "https":
                raise Refusal(answer.status, f"leads to {location}, which is not encrypted")
            if urlsplit(location).scheme not in ("http", "https"):
                raise Refusal(answer.status, f"leads to {location}")
            address = location
            self._close()
        raise Refusal(310, "too many redirections")

    def _ask(self, address: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        """The answer to one request; once more where the server had closed the connection."""
        parts = urlsplit(address)
        while True:
            if self._stopped:
                raise OSError("it was stopped")
            line = self._line(parts)
            self.requests += 1
            secret = self._secret if line.place == self._place else {}
            waiting = Waiting(line, 0)
            try:
                answer = self._answer(
                    line, waiting, parts, {**_HEADERS, **line.headers, **secret, **headers}
                )
                if waiting.ended:
                    raise Slow(f"no answer came in {self._timeout} seconds, which is too slow")
            except _GONE as error:
                self._close()
                if waiting.ended:
                    raise Slow(f"no answer came in {self._timeout} seconds") from error
                if not line.used:
                    raise
            except BaseException:
                self._close()
                raise
            else:
                line.used = True
                return answer

    def _answer(
        self, line: Line, waiting: Waiting, parts: SplitResult, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        """What a server answers on a connection, which is made where it is not yet."""
        local = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        target = f"{parts.scheme}://{parts.netloc}{local}" if line.proxied else local
        thread = threading.get_ident()
        with self._idle:
            waiting.until = time.monotonic() + self._timeout
            self._waiting[thread] = waiting
            try:
                line.connection.request("GET", target, headers=headers)
                line.sock = line.connection.sock
                return line.connection.getresponse()
            finally:
                self._waiting.pop(thread, None)

    def _line(self, parts: SplitResult) -> Line:
        """This thread's connection to a server, or to the proxy before it."""
        line = self._lines.get(threading.get_ident())
        if line is None or line.place != (parts.scheme, parts.netloc):
            self._close()
            line = self._lines[threading.get_ident()] = connect(parts, self._timeout)
        if self._watch is None:
            self._watch = threading.Thread(target=self._end_waiting, daemon=True)
            self._watch.start()
        return line

    def _end_waiting(self) -> None:
        """End what waits longer than the timeout, though bytes drip."""
        while not self._stopped:
            self._sleep(min(1.0, self._timeout / 2))
            for waiting in list(self._waiting.values()):
                if waiting.until < time.monotonic() and waiting.line.has_socket:
                    waiting.ended = True
                    waiting.line.cut()

    def _close(self) -> None:
        if line := self._lines.pop(threading.get_ident(), None):
            line.connection.close()

    def _fault(self, path: str, error: Exception) -> TransferError:
        return TransferError(f"{self.url}/{path}: {error or type(error).__name__}")


def continues(answer: http.client.HTTPResponse, have: int, size: int) -> bool:
    """Whether an answer is of use to one who has the beginning of a file.

    It is all of the file, or all that is missing, as far as the answer says what it is.
    """
    if answer.status != 206:
        return answer.status == 200
    named = re.match(r"bytes (\d+)-", answer.getheader("Content-Range", f"bytes {have}-"))
    begins = named is not None and named[1].lstrip("0") == str(have)
    return begins and answer.length in (None, size - have)
