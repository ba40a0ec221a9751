# SPDX-License-Identifier: Apache-2.0
"""Licence keys: ``PCE1.<payload>.<signature>``, described in docs/license-keys.md.

The payload is canonical JSON, the signature Ed25519 (RFC 8032) over a fixed prefix and the
payload. There is exactly one text for a licence and signature: whatever is not written the
canonical way is malformed. Nothing here reads a clock or a file.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pextra.licensing.errors import (
    LicenseError,
    LicenseExpiredError,
    LicenseMalformedError,
    LicenseNotYetValidError,
    LicenseSignatureError,
    LicenseSignerNotAllowedError,
    LicenseUnknownSignerError,
    LicenseVersionError,
)
from pextra.licensing.keys import (
    KEY_ID_LENGTH,
    SIGNATURE_SIZE,
    key_id,
    public_key_of,
    sign,
    signature_matches,
)
from pextra.licensing.trust import TrustedKey, TrustStore
from pextra.model.errors import InputError
from pextra.model.ids import is_id, new_id
from pextra.model.units import format_time

__all__ = [
    "Edition",
    "License",
    "LicenseError",
    "LicenseExpiredError",
    "LicenseMalformedError",
    "LicenseNotYetValidError",
    "LicenseSignatureError",
    "LicenseSignerNotAllowedError",
    "LicenseUnknownSignerError",
    "LicenseVersionError",
    "authenticate",
    "check_period",
    "days_left",
    "issue",
    "mask",
    "parse",
    "verify",
]

VERSION = 1
MAX_LENGTH = 4096
MAX_CUSTOMER = 200
EVALUATION_PERIOD = dt.timedelta(days=30)
# What is signed begins with this, so that no signature of the same key over something else can
# ever pass for a licence, nor a licence of one format version for one of another.
_DOMAIN = b"pextra-ce license v1\x00"
_VERSIONED = re.compile(r"PCE([0-9]{1,6})\..+", re.ASCII | re.DOTALL)
_TEXT = re.compile(r"PCE1\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)
_KEY_ID = re.compile(rf"[0-9a-f]{{{KEY_ID_LENGTH}}}", re.ASCII)
_FIELDS = frozenset(
    ("customer", "edition", "expires_at", "id", "issued_at", "not_before", "signer")
)
_COPY_HINT = "Copy the whole key again, from PCE1 to its last character"


class Edition(StrEnum):
    """What a licence entitles to, lowest first."""

    COMMUNITY = "community"
    EVALUATION = "evaluation"
    STANDARD = "standard"
    ENTERPRISE = "enterprise"

    @property
    def rank(self) -> int:
        """The place in the order, from 0 for the lowest."""
        return list(Edition).index(self)


@dataclass(frozen=True, slots=True)
class License:
    """What a licence key says.

    Valid from `not_before` (included) to `expires_at` (excluded); moments are UTC, in whole
    seconds. `signer` is the id of the public key that the licence names as its signer.
    """

    id: str
    customer: str
    edition: Edition
    issued_at: dt.datetime
    not_before: dt.datetime
    expires_at: dt.datetime
    signer: str


def _malformed(reason: str) -> LicenseMalformedError:
    return LicenseMalformedError(f"this is not a licence key: {reason}", hint=_COPY_HINT)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise _malformed("a part of it is not base64url") from None
    if _encode(data) != text:
        raise _malformed("a part of it is not canonical base64url")
    return data


def _moment(text: object) -> dt.datetime:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise _malformed("a time is not written as 2030-01-31T12:00:00Z")
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise _malformed("a time does not exist") from None


def _customer(value: object) -> str:
    """The customer's name if acceptable: what shows the same is the same, and fits on a line."""
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_CUSTOMER:
        raise InputError(f"the customer's name must have 1 to {MAX_CUSTOMER} characters")
    if not value.isprintable() or value != value.strip():
        raise InputError(
            "the customer's name has control characters or begins or ends with a space"
        )
    if unicodedata.normalize("NFC", value) != value:
        raise InputError("the customer's name is not in Unicode's composed form (NFC)")
    return value


