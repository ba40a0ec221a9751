# SPDX-License-Identifier: Apache-2.0
"""What the guide's chapter "Verify File Integrity" does by hand; says which step failed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pextra_image.files import sha256_of
from pextra_image.run import ImageError, Programs, require

_WEAK_HASHES = {"1": "MD5", "2": "SHA-1", "3": "RIPEMD-160"}
"""By their numbers in RFC 9580, 9.5."""
_RSA_AND_DSA = ("1", "2", "3", "17")
_SHORTEST = 2048
"""Bits of such a key; those of elliptic curves are short by nature."""
_FAULTS = {
    "REVKEYSIG": "its key was revoked",
    "EXPKEYSIG": "its key has expired",
    "EXPSIG": "it has expired",
}
"""What gpg says of signatures that are right and worth nothing (GnuPG's doc/DETAILS)."""


@dataclass(frozen=True, slots=True)
class Check:
    """One step of the chain.

    :ivar problem: empty if it holds.
    :ivar found: what it says if it holds, such as who signed.
    """

    what: str
    problem: str
    found: str = ""


def expected_checksum(text: str, name: str) -> str:
    """Read the checksum (hex) of a file from what sha256sum writes.

    One that stands alone counts, whatever its name: a file may be renamed after its download.
    """
    lines = (re.fullmatch(r"([0-9a-f]{64})(?: [ *](.+))?", line.strip()) for line in
             text.splitlines())  # fmt: skip
    found = {match.group(2): match.group(1) for match in lines if match}
    alone = next(iter(found.values())) if len(found) == 1 else None
    digest = found.get(name) or found.get(None) or alone
    if digest is None:
        raise ImageError(f"it names no checksum of {name}")
    return digest


def verify(
    programs: Programs,
    iso: Path,
    key: Path | None,
    progress: Callable[[int], None],
    fingerprint: str = "",
) -> list[Check]:
    """Check an ISO against the files beside it.

    :param key: the public key to trust, instead of those in the user's keyring.
    :param fingerprint: the one key that may have signed; any of those above, if it is empty.
    """
    wanted = fingerprint.replace(" ", "").upper()
    if wanted and not re.fullmatch(r"[0-9A-F]{40}|[0-9A-F]{64}", wanted):
        raise ImageError(f"{fingerprint!r} is no fingerprint: 40 or 64 hex digits")
    if not iso.is_file():
        raise ImageError(f"There is no file {iso}")
    require({"gpg": "gnupg"})
    checksum = Path(f"{iso}.sha256")
    with tempfile.TemporaryDirectory() as name:
        # Public keys need no agent, which would stay.
        gpg = ["gpg", "--batch", "--no-tty", "--no-autostart", "--status-fd=1"]
        if key is not None:
            gpg += ["--homedir", name]
            if not key.is_file():
                raise ImageError(f"There is no file {key}")
            try:
                programs.read([*gpg, "--import", key])
            except ImageError:
                raise ImageError(f"{key} has no public key of gpg's in it") from None

        def signature(signed: Path) -> Check:
            return _signature(programs, gpg, signed, wanted)

        return [
            _checked(f"SHA256 of {iso.name}", lambda: _checksum(iso, checksum, progress)),
            signature(checksum),
            signature(iso),
        ]


def _checked(what: str, check: Callable[[], str]) -> Check:
    try:
        return Check(what, check())
    except FileNotFoundError as missing:
        return Check(what, f"{Path(str(missing.filename)).name} is missing")
    except UnicodeDecodeError:
        return Check(what, "its checksum file is no text")
    except ImageError as error:
        return Check(what, str(error))


def _checksum(iso: Path, checksum: Path, progress: Callable[[int], None]) -> str:
    expected = expected_checksum(checksum.read_text(encoding="utf-8"), iso.name)
    found = sha256_of(iso, progress)
    return "" if found == expected else f"it is {found}, and {checksum.name} says {expected}"


def _signature(programs: Programs, gpg: list[str], signed: Path, wanted: str) -> Check:
    """Check a detached signature: it is right, and by a key that is worth something."""
    what, signature = f"signature of {signed.name}", Path(f"{signed}.asc")
    for path in (signature, signed):
        if not path.exists():
            return Check(what, f"{path.name} is missing")
    try:
        status = programs.read([*gpg, "--verify", signature, signed])
    except ImageError as error:
        reason = str(error)
        if "No public key" in reason:
            hint = "gpg --import pextra-gpg-key.asc, or --key"
            return Check(what, f"its key is not in the keyring: {hint}")
        if "BAD signature" in reason:
            return Check(what, f"{signature.name} does not belong to this {signed.name}")
        return Check(what, f"{signature.name} cannot be read as a signature")
    lines = (line.split() for line in status.splitlines() if line.startswith("[GNUPG:] "))
    said = {words[1]: words[2:] for words in lines}
    fault = next((fault for name, fault in _FAULTS.items() if name in said), "")
    if not fault and not {"GOODSIG", "VALIDSIG"} <= said.keys():
        return Check(what, f"{signature.name} has no valid signature")
    by = said.get("VALIDSIG", [])
    signer, hashed = (by[-1], by[7]) if len(by) > 7 else ("", "")
    if not fault and hashed in _WEAK_HASHES:
        fault = f"it uses {_WEAK_HASHES[hashed]}, which is forged today"
    fault = fault or _weakness(programs, gpg, by[0])
    if not fault and wanted and wanted not in (signer, by[0]):
        fault = f"it is not by {wanted}"
    named = " ".join(next(iter(said[name] for name in ("GOODSIG", *_FAULTS) if name in said))[1:])
    return Check(what, f"{fault}: {named}, {signer}" if fault else "", f"by {named}, {signer}")


def _weakness(programs: Programs, gpg: list[str], fingerprint: str) -> str:
    """Say what is weak about a key; empty if nothing is."""
    listing = programs.read([*gpg, "--with-colons", "--list-keys", fingerprint])
    records = [line.split(":") for line in listing.splitlines()]
    for before, after in pairwise(records):
        if before[0] in ("pub", "sub") and after[0] == "fpr" and after[9] == fingerprint:
            short = before[3] in _RSA_AND_DSA and int(before[2]) < _SHORTEST
            return f"its key has {before[2]} bits, which is too short" if short else ""
    return ""
