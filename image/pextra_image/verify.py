# SPDX-License-Identifier: Apache-2.0
"""What the guide's chapter "Verify File Integrity" does by hand; says which step failed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pextra_image.files import sha256_of
from pextra_image.run import ImageError, Programs, require


@dataclass(frozen=True, slots=True)
class Check:
    """One step of the chain; `problem` is empty if it holds."""

    what: str
    problem: str


def expected_checksum(text: str, name: str) -> str:
    """Read the checksum (hex) of a file from what sha256sum writes."""
    for line in text.splitlines():
        match = re.fullmatch(r"([0-9a-f]{64})(?: [ *](.+))?", line.strip())
        if match and match.group(2) in (None, name):
            return match.group(1)
    raise ImageError(f"it names no checksum of {name}")


def verify(
    programs: Programs, iso: Path, key: Path | None, progress: Callable[[int], None]
) -> list[Check]:
    """Check an ISO against the files beside it.

    :param key: the public key to trust, instead of those in the user's keyring.
    """
    if not iso.is_file():
        raise ImageError(f"There is no file {iso}")
    require({"gpg": "gnupg"})
    checksum = Path(f"{iso}.sha256")
    with tempfile.TemporaryDirectory() as name:
        gpg = ["gpg", "--batch", "--no-tty", "--status-fd=1"]
        if key is not None:
            gpg += ["--homedir", name]
            programs.read([*gpg, "--import", key])

        def signature(signed: Path) -> str:
            return _signature(programs, gpg, signed)

        return [
            _checked(f"SHA256 of {iso.name}", lambda: _checksum(iso, checksum, progress)),
            _checked(f"signature of {checksum.name}", lambda: signature(checksum)),
            _checked(f"signature of {iso.name}", lambda: signature(iso)),
        ]


def _checked(what: str, check: Callable[[], str]) -> Check:
    try:
        return Check(what, check())
    except FileNotFoundError as missing:
        return Check(what, f"{Path(str(missing.filename)).name} is missing")
    except ImageError as error:
        return Check(what, str(error))


def _checksum(iso: Path, checksum: Path, progress: Callable[[int], None]) -> str:
    expected = expected_checksum(checksum.read_text(encoding="utf-8"), iso.name)
    found = sha256_of(iso, progress)
    return "" if found == expected else f"it is {found}, and {checksum.name} says {expected}"


def _signature(programs: Programs, gpg: list[str], signed: Path) -> str:
    """Say what is wrong with a detached signature; empty if it is good."""
    signature = Path(f"{signed}.asc")
    for path in (signature, signed):
        if not path.exists():
            return f"{path.name} is missing"
    try:
        status = programs.read([*gpg, "--verify", signature, signed])
    except ImageError as error:
        reason = str(error)
        if "No public key" in reason:
            return "its key is not in the keyring: gpg --import pextra-gpg-key.asc, or --key"
        if "BAD signature" in reason:
            return f"{signature.name} does not belong to this {signed.name}"
        return f"{signature.name} cannot be read as a signature"
    return "" if "[GNUPG:] VALIDSIG " in status else f"{signature.name} has no valid signature"
