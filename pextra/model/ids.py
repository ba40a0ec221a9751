# SPDX-License-Identifier: Apache-2.0
"""Identifiers of resources: a prefix of the kind, then 21 characters of ``A-Za-z0-9_-``.

Source: the platform's user guide, notes on identifiers of each chapter.
"""

from __future__ import annotations

import functools
import re
import secrets
import uuid

LENGTH = 21
_NAMESPACE = uuid.UUID("8c2a7d0e-5f0b-5d0c-9c53-5b0e3f5d9a11")
_BODY = re.compile(rf"[A-Za-z0-9_-]{{{LENGTH}}}", re.ASCII)


def new_id(prefix: str) -> str:
    """A fresh identifier, such as ``org-CIgLySkaAVeQ5kSLOodD3``, from the system's CSPRNG."""
    # Base64 for URLs has the same alphabet; 16 bytes are 22 of its characters.
    return f"{prefix}-{secrets.token_urlsafe(16)[:LENGTH]}"


def is_id(prefix: str, text: str) -> bool:
    """Whether ``text`` has the shape of an identifier with this prefix."""
    head, separator, body = text.partition("-")
    return head == prefix and separator == "-" and _BODY.fullmatch(body) is not None


@functools.lru_cache(4096)
def uuid_of(*parts: str) -> str:
    """The UUID of a resource's libvirt object: stable, and the mark that it is ours."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def mac_of(*parts: str) -> str:
    """A stable MAC address for a network device, in QEMU's range 52:54:00."""
    digest = uuid.uuid5(_NAMESPACE, "/".join(("mac", *parts))).bytes
    return ":".join(("52", "54", "00", *(f"{byte:02x}" for byte in digest[:3])))
