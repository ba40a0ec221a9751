"""One file over HTTPS, from a server whose certificate is pinned or signed by a known authority."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import re
import ssl
import urllib.parse
from dataclasses import dataclass

from pextra_installer.problems import InstallerError

TIMEOUT = 15.0


class AddressError(InstallerError):
    """An address that cannot be used, now or ever."""

    code = 3


class Unreachable(Exception):
    """An attempt that may succeed when it is made again."""


@dataclass(frozen=True, slots=True)
class Address:
    """An https address; ``port`` is None for the usual one, ``path`` begins with a slash."""

    text: str
    host: str
    port: int | None
    path: str


def address_of(url: str) -> Address:
    """What an address says.

    Raises:
        AddressError: It is no https address, or one that cannot be asked for.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError as error:
        raise AddressError(f"{url!r} is no address: {error}", "Look at host and port") from None
    if parts.username is not None or parts.password is not None:
        hint = "Leave them out, and let the server know this machine by its address"
        raise AddressError("the address of the answers has a user or password", hint)
    if parts.scheme != "https" or not host or port == 0:
        raise AddressError(f"{url!r} is no https address", "Answers hold secrets: use https")
    path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    if not all("!" <= char <= "~" for char in path):
        hint = "Write them as %20 and the like"
        raise AddressError(f"{url!r} has characters that no address has", hint)
    return Address(url, host, port, path)


def fetch(address: Address, pin: str | None, limit: int) -> bytes:
    """The contents of a file.

    Args:
        address: Where it is.
        pin: The SHA-256 of the server's certificate (DER) in hexadecimal digits, colons or not;
            without it the machine's certificate authorities decide.
        limit: The most bytes that are read, and one.

    Raises:
        Unreachable: The network or the server is not ready.
        AddressError: Trying again would not help.
    """
    digest = _digest(pin) if pin is not None else None
    connection = http.client.HTTPSConnection(
        address.host, address.port, timeout=TIMEOUT, context=_context(digest)
    )
    try:
        connection.connect()
        if digest is not None:
            _check(connection, digest, address.text)
        connection.request("GET", address.path, headers={"User-Agent": "pextra-installer"})
        answer = connection.getresponse()
        data = answer.read(limit + 1)
    except ssl.SSLCertVerificationError as error:
        hint = "Give its SHA-256 as pextra.answers_sha256, and look at this machine's clock"
        raise AddressError(f"{address.text}: {error.verify_message}", hint) from None
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from None
    finally:
        connection.close()
    if answer.status >= 500 or answer.status in (408, 425, 429):
        raise Unreachable(f"the server answers {answer.status} {answer.reason}")
    if answer.status != 200:
        reason = f"the server answers {answer.status} {answer.reason}"
        raise AddressError(f"{address.text}: {reason}")
    return data


def _digest(pin: str) -> str:
    text = pin.replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        hint = "openssl x509 -in server.pem -noout -fingerprint -sha256"
        raise AddressError("pextra.answers_sha256 is no SHA-256 of a certificate", hint)
    return text


def _context(digest: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if digest is not None:
        # The pin says which certificate it must be: names, dates and authorities say nothing more.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _check(connection: http.client.HTTPSConnection, digest: str, url: str) -> None:
    certificate = connection.sock.getpeercert(binary_form=True) or b""
    shown = hashlib.sha256(certificate).hexdigest()
    if not hmac.compare_digest(shown, digest):
        raise AddressError(
            f"{url}: the server's certificate has the SHA-256 {shown}, not {digest}",
            "Somebody else answers, or the certificate was renewed",
        )
