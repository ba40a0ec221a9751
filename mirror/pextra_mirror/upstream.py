"""Fetching from a source, going on where it broke off."""

from __future__ import annotations

import errno
import http.client
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from pextra_mirror import __version__
from pextra_mirror.errors import TransferError

CHUNK = 64 * 2**10
FIRST_PAUSE = 0.2
"""Seconds before the second attempt; each further pause is twice as long, up to the last."""
LAST_PAUSE = 10.0
_FAULTS = (OSError, http.client.HTTPException, ssl.SSLError)


class Upstream:
    """A source, as seen over the network.

    Attributes:
        received: Bytes of content that came.
        requests: How many requests were made.
    """

    def __init__(self, url: str, *, timeout: int, retries: int) -> None:
        self.url = url
        self.received = 0
        self.requests = 0
        self._timeout = timeout
        self._retries = retries
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End all transfers that run; for when one of them has failed for good."""
        self._stopped.set()

    def get(self, path: str, *, missing_ok: bool = False) -> bytes | None:
        """A small file, whole; None if there is none and that is fine.

        Raises:
            TransferError: It cannot be had.
        """
        fault: TransferError | None = None
        for pause in self._attempts():
            try:
                with self._open(path) as answer:
                    data: bytes = answer.read()
                    self.received += len(data)
                    return data
            except urllib.error.HTTPError as error:
                if error.code == 404 and missing_ok:
                    return None
                fault = self._fault(path, error)
            except _FAULTS as error:
                fault = self._fault(path, error)
            if pause is None:
                raise fault
            time.sleep(pause)
        raise AssertionError("unreachable")  # pragma: no cover

    def resume(self, path: str, size: int, part: Path, on_bytes: Callable[[int], object]) -> None:
        """Bring what is missing of a large file to ``part``.

        Raises:
            TransferError: It broke off too often without one more byte; ``part`` stays.
        """
        with part.open("ab") as file:
            have = file.tell()
            if have > size:
                have = file.truncate(0)
            on_bytes(have)
            attempts = self._attempts()
            while have < size:
                before = have
                fault = TransferError(f"{self.url}/{path} broke off after {have} of {size} bytes")
                try:
                    for chunk in self._chunks(path, have, size):
                        if self._stopped.is_set():
                            raise TransferError(f"{self.url}/{path} was stopped")
                        file.write(chunk)
                        have += len(chunk)
                        on_bytes(len(chunk))
                except _FAULTS as error:
                    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                        raise
                    fault = self._fault(path, error)
                if have > before:
                    attempts = self._attempts()
                pause = next(attempts)
                if have < size and pause is None:
                    raise fault
                if have < size and pause and self._stopped.wait(pause):
                    raise fault

    def _chunks(self, path: str, have: int, size: int) -> Iterator[bytes]:
        with self._open(path, {"Range": f"bytes={have}-"} if have else {}) as answer:
            skip = have if answer.status != 206 else 0
            left = size - have
            while left and (chunk := answer.read1(CHUNK)):
                self.received += len(chunk)
                skipped, skip = min(skip, len(chunk)), max(0, skip - len(chunk))
                chunk = chunk[skipped:][:left]
                left -= len(chunk)
                if chunk:
                    yield chunk

    def _attempts(self) -> Iterator[float | None]:
        """The pause after each attempt, None after the last."""
        for attempt in range(self._retries - 1):
            yield min(FIRST_PAUSE * 2**attempt, LAST_PAUSE)
        while True:
            yield None

    def _open(self, path: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
        self.requests += 1
        request = urllib.request.Request(  # noqa: S310  # http and https only: see config.source
            f"{self.url}/{path}",
            headers={"User-Agent": f"pextra-mirror/{__version__}", **(headers or {})},
        )
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=self._timeout)  # noqa: S310
        return answer

    def _fault(self, path: str, error: Exception) -> TransferError:
        why = getattr(error, "reason", None) or error
        code = f"{error.code} " if isinstance(error, urllib.error.HTTPError) else ""
        return TransferError(f"{self.url}/{path}: {code}{why}")
