"""Keys and signatures, by gpg and gpgv."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pextra_mirror import interrupt, run
from pextra_mirror.errors import ConfigError, NotReady, SourceRefused
from pextra_mirror.signature import BadSignature, binary_key, check_signature

WARN_BEFORE = timedelta(days=30)
"""How long before its end a key is told of."""
_READING = ("gpg", "--batch", "--lock-never")
"""A lock is a file, for which a full disk has no room."""
_UNUSABLE = {"e": "has expired", "r": "was revoked", "d": "is disabled", "i": "is invalid"}
"""What gpg's letters for a key's validity mean that no signature can be made with."""


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """A key of a key store or keyring.

    Attributes:
        fingerprint: Its name.
        ends: When it expires; None for never.
        fault: Why nothing can be signed with it; empty if it can.
    """

    fingerprint: str
    ends: datetime | None
    fault: str

    @property
    def warning(self) -> str:
        """What is to be told of its end; empty if that is far."""
        if self.fault:
            return f"key {self.fingerprint} {self.fault}"
        if self.ends and self.ends < datetime.now(UTC) + WARN_BEFORE:
            return f"key {self.fingerprint} expires at {self.ends:%Y-%m-%d %H:%M} UTC"
        return ""


def listed(text: bytes, kind: str) -> list[Key]:
    """The keys of gpg's listing with colons; ``kind`` is ``sec`` or ``pub``."""
    found = []
    lines = [line.split(":") for line in text.decode(errors="replace").splitlines()]
    for fields, name in itertools.pairwise(lines):
        if fields[0] == kind and name[0] == "fpr":
            ends = datetime.fromtimestamp(int(fields[6]), UTC) if fields[6].isdigit() else None
            fault = _UNUSABLE.get(fields[1], "")
            found.append(Key(name[9], ends, fault or (
                "has expired" if ends and ends < datetime.now(UTC) else "")))  # fmt: skip
    return found


class KeyStore:
    """The mirror's own key, which signs publications and bundles."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {"GNUPGHOME": str(home)}

    def prepare(self) -> None:
        """Make the key store, readable by its owner only."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)

    def secret_keys(self) -> list[Key]:
        """The secret keys."""
        if not self.home.is_dir():
            return []
        argv = [*_READING, "--no-auto-check-trustdb", "--with-colons", "--list-secret-keys"]
        return listed(run.output(argv, env=self.env), "sec")

    def fingerprints(self) -> list[str]:
        """Fingerprints of the secret keys."""
        return [key.fingerprint for key in self.secret_keys()]

    def create(self, name: str) -> str:
        """Make a key that signs, without an end and a passphrase; its fingerprint."""
        argv = ["gpg", "--batch", "--passphrase", "", "--quick-generate-key", name]
        run.output([*argv, "ed25519", "sign", "never"], env=self.env)
        return self.fingerprints()[-1]

    def take(self, path: Path, wanted: str) -> None:
        """Import a secret key that was exported elsewhere.

        Raises:
            ConfigError: The file has none, or it would not be known which key signs.
        """
        data = path.read_bytes()
        argv = ["gpg", "--batch", "--with-colons", "--show-keys"]
        brought = [
            key.fingerprint for key in listed(run.run(argv, env=self.env, stdin=data).stdout, "sec")
        ]
        if not brought:
            raise ConfigError(
                f"{path} has no secret key", "`gpg --export-secret-keys` writes one to a file"
            )
        others = sorted(set(self.fingerprints()) - set(brought))
        if others and not wanted:
            raise ConfigError(
                f"the key store has the key {', '.join(others)} already; {path} has "
                f"{', '.join(brought)}",
                "Set signing_key in the configuration to the one that is to sign",
            )
        run.output(["gpg", "--batch", "--import"], env=self.env, stdin=data)

    def chosen(self, wanted: str) -> str:
        """The fingerprint of the key to sign with.

        Raises:
            NotReady: There is none, it has expired, or there are several and none was chosen.
        """
        there = self.secret_keys()
        end = wanted.replace(" ", "").upper()
        found = [key for key in there if key.fingerprint.endswith(end)]
        if not there:
            raise NotReady(
                "there is no signing key",
                "`pextra-mirror init` makes one. If it was lost, `init --import-key FILE` takes "
                "the backup; nodes and sites trust no other until they are given it",
            )
        if len(found) != 1:
            raise NotReady(
                f"{len(found)} signing keys match {wanted!r}; there are "
                f"{', '.join(key.fingerprint for key in there)}",
                "Set signing_key to one fingerprint",
            )
        if found[0].fault:
            raise NotReady(
                f"the signing key {found[0].fingerprint} {found[0].fault}",
                f"`{self.extending(found[0].fingerprint)}` extends one that expired; then give "
                "nodes and sites what `pextra-mirror key` prints",
            )
        return found[0].fingerprint

    def extending(self, fingerprint: str) -> str:
        """The command that extends a key, by the user whose key store it is."""
        command = f"gpg --homedir {self.home} --quick-set-expire {fingerprint} 2y"
        owner = self.home.stat().st_uid
        with contextlib.suppress(KeyError):
            return f"runuser -u {self.home.owner()} -- {command}" if owner else command
        return command

    def public(self, fingerprint: str, *, armour: bool) -> bytes:
        """The public key, for clients."""
        argv = [*_READING, *(["--armor"] if armour else []), "--export", fingerprint]
        return run.output(argv, env=self.env)

    def sign(self, data: bytes, fingerprint: str, moment: int) -> bytes:
        """A detached signature, the same each time for the same moment (seconds since 1970)."""
        at = datetime.fromtimestamp(moment, UTC).strftime("%Y%m%dT%H%M%S")
        argv = ["gpg", "--batch", "--faked-system-time", f"{at}!", "--local-user", fingerprint]
        return run.output([*argv, "--detach-sign"], env=self.env, stdin=data)

    def sign_release(self, text: bytes, fingerprint: str) -> dict[str, bytes]:
        """A Release file and its signatures, by their names."""
        argv = ["gpg", "--batch", "--digest-algo", "SHA512", "--armor", "--local-user", fingerprint]
        kinds = {"InRelease": "--clearsign", "Release.gpg": "--detach-sign"}
        with interrupt.threads(len(kinds)) as pool:
            made = {
                name: pool.submit(run.output, [*argv, kind], env=self.env, stdin=text)
                for name, kind in kinds.items()
            }
            return {"Release": text, **{name: job.result() for name, job in made.items()}}


def warnings(path: Path) -> list[str]:
    """What is to be told of the ends of a keyring's keys."""
    done = run.run(["gpg", "--batch", "--with-colons", "--show-keys", str(path)])
    return [key.warning for key in listed(done.stdout, "pub") if key.warning]


def keyring(path: Path) -> bytes:
    """The keys of a file, armoured or not, as gpgv reads them.

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
    """The fingerprint of a key that signed the Release of a source.

    Without data, the signature is a clear-signed message that has it.

    Raises:
        SourceRefused: Nobody of the keyring, or of ``only``, did.
    """
    try:
        return check_signature(data, signature, keys, only)
    except BadSignature as error:
        hint = error.hint or "Is `keyring` the source's key? Nothing was changed"
        raise SourceRefused(f"source {name}: {error.message}", hint) from error


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
