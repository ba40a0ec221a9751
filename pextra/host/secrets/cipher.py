# SPDX-License-Identifier: Apache-2.0
"""Encrypting one value with one key: AES-256-GCM (NIST SP 800-38D), and marks to compare by.

A key's file has 32 random bytes. Of these, HMAC-SHA256 makes one key for each purpose. What a
value is of (kind, row, field), its key's id and its mark are associated data, so a value that was
copied to another place does not open. The nonce has 96 random bits: of one key, 2**32 values are
safe (section 8.3 there).

A mark is 128 bits of an HMAC of the value and its place. Whoever has the key tells by it, without
decrypting and without loading a library, whether a given value is the one that is stored.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pextra.model.encrypted import Encrypted, Place, Token, token_of, value_of
from pextra.model.errors import SecretError
from pextra.model.values import Value

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SIZE = 32
"""Bytes of a key."""
_NONCE = 12
_MARK = 16


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the cluster.

    Attributes:
        id: Its version, and the beginning of its fingerprint, such as ``1-9f3c2a7b``.
        secret: The 32 bytes.
    """

    id: str
    secret: bytes = field(repr=False)

    @property
    def version(self) -> int:
        """Its version, from 1."""
        return int(self.id.partition("-")[0])


def id_of(version: int, secret: bytes) -> str:
    """The id of a key; it tells nothing of the key that could be used."""
    return f"{version}-{_derived(secret, 'fingerprint').hex()[:8]}"


def encrypt(key: Key, place: Place, value: Value) -> Encrypted:
    """The value, encrypted for one place."""
    mark, nonce = mark_of(key, place, value), os.urandom(_NONCE)
    data = _cipher(key).encrypt(nonce, _bytes(value), _bound(key.id, place, mark))
    return value_of(Token(key.id, mark, base64.urlsafe_b64encode(nonce + data).decode()))


def open_(key: Key, place: Place, value: Encrypted) -> Value:
    """The value that was encrypted.

    Raises:
        SecretError: It was encrypted for another place, with another key, or was changed.
    """
    from cryptography.exceptions import InvalidTag

    token = token_of(value)
    try:
        if token is None:
            raise ValueError
        data = base64.urlsafe_b64decode(token.data)
        bound = _bound(token.key, place, token.mark)
        opened: Value = json.loads(_cipher(key).decrypt(data[:_NONCE], data[_NONCE:], bound))
    except (InvalidTag, ValueError):
        raise SecretError(
            f"its {place.field} is encrypted, and does not open: it was changed in the database, or"
            " copied there from another resource",
            resource=place.resource,
            hint="Set it again, or restore the database",
        ) from None
    return opened


def mark_of(key: Key, place: Place, value: Value) -> str:
    """What this key makes of a value in a place, and of no other."""
    data = _bound(key.id, place, "") + b"\0" + _bytes(value)
    made = hmac.digest(_derived(key.secret, "mark"), data, "sha256")[:_MARK]
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def hidden(key: Key, name: bytes, context: str) -> bytes:
    """A short name, or one that was hidden, exclusive or with what the key makes of a context.

    The context must be another one for each name. It has up to 32 bytes.
    """
    pad = hmac.digest(_derived(key.secret, "name"), context.encode(), "sha256")
    return bytes(one ^ other for one, other in zip(name, pad, strict=False))


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, f"pextra-ce/secrets/{purpose}".encode(), hashlib.sha256)


@functools.lru_cache(8)
def _cipher(key: Key) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(_derived(key.secret, "encrypt"))


def _bytes(value: Value) -> bytes:
    return json.dumps(value).encode()


def _bound(key: str, place: Place, mark: str) -> bytes:
    return json.dumps(["pextra-ce", 1, key, place.kind, place.id, *place.path, mark]).encode()
