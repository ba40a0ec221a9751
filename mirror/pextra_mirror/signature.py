"""Signatures as apt takes them: one good one is enough, weak ones do not count.

Needs Python 3.9 and gpgv, because it is carried to sites with the import.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pextra_mirror.errors import MirrorError

_WEAK_HASHES = {"1": "MD5", "2": "SHA-1", "3": "RIPEMD160"}
"""Numbers of RFC 4880, 9.4, that apt takes no signature of."""
_RSA, _DSA = (1, 2, 3), (17,)
_SHORTEST = 2048
"""Bits of an RSA key; DSA, whose longest one in use is not longer, counts as RSA does."""
_TOLERANCE = 10
"""Seconds that a signature may be ahead of this machine's clock, as apt has it."""


class Verdict(NamedTuple):
    """What came of one signature.

    Attributes:
        keys: Fingerprints of the key that signed, and of the primary key it belongs to.
        fault: Why it does not count; empty if it does.
    """

    keys: tuple[str, ...]
    fault: str = ""


class BadSignature(MirrorError):
    """No signature counts, or one is false."""


def check_signature(
    data: bytes | None, signature: bytes, keyring: bytes, only: Sequence[str] = ()
) -> str:
    """The fingerprint of the primary key of the keyring that signed the data.

    Several may have signed; one that counts is enough, unless another does not match the data.

    Args:
        data: What was signed; None where the signature is a clear-signed message that has it.
        signature: The signatures.
        keyring: The keys to trust, armoured or not.
        only: Fingerprints of those of them that may sign; all of them if there are none.

    Raises:
        BadSignature: Nobody did whose signature counts.
    """
    try:
        keys = binary_key(keyring)
    except ValueError as error:
        raise BadSignature(f"the keyring cannot be read: {error}", "Copy it again") from error
    verdicts = list(_verdicts(data, signature, keys))
    false = [item.fault for item in verdicts if item.fault.startswith("BADSIG")]
    good = [item for item in verdicts if not item.fault]
    allowed = [item for item in good if not only or set(only) & set(item.keys)]
    if allowed and not false:
        return allowed[0].keys[-1]
    if good and not false:
        signers = ", ".join(item.keys[-1] for item in good)
        raise BadSignature(f"it is signed by {signers}, allowed are {', '.join(only)}")
    why = "; ".join(false or [item.fault for item in verdicts]) or "there is none"
    raise BadSignature(f"the signature is not good ({why}); the keyring has no valid key for it")


def _verdicts(data: bytes | None, signature: bytes, keys: bytes) -> Iterator[Verdict]:
    """What gpgv says of each signature."""
    with tempfile.TemporaryDirectory() as folder:
        argv = ["gpgv", "--status-fd", "1", "--keyring"]
        for number, content in enumerate([keys, signature, *([] if data is None else [data])]):
            Path(folder, str(number)).write_bytes(content)
            argv.append(f"{folder}/{number}")
        try:
            done = subprocess.run(argv, capture_output=True, check=False)
        except FileNotFoundError as error:
            raise BadSignature("gpgv is not installed", "apt install gpgv") from error
    weak = weak_keys(keys)
    words: dict[str, list[str]] = {}
    for line in [*done.stdout.decode(errors="replace").splitlines(), "[GNUPG:] NEWSIG"]:
        name, *rest = line.split()[1:] or [""]
        if name != "NEWSIG":
            words[name] = rest
        elif words:
            yield _verdict(words, weak)
            words = {}


def _verdict(words: dict[str, list[str]], weak: dict[str, str]) -> Verdict:
    """What the status lines of one signature mean (GnuPG's doc/DETAILS)."""
    if "GOODSIG" in words and "VALIDSIG" in words:
        fields = words["VALIDSIG"]
        keys = (fields[0], fields[-1])
        fault = ""
        if fields[7] in _WEAK_HASHES:
            fault = f"it uses {_WEAK_HASHES[fields[7]]}, which is forged today"
        elif keys[0] in weak:
            fault = f"its key {keys[0]} is {weak[keys[0]]}, which is too short"
        return Verdict(keys, fault)
    moment = int(words["ERRSIG"][4]) if "ERRSIG" in words and words["ERRSIG"][4].isdigit() else 0
    if moment > time.time() + _TOLERANCE:
        when, now = (time.strftime("%Y-%m-%d %H:%M", time.gmtime(at)) for at in (moment, None))
        why = f"it was made at {when} UTC, and here it is {now}"
        return Verdict((), f"{why}: this machine's clock is behind, or the signer's ahead")
    for name in ("BADSIG", "EXPKEYSIG", "REVKEYSIG", "EXPSIG", "NO_PUBKEY", "ERRSIG"):
        if name in words:
            return Verdict((), f"{name} {' '.join(words[name])}")
    return Verdict((), "no valid signature")


def binary_key(data: bytes) -> bytes:
    """A keyring as gpgv reads it, also where it is armoured."""
    if b"-----BEGIN PGP" not in data:
        return data
    found, body = b"", None
    for line in data.decode("ascii", "replace").splitlines():
        if line.startswith("-----BEGIN PGP PUBLIC KEY BLOCK"):
            body, in_body = "", False
        elif line.startswith("-----END") and body is not None:
            found, body = found + base64.b64decode(body), None
        elif body is not None:
            in_body = in_body or not line.strip()
            # The line that begins with = is a checksum.
            body += line.strip() if in_body and not line.startswith("=") else ""
    return found


def weak_keys(keyring: bytes) -> dict[str, str]:
    """What is wrong with each key that is too short to be trusted, by its fingerprint."""
    found: dict[str, str] = {}
    for tag, body in _packets(keyring):
        if tag in (6, 14) and len(body) > 8 and body[0] == 4 and body[5] in (*_RSA, *_DSA):
            bits = int.from_bytes(body[6:8], "big")
            if bits < _SHORTEST:
                head = b"\x99" + len(body).to_bytes(2, "big")
                name = hashlib.sha1(head + body, usedforsecurity=False).hexdigest().upper()
                found[name] = f"{'RSA' if body[5] in _RSA else 'DSA'} of {bits} bits"
    return found


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The packets of a keyring (RFC 4880, 4.2); what is cut off or of another form ends them."""
    at = 0
    while at + 2 <= len(data) and data[at] & 0x80:
        head, first = data[at], data[at + 1]
        at += 1
        if not head & 0x40:
            tag, width = (head >> 2) & 15, 1 << (head & 3)
            if width == 8:
                return
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        else:
            tag = head & 63
            if first < 192:
                size, at = first, at + 1
            elif first < 224:
                size = ((first - 192) << 8) + int.from_bytes(data[at + 1 : at + 2], "big") + 192
                at += 2
            elif first == 255:
                size, at = int.from_bytes(data[at + 1 : at + 5], "big"), at + 5
            else:
                return
        yield tag, data[at : at + size]
        at += size
