# SPDX-License-Identifier: Apache-2.0
"""Password hashes: argon2id in the PHC string format, and nothing else.

Sources: RFC 9106; the PHC string format specification; the OWASP Password Storage Cheat Sheet for
the least parameters. The library (Debian: python3-argon2) is imported where it is used.
"""

from __future__ import annotations

import base64
import binascii
import re
import types

from pextra.model.errors import InputError, UnsupportedError

MAX_PASSWORD = 4096
# What a new hash is made with: OWASP's first choice. It takes 40 ms and 19 MiB, which a bulk import
# of users and their comparison on every run can bear.
TIME_COST, MEMORY_COST, PARALLELISM = 2, 19_456, 1
SALT_SIZE, HASH_SIZE = 16, 32
# OWASP's equally strong pairs of least memory (KiB) and passes.
_LEAST = ((47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5))
# A hash that somebody gives us must not take the machine's memory or minutes to check.
_MOST_MEMORY, _MOST_PASSES, _MOST_LANES = 1 << 20, 64, 64
_PHC = re.compile(
    r"\$argon2id\$v=19\$m=([1-9][0-9]{0,9}),t=([1-9][0-9]{0,9}),p=([1-9][0-9]{0,9})"
    r"\$([A-Za-z0-9+/]{1,128})\$([A-Za-z0-9+/]{1,128})",
    re.ASCII,
)


def hash_password(password: str) -> str:
    """The hash of a password, such as ``$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>``.

    Raises:
        InputError: The password is empty, too long, or has no UTF-8 form.
        UnsupportedError: The library is not installed.
    """
    hashed: str = (
        _argon2()
        .PasswordHasher(
            time_cost=TIME_COST,
            memory_cost=MEMORY_COST,
            parallelism=PARALLELISM,
            hash_len=HASH_SIZE,
            salt_len=SALT_SIZE,
        )
        .hash(_encoded(password))
    )
    return hashed


def verify_password(hashed: str, password: str) -> bool:
    """Whether the hash is of this password; never true of a hash that `is_argon2_hash` refuses.

    Raises:
        UnsupportedError: The library is not installed.
    """
    if not is_argon2_hash(hashed):
        return False
    argon2 = _argon2()
    try:
        matches: bool = argon2.PasswordHasher().verify(hashed, _encoded(password))
    except (InputError, argon2.exceptions.VerificationError, argon2.exceptions.InvalidHash):
        return False
    return matches


def is_argon2_hash(text: str) -> bool:
    """Whether this is a PHC string of argon2id, version 19, that is strong enough and bounded.

    Strong enough: at least one of OWASP's pairs of memory and passes, 8 bytes of salt, 16 of hash.
    Bounded: at most 1 GiB, 64 passes, 64 lanes, 64 bytes of salt and of hash.
    """
    match = _PHC.fullmatch(text)
    if match is None:
        return False
    memory, passes, lanes = (int(match.group(place)) for place in (1, 2, 3))
    salt, digest = _decoded(match.group(4)), _decoded(match.group(5))
    return (
        any(memory >= least and passes >= count for least, count in _LEAST)
        and 8 * lanes <= memory <= _MOST_MEMORY
        and passes <= _MOST_PASSES
        and lanes <= _MOST_LANES
        and 8 <= len(salt) <= 64
        and 16 <= len(digest) <= 64
    )


def _decoded(text: str) -> bytes:
    """The bytes of canonical base64 without padding; empty if it is not that."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return b""
    return data if base64.b64encode(data).rstrip(b"=") == text.encode() else b""


def _encoded(password: str) -> bytes:
    try:
        data = password.encode()
    except UnicodeEncodeError:
        raise InputError("the password has characters that are not Unicode text") from None
    if not 1 <= len(data) <= MAX_PASSWORD:
        raise InputError(f"the password must have 1 to {MAX_PASSWORD} bytes")
    return data


def _argon2() -> types.ModuleType:
    try:
        import argon2
        import argon2.exceptions
    except ImportError:
        raise UnsupportedError(
            "passwords need the Python library argon2, which is not installed",
            hint="Install it with: apt-get install python3-argon2",
        ) from None
    library: types.ModuleType = argon2
    return library
