# SPDX-License-Identifier: Apache-2.0
"""Makes licence keys as CockroachDB reads them: nothing in them is signed."""

from __future__ import annotations

import base64
import datetime as dt

TYPES = ("non_commercial", "enterprise", "evaluation", "free", "trial")
ENVIRONMENTS = ("unspecified", "production", "pre_production", "development")


def varint(value: int) -> bytes:
    """A number as protocol buffers write it."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def number(field: int, value: int) -> bytes:
    """A numeric field, which is left out where it is 0."""
    return varint(field << 3) + varint(value) if value else b""


def text(field: int, value: bytes) -> bytes:
    """A field of bytes, which is left out where it is empty."""
    return varint(field << 3 | 2) + varint(len(value)) + value if value else b""


def encoded(data: bytes) -> str:
    """A key around a protocol buffer."""
    return "crl-0-" + base64.b64encode(data).rstrip(b"=").decode()


def make_key(
    type: str,
    expiry: dt.datetime,
    organization: str = "",
    *,
    environment: str = "production",
    identity: bytes = b"0123456789abcdef",
) -> str:
    """A licence key."""
    return encoded(
        number(2, int(expiry.timestamp()))
        + number(3, TYPES.index(type))
        + text(4, organization.encode())
        + number(5, ENVIRONMENTS.index(environment))
        + text(6, identity)
        + text(7, identity)
    )