def _payload(license: License) -> bytes:
    """Canonical JSON: names sorted, no spaces, UTF-8 without escapes where JSON allows."""
    fields = {
        "customer": license.customer,
        "edition": license.edition.value,
        "expires_at": format_time(license.expires_at),
        "id": license.id,
        "issued_at": format_time(license.issued_at),
        "not_before": format_time(license.not_before),
        "signer": license.signer,
    }
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def _license(fields: Mapping[str, object]) -> License:
    identity, signer = fields["id"], fields["signer"]
    if not isinstance(identity, str) or not is_id("lic", identity):
        raise _malformed("its id is not one of a licence")
    if not isinstance(signer, str) or not _KEY_ID.fullmatch(signer):
        raise _malformed("its signer is not a key id")
    try:
        customer, edition = _customer(fields["customer"]), Edition(str(fields["edition"]))
    except InputError as error:
        raise _malformed(error.message) from None
    except ValueError:
        raise _malformed("its edition is unknown") from None
    license = License(
        id=identity,
        customer=customer,
        edition=edition,
        issued_at=_moment(fields["issued_at"]),
        not_before=_moment(fields["not_before"]),
        expires_at=_moment(fields["expires_at"]),
        signer=signer,
    )
    if license.expires_at <= license.not_before:
        raise _malformed("it ends before it begins")
    return license


def _take_apart(key: str) -> tuple[License, bytes, bytes]:
    """The licence, its payload and its signature, nothing of it checked against a signer."""
    text = key.strip()
    if not text:
        raise _malformed("it is empty")
    if len(text) > MAX_LENGTH:
        raise _malformed(f"it is longer than {MAX_LENGTH} characters")
    versioned = _VERSIONED.fullmatch(text)
    if versioned is None:
        raise _malformed("it does not begin with PCE1")
    if versioned.group(1) != str(VERSION):
        raise LicenseVersionError(
            f"the licence key has format version {versioned.group(1)}, known is {VERSION}",
            hint="Upgrade this node, or ask for a key of the older format",
        )
    parts = _TEXT.fullmatch(text)
    if parts is None:
        raise _malformed("it does not have three parts of letters, digits, - and _ between dots")
    payload, signature = _decode(parts.group(1)), _decode(parts.group(2))
    if len(signature) != SIGNATURE_SIZE:
        raise _malformed(f"its signature has {len(signature)} bytes, not {SIGNATURE_SIZE}")
    try:
        fields = json.loads(payload.decode())
    except (ValueError, RecursionError):
        raise _malformed("its payload is not JSON") from None
    if not isinstance(fields, dict) or fields.keys() != _FIELDS:
        raise _malformed("its payload does not have the fields of a licence")
    license = _license(fields)
    if _payload(license) != payload:
        raise _malformed("its payload is not canonical JSON")
    return license, payload, signature


def parse(key: str) -> License:
    """What a key claims. **Unverified**: anybody can write such a text, see `verify`.

    Raises:
        LicenseMalformedError: It is not a licence key.
        LicenseVersionError: It is one of another format version.
    """
    return _take_apart(key)[0]


def authenticate(key: str, trusted: TrustStore) -> License:
    """The licence of a key that a trusted signer made, whether or not it is valid today.

    Raises:
        LicenseMalformedError: It is not a licence key.
        LicenseVersionError: It is one of another format version.
        LicenseUnknownSignerError: No trusted key has the signer's id.
        LicenseSignatureError: The signature does not match.
        LicenseSignerNotAllowedError: The signer may not grant this.
    """
    license, payload, signature = _take_apart(key)
    signer = trusted.find(license.signer)
    if signer is None:
        raise _unknown_signer(license, trusted)
    if not signature_matches(signer.public_key, signature, _DOMAIN + payload):
        raise LicenseSignatureError(
            "the licence key's signature does not match its contents",
            resource=f"licence {license.id}",
            hint="The key was changed or damaged. " + _COPY_HINT,
        )
    _check_entitled(license, signer)
    return license


def _unknown_signer(license: License, trusted: TrustStore) -> LicenseUnknownSignerError:
    place = f" in {trusted.directory}" if trusted.directory else ""
    unused = "; ".join(f"{name}: {reason}" for name, reason in trusted.rejected.items())
    return LicenseUnknownSignerError(
        f"the licence key was signed with key {license.signer}, which is not among the"
        f" {len(trusted.keys)} trusted keys{place}" + (f" (not used: {unused})" if unused else ""),
        resource=f"licence {license.id}",
        hint="Put the signer's public key there as a .pem file if you trust it",
    )


