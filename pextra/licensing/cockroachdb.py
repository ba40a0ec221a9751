# SPDX-License-Identifier: Apache-2.0
"""CockroachDB's licence keys: ``crl-0-`` and a protocol buffer in base64 without padding.

Only CockroachDB's vendor makes such keys, and nothing in them is signed: what is read here is
what CockroachDB itself would read, so that a wrong key is refused before it is sent. Fields as in
CockroachDB's ``license.proto``; when a cluster is throttled as its page "Licensing FAQs" says.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pextra.licensing.errors import LicenseExpiredError, LicenseMalformedError
from pextra.model.units import format_time

PREFIX = "crl-0-"
MAX_LENGTH = 4096
GRACE_WITHOUT_LICENSE = dt.timedelta(days=7)
"""How long a new cluster works without any licence."""
_DAY = dt.timedelta(days=1)
_TEXT = re.compile(r"crl-0-[A-Za-z0-9+/]+", re.ASCII)
_MAX_SECONDS = 253_402_300_799  # the last second of the year 9999, as far as datetime reaches
_HINT = "Copy the whole key again from cockroachlabs.cloud, from crl-0- to its last character"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VALID_UNTIL, _TYPE, _ORGANIZATION, _ENVIRONMENT = 2, 3, 4, 5


class Type(StrEnum):
    """What kind of licence it is, in the order of the protocol's numbers."""

    NON_COMMERCIAL = "non_commercial"
    ENTERPRISE = "enterprise"
    EVALUATION = "evaluation"
    FREE = "free"
    TRIAL = "trial"
    OTHER = "other"
    """A number that this program does not know."""

    @property
    def grace(self) -> dt.timedelta | None:
        """How long a cluster works on after the licence has ended; None is for ever."""
        days = {Type.EVALUATION: 30, Type.FREE: 30, Type.TRIAL: 7}.get(self)
        return None if days is None else days * _DAY

    @property
    def needs_telemetry(self) -> bool:
        """Whether the cluster is throttled after seven days without sending telemetry."""
        return self in (Type.FREE, Type.TRIAL)


ENVIRONMENTS = ("unspecified", "production", "pre_production", "development")


@dataclass(frozen=True, slots=True)
class CockroachLicense:
    """What a key says; `expiry` is in UTC, `organization` is empty where it names none."""

    type: Type
    organization: str
    environment: str
    expiry: dt.datetime

    @property
    def throttled_from(self) -> dt.datetime | None:
        """When CockroachDB begins to throttle under this licence; None is never."""
        grace = self.type.grace
        return None if grace is None else self.expiry + grace


def _malformed(reason: str) -> LicenseMalformedError:
    return LicenseMalformedError(f"this is not a CockroachDB licence key: {reason}", hint=_HINT)


def parse(key: str) -> CockroachLicense:
    """What a key says; white space around it does not matter.

    Raises:
        LicenseMalformedError: It is not a licence key of CockroachDB.
    """
    text = key.strip()
    if not text:
        raise _malformed("it is empty")
    if len(text) > MAX_LENGTH:
        raise _malformed(f"it is longer than {MAX_LENGTH} characters")
    if not text.startswith(PREFIX):
        raise _malformed(f"it does not begin with {PREFIX}")
    if not _TEXT.fullmatch(text):
        raise _malformed(f"what follows {PREFIX} is not base64 without padding")
    body = text.removeprefix(PREFIX)
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise _malformed(f"what follows {PREFIX} is not base64 without padding") from None
    return _license(data)


def _license(data: bytes) -> CockroachLicense:
    numbers: dict[int, int] = {}
    texts: dict[int, bytes] = {}
    for field, value in _fields(data):
        if isinstance(value, int):
            numbers[field] = value
        else:
            texts[field] = value
    seconds, type_number = numbers.get(_VALID_UNTIL, 0), numbers.get(_TYPE, 0)
    if not 0 < seconds <= _MAX_SECONDS:
        raise _malformed("it does not say when it ends")
    types, environment = list(Type), numbers.get(_ENVIRONMENT, 0)
    try:
        organization = texts.get(_ORGANIZATION, b"").decode()
    except UnicodeDecodeError:
        raise _malformed("its organization's name is not UTF-8") from None
    return CockroachLicense(
        type=types[min(type_number, len(types) - 1)],
        organization=organization,
        environment=ENVIRONMENTS[environment] if environment < len(ENVIRONMENTS) else "other",
        expiry=dt.datetime.fromtimestamp(seconds, dt.UTC),
    )


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Fields by number (https://protobuf.dev/programming-guides/encoding/)."""
    sizes = {_FIXED64: 8, _FIXED32: 4}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        field, wire = tag >> 3, tag & 7
        if field == 0:
            raise _malformed("it has a field without a number")
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield field, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in sizes:
            size = sizes[wire]
        else:
            raise _malformed("it is no protocol buffer")
        if at + size > len(data):
            raise _malformed("its end is missing")
        yield field, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(10):
        if at + count >= len(data):
            raise _malformed("its end is missing")
        byte = data[at + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, at + count + 1
    raise _malformed("it is no protocol buffer")


def check_expiry(license: CockroachLicense, now: dt.datetime) -> None:
    """Refuse a licence that has ended.

    Raises:
        LicenseExpiredError: It has.
    """
    if now >= license.expiry:
        raise LicenseExpiredError(
            f"the CockroachDB licence expired at {format_time(license.expiry)}"
            f", it is {format_time(now)} now",
            hint="Get a new key from cockroachlabs.cloud",
        )


def mask(key: str) -> str:
    """A key for display: its prefix and last 4 characters; of other text, nothing."""
    text = key.strip()
    if not text.startswith(PREFIX) or len(text) < 24:
        return "****"
    return f"{PREFIX}****{text[-4:]}"


def days_until(moment: dt.datetime, now: dt.datetime) -> int:
    """Days until a moment, where a day that has begun counts; 0 when it has passed."""
    return max(0, -((now - moment) // _DAY))
