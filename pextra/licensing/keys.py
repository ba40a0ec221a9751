# SPDX-License-Identifier: Apache-2.0
"""Ed25519 key pairs in PEM: the one place that touches the ``cryptography`` library.

Private keys are PKCS #8, public keys SubjectPublicKeyInfo (RFC 8410), as ``openssl genpkey
-algorithm ed25519`` and ``openssl pkey -pubout`` write them. The library is imported where it is
used: most runs check no licence.
"""

from __future__ import annotations

import hashlib
import types
from typing import TYPE_CHECKING

from pextra.licensing.errors import SigningKeyError
from pextra.model.errors import UnsupportedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

PUBLIC_KEY_SIZE = 32
SIGNATURE_SIZE = 64
KEY_ID_LENGTH = 32
_GENERATE_HINT = "Make a key pair with: pextra-license keygen"


def _serialization() -> types.ModuleType:
    """The library's PEM module.

    Raises:
        UnsupportedError: The library is not installed.
    """
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        raise UnsupportedError(
            "licence keys need the Python library cryptography, which is not installed",
            hint="Install it with: apt-get install python3-cryptography",
        ) from None
    return serialization


def key_id(public_key: bytes) -> str:
    """The name by which a licence refers to its signer.

    Args:
        public_key: The 32 raw bytes of the public key (RFC 8032).

    Returns:
        The first 32 hexadecimal digits of their SHA-256.
    """
    return hashlib.sha256(public_key).hexdigest()[:KEY_ID_LENGTH]


def generate_pair(passphrase: bytes | None = None) -> tuple[bytes, bytes]:
    """A new key pair.

    Args:
        passphrase: What to encrypt the private key with, if with anything.

    Returns:
        The private key in PEM and the 32 raw bytes of the public key.
    """
    serialization = _serialization()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    protection = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    private = Ed25519PrivateKey.generate()
    pem: bytes = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    )
    return pem, _raw(private.public_key())


def is_encrypted(private_pem: bytes) -> bool:
    """Whether the private key needs a passphrase."""
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in private_pem


def _load_private(pem: bytes, passphrase: bytes | None) -> Ed25519PrivateKey:
    serialization = _serialization()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if is_encrypted(pem) and not passphrase:
        raise SigningKeyError(
            "the private key is encrypted and no passphrase was given",
            hint="Give the passphrase that it was encrypted with",
        )
    try:
        key = serialization.load_pem_private_key(pem, passphrase if is_encrypted(pem) else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        reason = " or the passphrase is wrong" if is_encrypted(pem) else ""
        raise SigningKeyError(
            f"this is not a usable private key in PEM form{reason}", hint=_GENERATE_HINT
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyError("the private key is not of type Ed25519", hint=_GENERATE_HINT)
    return key


def public_key_of(private_pem: bytes, passphrase: bytes | None = None) -> bytes:
    """The 32 raw bytes of the public key that belongs to a private key.

    Raises:
        SigningKeyError: It is not an Ed25519 private key, or the passphrase is missing or wrong.
    """
    return _raw(_load_private(private_pem, passphrase).public_key())


def public_pem(public_key: bytes) -> bytes:
    """The PEM form of a raw public key."""
    serialization = _serialization()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    pem: bytes = Ed25519PublicKey.from_public_bytes(public_key).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem


def load_public_pem(pem: bytes) -> bytes:
    """The 32 raw bytes of the one Ed25519 public key in a PEM file.

    Raises:
        SigningKeyError: The file holds none, several, a private key, or another kind of key.
    """
    serialization = _serialization()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if b"PRIVATE KEY-----" in pem:
        raise SigningKeyError("it holds a private key, which belongs to the signer alone")
    if pem.count(b"-----BEGIN ") > 1:
        raise SigningKeyError("it holds more than one key, use one file for each")
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SigningKeyError("it is not a public key in PEM form") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SigningKeyError("the key is not of type Ed25519")
    return _raw(key)


def _raw(public_key: Ed25519PublicKey) -> bytes:
    serialization = _serialization()
    raw: bytes = public_key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return raw


def sign(private_pem: bytes, message: bytes, passphrase: bytes | None = None) -> bytes:
    """The 64-byte Ed25519 signature of a message.

    Raises:
        SigningKeyError: As `public_key_of`.
    """
    signature: bytes = _load_private(private_pem, passphrase).sign(message)
    return signature


def signature_matches(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature of the message was made with this key's private half."""
    _serialization()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
