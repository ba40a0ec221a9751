"""One file over HTTPS, from a server whose certificate is pinned or signed by a known authority."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import re
import ssl
import urllib.parse

from pextra_installer.problems import InstallerError

TIMEOUT = 15.0


class AddressError(InstallerError):
    """An address that cannot be used, now or ever."""

    code = 3


class Unreachable(Exception):
    """An attempt that may succeed when it is made again."""


def fetch(url: str, pin: str | None, limit: int) -> bytes:
    """The contents of a file.

    Args:
        url: An https address.
        pin: The SHA-256 of the server's certificate (DER) in hexadecimal digits, colons or not;
            without it the machine's certificate authorities decide.
        limit: The most bytes that are read, and one.

    Raises:
        Unreachable: The network or the server is not ready.
        AddressError: Trying again would not help.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise AddressError(f"{url} is no https address", "Answers hold secrets: use https")
    digest = _digest(pin) if pin is not None else None
    connection = http.client.HTTPSConnection(
        parts.hostname, parts.port, timeout=TIMEOUT, context=_context(digest)
    )
    path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    try:
        connection.connect()
        if digest is not None:
            _check(connection, digest, url)
        connection.request("GET", path, headers={"User-Agent": "pextra-installer"})
        answer = connection.getresponse()
        data = answer.read(limit + 1)
    except ssl.SSLCertVerificationError as error:
        hint = "Give its SHA-256 as pextra.answers_sha256, and look at this machine's clock"
        raise AddressError(f"{url}: {error.verify_message}", hint) from None
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from None
    finally:
        connection.close()
    if answer.status >= 500 or answer.status in (408, 425, 429):
        raise Unreachable(f"the server answers {answer.status} {answer.reason}")
    if answer.status != 200:
        raise AddressError(f"{url}: the server answers {answer.status} {answer.reason}")
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