def _check_entitled(license: License, signer: TrustedKey) -> None:
    if not signer.evaluation_only:
        return
    period = license.expires_at - license.not_before
    if license.edition is Edition.EVALUATION and period <= EVALUATION_PERIOD:
        return
    raise LicenseSignerNotAllowedError(
        f"a node's own key may sign evaluation licences of {EVALUATION_PERIOD.days} days, not"
        f" one of edition {license.edition.value} for {period / dt.timedelta(days=1):g} days",
        resource=f"licence {license.id}",
        hint="Set a key from whoever you have the licence of",
    )


def check_period(license: License, now: dt.datetime) -> None:
    """Refuse a licence outside its validity.

    Raises:
        LicenseNotYetValidError: `now` is before `not_before`.
        LicenseExpiredError: `now` is at or after `expires_at`.
    """
    if now < license.not_before:
        raise LicenseNotYetValidError(
            f"the licence is valid from {format_time(license.not_before)}"
            f", it is {format_time(now)} now",
            resource=f"licence {license.id}",
            hint="Check this node's clock, or wait",
        )
    if now >= license.expires_at:
        raise LicenseExpiredError(
            f"the licence expired at {format_time(license.expires_at)}"
            f", it is {format_time(now)} now",
            resource=f"licence {license.id}",
            hint="Set a new licence key",
        )


def verify(key: str, trusted: TrustStore, now: dt.datetime) -> License:
    """The licence of a key that a trusted signer made and that is valid now.

    Args:
        key: The key's text; white space around it does not matter.
        trusted: The signers to accept.
        now: A moment with a time zone.

    Raises:
        LicenseError: As `authenticate` and `check_period`, in this order.
    """
    license = authenticate(key, trusted)
    check_period(license, now)
    return license


def issue(
    private_key_pem: bytes,
    customer: str,
    edition: Edition | str,
    not_before: dt.datetime,
    expires_at: dt.datetime,
    *,
    issued_at: dt.datetime | None = None,
    passphrase: bytes | None = None,
) -> str:
    """Make a licence key.

    Args:
        private_key_pem: The signer's Ed25519 private key (PKCS #8).
        customer: Whom it is for, 1 to 200 printable characters.
        edition: What it entitles to.
        not_before: First moment of validity, with a time zone; fractions of seconds are dropped.
        expires_at: First moment after it.
        issued_at: When it was made; `not_before` unless given.
        passphrase: Of an encrypted private key.

    Raises:
        InputError: Customer, edition or times are not acceptable.
        SigningKeyError: The private key cannot be used.
    """
    try:
        chosen = Edition(edition)
    except ValueError:
        names = ", ".join(item.value for item in Edition)
        raise InputError(f"{edition!r} is not an edition", hint=f"Use one of: {names}") from None
    moments = [
        _whole_second(moment) for moment in (issued_at or not_before, not_before, expires_at)
    ]
    if moments[2] <= moments[1]:
        raise InputError("the licence would end before it begins")
    license = License(
        id=new_id("lic"),
        customer=_customer(unicodedata.normalize("NFC", customer)),
        edition=chosen,
        issued_at=moments[0],
        not_before=moments[1],
        expires_at=moments[2],
        signer=key_id(public_key_of(private_key_pem, passphrase)),
    )
    payload = _payload(license)
    signature = sign(private_key_pem, _DOMAIN + payload, passphrase)
    return f"PCE{VERSION}.{_encode(payload)}.{_encode(signature)}"


def _whole_second(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise InputError(f"the time {moment.isoformat()} has no time zone")
    return moment.astimezone(dt.UTC).replace(microsecond=0)


def mask(key: str) -> str:
    """A key for display: its prefix and last 4 characters; of other text, nothing."""
    text = key.strip()
    versioned = _VERSIONED.fullmatch(text)
    if versioned is None or len(text) < 40:
        return "****"
    return f"PCE{versioned.group(1)}.****{text[-4:]}"


def days_left(license: License, now: dt.datetime) -> int:
    """Days until the licence ends, a begun day counts as one; 0 when it has ended."""
    return max(0, -((now - license.expires_at) // dt.timedelta(days=1)))
