"""Keys and signatures, by gpg and gpgv."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
from pathlib import Path

from pextra_mirror import run
from pextra_mirror.bundle_import import binary_key, check_signature
from pextra_mirror.errors import ConfigError, NotReady, SourceRefused
from pextra_mirror.tree import Refused


class KeyStore:
    """The mirror's own key, which signs publications and bundles."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {"GNUPGHOME": str(home)}

    def prepare(self) -> None:
        """Make the key store, readable by its owner only."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)

    def fingerprints(self) -> list[str]:
        """Fingerprints of the secret keys."""
        if not self.home.is_dir():
            return []
        text = run.output(["gpg", "--batch", "--with-colons", "--list-secret-keys"], env=self.env)
        lines = [line.split(":") for line in text.decode().splitlines()]
        return [
            fpr[9] for sec, fpr in itertools.pairwise(lines) if sec[0] == "sec" and fpr[0] == "fpr"
        ]

    def create(self, name: str) -> str:
        """Make a key that signs, without an end and a passphrase; its fingerprint."""
        argv = ["gpg", "--batch", "--passphrase", "", "--quick-generate-key", name]
        run.output([*argv, "ed25519", "sign", "never"], env=self.env)
        return self.fingerprints()[-1]

    def take(self, key: bytes) -> None:
        """Import a secret key that was exported elsewhere."""
        run.output(["gpg", "--batch", "--import"], env=self.env, stdin=key)

    def chosen(self, wanted: str) -> str:
        """The fingerprint of the key to sign with.

        Raises:
            NotReady: There is none, or several and none was chosen.
        """
        there = self.fingerprints()
        found = [item for item in there if item.endswith(wanted.replace(" ", "").upper())]
        if len(found) == 1:
            return found[0]
        if not there:
            raise NotReady("there is no signing key", "`pextra-mirror init` makes or imports one")
        raise NotReady(
            f"{len(found)} signing keys match {wanted!r}; there are {', '.join(there)}",
            "Set signing_key to one fingerprint",
        )

    def public(self, fingerprint: str, *, armour: bool) -> bytes:
        """The public key, for clients."""
        argv = ["gpg", "--batch", *(["--armor"] if armour else []), "--export", fingerprint]
        return run.output(argv, env=self.env)

    def sign(self, data: bytes, fingerprint: str, moment: int) -> bytes:
        """A detached signature, the same each time for the same moment (seconds since 1970)."""
        at = datetime.fromtimestamp(moment, UTC).strftime("%Y%m%dT%H%M%S")
        argv = ["gpg", "--batch", "--faked-system-time", f"{at}!", "--local-user", fingerprint]
        return run.output([*argv, "--detach-sign"], env=self.env, stdin=data)


def keyring(path: Path) -> bytes:
    """The keys of a file, armoured or not, as gpgv and aptly read them.

    Raises:
        ConfigError: It cannot be read.
    """
    try:
        return binary_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"the keyring {path} cannot be read: {error}") from error


def verified(
    name: str, data: bytes | None, signature: bytes, keys: bytes, only: tuple[str, ...]
) -> str:
    """The fingerprint of the key that signed the Release of a source.

    Without data, the signature is a clear-signed message that has it.

    Raises:
        SourceRefused: It is not of the keyring, not one of ``only``, expired, or does not match.
    """
    try:
        signer = check_signature(data, signature, keys)
    except Refused as error:
        raise SourceRefused(
            f"source {name}: {error}", "Is `keyring` the source's key? Nothing was changed"
        ) from error
    if only and signer not in only:
        raise SourceRefused(f"source {name} is signed by {signer}, allowed are {', '.join(only)}")
    return signer


def split_clearsigned(name: str, data: bytes) -> bytes:
    """The text within a clear-signed message, of which nothing is outside the signature.

    Raises:
        SourceRefused: It is not of that form.
    """
    pattern = (
        rb"-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:Hash: [^\n]*\n)*\r?\n(.*?)\r?\n"
        rb"-----BEGIN PGP SIGNATURE-----\r?\n.*\n-----END PGP SIGNATURE-----\s*"
    )
    found = re.fullmatch(pattern, data, re.DOTALL)
    if not found or data.count(b"-----BEGIN PGP") != 2:
        raise SourceRefused(f"source {name}: InRelease is no signed message")
    return re.sub(rb"^- ", b"", found[1], flags=re.MULTILINE) + b"\n"
