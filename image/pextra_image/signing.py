# SPDX-License-Identifier: Apache-2.0
"""OpenPGP signatures: with a key of the user's own, or with a generated development key."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pextra_image.run import ImageError, Programs, require

DEVELOPMENT_NAME = "pextra-ce DEVELOPMENT key, not for release"


@dataclass(frozen=True, slots=True)
class Key:
    """A secret key in a GnuPG home folder.

    :ivar home: None is the user's own.
    :ivar development: anybody who builds has one; nobody should trust it.
    """

    fingerprint: str
    home: Path | None
    development: bool

    def sign(self, programs: Programs, path: Path, output: Path, *, clear: bool = False) -> None:
        """Write an ASCII signature of a file: detached, or around the text (`clear`)."""
        output.unlink(missing_ok=True)
        how = "--clearsign" if clear else "--detach-sign"
        programs.run([*self._gpg(), "--local-user", self.fingerprint, "--digest-algo", "SHA512",
                      "--armor", "--output", output, how, path])  # fmt: skip

    def export(self, programs: Programs, output: Path) -> None:
        """Write the public key, in ASCII."""
        output.unlink(missing_ok=True)
        programs.run([*self._gpg(), "--armor", "--output", output, "--export", self.fingerprint])

    def _gpg(self) -> list[str]:
        home = ["--homedir", str(self.home)] if self.home else []
        return ["gpg", "--batch", "--no-tty", *home]


def own_key(programs: Programs, name: str) -> Key:
    """Find a secret key of the user's keyring by fingerprint, key id or address."""
    require({"gpg": "gnupg"})
    try:
        found = _fingerprints(programs, ["gpg", "--batch"], name)
    except ImageError as error:
        raise ImageError(f"There is no secret key {name!r} in the keyring of gpg") from error
    if len(found) != 1:
        raise ImageError(f"{name!r} stands for {len(found)} secret keys: name one fingerprint")
    return Key(found[0], None, development=False)


def development_key(programs: Programs, home: Path) -> Key:
    """Make a key without passphrase in a folder of its own, or find the one made before."""
    require({"gpg": "gnupg", "gpgconf": "gpgconf"})
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    gpg = ["gpg", "--batch", "--no-tty", "--homedir", str(home)]
    if not (home / "pubring.kbx").exists():
        programs.run([*gpg, "--passphrase", "", "--quick-generate-key", DEVELOPMENT_NAME,
                      "ed25519", "sign", "never"])  # fmt: skip
    return Key(_fingerprints(programs, gpg, "")[0], home, development=True)


def end_agent(programs: Programs, home: Path) -> None:
    """End the agent that gpg started for the keys in a home folder, and that would stay."""
    programs.run(["gpgconf", "--homedir", home, "--kill", "all"])


def _fingerprints(programs: Programs, gpg: list[str], name: str) -> list[str]:
    names = [name] if name else []
    listing = programs.read([*gpg, "--with-colons", "--list-secret-keys", *names])
    records = [line.split(":") for line in listing.splitlines()]
    # The record after each "sec" is its fingerprint; those after "ssb" are of subkeys.
    return [
        after[9] for before, after in pairwise(records) if before[0] == "sec" and after[0] == "fpr"
    ]
