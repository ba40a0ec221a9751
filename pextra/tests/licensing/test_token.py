# SPDX-License-Identifier: Apache-2.0
"""Licence keys: the format, every reason to refuse one, and what is shown of them."""

from __future__ import annotations

import base64
import datetime as dt
import json
import sys
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.licensing import keys
from pextra.licensing.errors import SigningKeyError
from pextra.licensing.token import (
    Edition,
    LicenseError,
    LicenseExpiredError,
    LicenseMalformedError,
    LicenseNotYetValidError,
    LicenseSignatureError,
    LicenseSignerNotAllowedError,
    LicenseUnknownSignerError,
    LicenseVersionError,
    days_left,
    issue,
    mask,
    parse,
    verify,
)
from pextra.licensing.trust import TrustStore
from pextra.model.errors import InputError, UnsupportedError

from .conftest import Signer

MakeKey = Callable[..., str]
DAY = dt.timedelta(days=1)
NAMES = st.text(min_size=1, max_size=200).filter(
    lambda text: (
        text.isprintable()
        and text == text.strip()
        and len(unicodedata.normalize("NFC", text)) <= 200
    )
)
MOMENTS = st.datetimes(
    min_value=dt.datetime(1970, 1, 2),  # noqa: DTZ001 - the strategy adds the zone
    max_value=dt.datetime(9800, 12, 30),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def fields_of(key: str) -> dict[str, object]:
    fields: dict[str, object] = json.loads(decode(key.split(".")[1]))
    return fields


def canonical(fields: object) -> bytes:
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def signed(signer: Signer, payload: bytes) -> str:
    """A key of any payload with a right signature, to reach the checks behind the signature."""
    signature = keys.sign(signer.private_pem, b"pextra-ce license v1\x00" + payload)
    return f"PCE1.{encode(payload)}.{encode(signature)}"


@given(
    customer=NAMES,
    edition=st.sampled_from(Edition),
    begin=MOMENTS,
    period=st.timedeltas(min_value=dt.timedelta(seconds=1), max_value=dt.timedelta(days=36500)),
)
def test_an_issued_key_says_what_was_issued(
    seller: Signer, customer: str, edition: Edition, begin: dt.datetime, period: dt.timedelta
) -> None:
    begin = begin.replace(microsecond=0)
    end = (begin + period).replace(microsecond=0)
    key = issue(seller.private_pem, customer, edition, begin, end)
    license = verify(key, seller.trusted, begin)
    assert license == parse(key)
    assert license.customer == unicodedata.normalize("NFC", customer)
    assert (license.edition, license.not_before, license.expires_at) == (edition, begin, end)
    assert license.signer == seller.id


@given(data=st.data())
def test_changing_any_byte_makes_the_key_invalid(
    seller: Signer, make_key: MakeKey, now: dt.datetime, data: st.DataObject
) -> None:
    key = make_key()
    position = data.draw(st.integers(0, len(key) - 1))
    other = data.draw(st.characters(max_codepoint=0x2FF).filter(lambda c: c != key[position]))
    tampered = key[:position] + other + key[position + 1 :]
    with pytest.raises(LicenseError):
        verify(tampered, seller.trusted, now)


@given(data=st.data())
def test_dropping_or_adding_a_byte_makes_the_key_invalid(
    seller: Signer, make_key: MakeKey, now: dt.datetime, data: st.DataObject
) -> None:
    key = make_key()
    position = data.draw(st.integers(0, len(key) - 1))
    added = data.draw(st.sampled_from("AQgw-_.=0 \n"))
    with pytest.raises(LicenseError):
        verify(key[:position] + key[position + 1 :], seller.trusted, now)
    if added.strip() or position:
        with pytest.raises(LicenseError):
            verify(key[:position] + added + key[position:], seller.trusted, now)


def test_every_bit_of_payload_and_signature_counts(
    seller: Signer, make_key: MakeKey, now: dt.datetime
) -> None:
    prefix, payload, signature = make_key().split(".")
    for part in (0, 1):
        raw = decode((payload, signature)[part])
        for bit in range(len(raw) * 8):
            flipped = bytearray(raw)
            flipped[bit // 8] ^= 1 << bit % 8
            parts = [payload, signature]
            parts[part] = encode(bytes(flipped))
            with pytest.raises(LicenseError):
                verify(".".join((prefix, *parts)), seller.trusted, now)


@given(text=st.one_of(st.text(max_size=300), st.text(max_size=300).map("PCE1.".__add__)))
def test_any_text_is_a_key_or_a_named_error(text: str) -> None:
    with pytest.raises((LicenseMalformedError, LicenseVersionError)):
        parse(text)


@given(
    payload=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=10,
    )
)
def test_any_signed_json_that_is_no_licence_is_malformed(seller: Signer, payload: object) -> None:
    encoded = json.dumps(payload).encode()
    with pytest.raises(LicenseMalformedError):
        parse(signed(seller, encoded))


@pytest.mark.parametrize(
    "change",
    [
        {"customer": ""},
        {"customer": "a\nb"},
        {"customer": " a"},
        {"customer": "e\u0301"},
        {"customer": "\u202egro"},
        {"customer": "x" * 201},
        {"customer": 7},
        {"edition": "ultimate"},
        {"edition": []},
        {"edition": None},
        {"id": "lic-short"},
        {"id": "org-CIgLySkaAVeQ5kSLOodD3"},
        {"id": 1},
        {"signer": "F" * 32},
        {"signer": "0" * 31},
        {"signer": {}},
        {"expires_at": "2031-01-01"},
        {"expires_at": "2031-02-30T00:00:00Z"},
        {"expires_at": "2031-01-01T00:00:00+00:00"},
        {"expires_at": "٢٠٣١-01-01T00:00:00Z"},
        {"expires_at": "2029-01-01T00:00:00Z"},
        {"expires_at": "2030-01-15T12:00:00Z"},
        {"expires_at": 1893456000},
        {"features": ["ALL"]},
    ],
)
def test_a_signed_key_with_an_unacceptable_field_is_malformed(
    seller: Signer, make_key: MakeKey, change: dict[str, object]
) -> None:
    with pytest.raises(LicenseMalformedError):
        parse(signed(seller, canonical(fields_of(make_key()) | change)))


def test_a_signed_key_that_lacks_a_field_is_malformed(seller: Signer, make_key: MakeKey) -> None:
    fields = fields_of(make_key())
    for name in fields:
        rest = {key: value for key, value in fields.items() if key != name}
        with pytest.raises(LicenseMalformedError):
            parse(signed(seller, canonical(rest)))


def test_only_the_canonical_text_of_a_payload_is_accepted(
    seller: Signer, make_key: MakeKey
) -> None:
    fields = fields_of(make_key(customer="Zürich"))
    good = canonical(fields)
    assert parse(signed(seller, good)).customer == "Zürich"
    double = good.replace(b'{"customer"', b'{"edition":"enterprise","customer"')
    for payload in (
        json.dumps(fields, ensure_ascii=False, sort_keys=True).encode(),
        json.dumps(fields, sort_keys=True, separators=(",", ":")).encode(),
        canonical(fields)[:-1] + b" }",
        json.dumps(dict(reversed(fields.items())), separators=(",", ":")).encode(),
        double,
        b"\xef\xbb\xbf" + good,
        good.replace("ü".encode(), b"\xff"),
        b"[" * 2500,
        b"NaN",
    ):
        with pytest.raises(LicenseMalformedError):
            parse(signed(seller, payload))


def test_unused_bits_of_base64_cannot_be_used_for_another_text(make_key: MakeKey) -> None:
    key = make_key()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(key[-1])
    assert decode(key.split(".")[2]) == decode((key[:-1] + alphabet[last + 1]).split(".")[2])
    with pytest.raises(LicenseMalformedError, match="canonical"):
        parse(key[:-1] + alphabet[last + 1])


@pytest.mark.parametrize(
    "text",
    ["", "  \n", "hello", "PCE1", "PCE1.", "PCE1..", "PCE1.a.b", "PCE1.a.b.c", "pce1.e30.e30",
     "PCE.e30.e30", "PCE1.e30=.e30", "PCE1.e+0.e30", "PCE1.e30.e30", "PCE1." + "A" * 5000 + ".AA"],
)  # fmt: skip
def test_a_malformed_key_is_refused_by_name(seller: Signer, now: dt.datetime, text: str) -> None:
    with pytest.raises(LicenseMalformedError) as caught:
        verify(text, seller.trusted, now)
    assert caught.value.code == "license_malformed"


def test_another_format_version_is_refused_by_name(
    seller: Signer, make_key: MakeKey, now: dt.datetime
) -> None:
    with pytest.raises(LicenseVersionError, match="version 2, known is 1") as caught:
        verify(make_key().replace("PCE1.", "PCE2.", 1), seller.trusted, now)
    assert caught.value.code == "license_unsupported_version"


def test_an_unknown_signer_is_refused_by_name(
    seller: Signer, stranger: Signer, make_key: MakeKey, now: dt.datetime
) -> None:
    for trusted in (stranger.trusted, TrustStore({})):
        with pytest.raises(LicenseUnknownSignerError, match=seller.id) as caught:
            verify(make_key(), trusted, now)
        assert caught.value.code == "license_unknown_signer"


def test_a_key_signed_by_another_than_it_names_is_refused_by_name(
    seller: Signer, stranger: Signer, make_key: MakeKey, now: dt.datetime
) -> None:
    forged = signed(stranger, decode(make_key().split(".")[1]))
    with pytest.raises(LicenseSignatureError) as caught:
        verify(forged, seller.trusted, now)
    assert caught.value.code == "license_bad_signature"


def test_a_signature_over_the_bare_payload_does_not_count(
    seller: Signer, make_key: MakeKey, now: dt.datetime
) -> None:
    payload = decode(make_key().split(".")[1])
    bare = f"PCE1.{encode(payload)}.{encode(keys.sign(seller.private_pem, payload))}"
    with pytest.raises(LicenseSignatureError):
        verify(bare, seller.trusted, now)


def test_the_signature_is_judged_before_the_dates(
    seller: Signer, make_key: MakeKey, now: dt.datetime
) -> None:
    key = make_key()
    later = signed(seller, canonical(fields_of(key) | {"expires_at": "2099-01-01T00:00:00Z"}))
    extended = ".".join((*later.split(".")[:2], key.split(".")[2]))
    with pytest.raises(LicenseSignatureError):
        verify(extended, seller.trusted, now + 400 * DAY)


def test_validity_includes_its_first_second_and_excludes_its_end(
    seller: Signer, make_key: MakeKey, now: dt.datetime
) -> None:
    key, second = make_key(days=10), dt.timedelta(seconds=1)
    with pytest.raises(LicenseNotYetValidError) as early:
        verify(key, seller.trusted, now - second)
    assert early.value.code == "license_not_yet_valid"
    assert verify(key, seller.trusted, now).edition is Edition.STANDARD
    assert verify(key, seller.trusted, now + 10 * DAY - second)
    with pytest.raises(LicenseExpiredError, match="2030-01-25T12:00:00Z") as late:
        verify(key, seller.trusted, now + 10 * DAY)
    assert late.value.code == "license_expired"


def test_white_space_around_a_key_does_not_matter(
    seller: Signer, make_key: MakeKey, now: dt.datetime
) -> None:
    assert verify(f"\n {make_key()} \r\n", seller.trusted, now)


@pytest.mark.parametrize("edition", ["community", "standard", "enterprise"])
def test_a_local_key_cannot_sign_a_real_licence(
    local: Signer, make_key: MakeKey, now: dt.datetime, edition: str
) -> None:
    key = make_key(signer=local, edition=edition, days=30)
    with pytest.raises(LicenseSignerNotAllowedError, match=edition) as caught:
        verify(key, local.trusted, now)
    assert caught.value.code == "license_signer_not_allowed"


def test_a_local_key_cannot_sign_for_longer_than_30_days(
    local: Signer, make_key: MakeKey, now: dt.datetime
) -> None:
    assert verify(make_key(signer=local, edition="evaluation", days=30), local.trusted, now)
    with pytest.raises(LicenseSignerNotAllowedError):
        verify(make_key(signer=local, edition="evaluation", days=30.001), local.trusted, now)


def test_a_seller_may_sign_a_longer_evaluation(
    seller: Signer, make_key: MakeKey, now: dt.datetime
) -> None:
    assert verify(make_key(edition="evaluation", days=90), seller.trusted, now)


@pytest.mark.parametrize(
    ("customer", "edition", "days"),
    [("", "standard", 1), ("a\x00", "standard", 1), ("x" * 201, "standard", 1),
     ("\ud800", "standard", 1), ("a", "Standard", 1), ("a", "standard", 0), ("a", "standard", -1)],
)  # fmt: skip
def test_what_would_not_verify_is_not_issued(
    make_key: MakeKey, customer: str, edition: str, days: int
) -> None:
    with pytest.raises(InputError):
        make_key(customer=customer, edition=edition, days=days)


def test_a_time_without_zone_is_not_issued(seller: Signer) -> None:
    begin = dt.datetime(2030, 1, 1)  # noqa: DTZ001
    with pytest.raises(InputError, match="time zone"):
        issue(seller.private_pem, "a", "standard", begin, begin + DAY)


def test_an_unusable_signing_key_is_refused_by_name(seller: Signer, now: dt.datetime) -> None:
    encrypted = keys.generate_pair(b"secret words")[0]
    for pem, passphrase in ((b"x", None), (seller.public_pem, None), (encrypted, None),
                            (encrypted, b"other")):  # fmt: skip
        with pytest.raises(SigningKeyError) as caught:
            issue(pem, "a", "standard", now, now + DAY, passphrase=passphrase)
        assert "secret words" not in str(caught.value)
    assert issue(encrypted, "a", "standard", now, now + DAY, passphrase=b"secret words")


def test_no_error_shows_the_key(seller: Signer, stranger: Signer, make_key: MakeKey) -> None:
    key = make_key()
    payload, signature = key.split(".")[1:]
    for text, trusted in (
        (key, stranger.trusted),
        (key, seller.trusted),
        (key + "A", seller.trusted),
    ):
        with pytest.raises(LicenseError) as caught:
            verify(text, trusted, dt.datetime(2050, 1, 1, tzinfo=dt.UTC))
        assert payload not in repr(caught.value.as_dict())
        assert signature not in repr(caught.value.as_dict())


def test_a_masked_key_keeps_its_prefix_and_last_four_characters(make_key: MakeKey) -> None:
    key = make_key()
    assert mask(key) == mask(f" {key}\n") == f"PCE1.****{key[-4:]}"
    assert mask("PCE1.a.b") == mask("my password") == mask("") == "****"


def test_days_left_counts_a_begun_day_and_never_goes_below_zero(
    make_key: MakeKey, now: dt.datetime
) -> None:
    license, hour = parse(make_key(days=30)), dt.timedelta(hours=1)
    assert days_left(license, now) == 30
    assert days_left(license, now + hour) == 30
    assert days_left(license, now + 29 * DAY + 23 * hour) == 1
    assert days_left(license, now + 30 * DAY) == 0
    assert days_left(license, now + 300 * DAY) == 0


def test_editions_are_ordered_from_community_to_enterprise() -> None:
    ordered = sorted(Edition, key=lambda edition: edition.rank)
    assert [edition.value for edition in ordered] == [
        "community", "evaluation", "standard", "enterprise",
    ]  # fmt: skip


def test_a_private_key_of_another_type_is_refused(now: dt.datetime) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(SigningKeyError, match="not of type Ed25519"):
        issue(pem, "a", "standard", now, now + DAY)


def test_a_missing_library_is_named(
    seller: Signer, make_key: MakeKey, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, trusted = make_key(), seller.trusted
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    assert parse(key).customer == "Example"
    with pytest.raises(UnsupportedError, match="apt-get install python3-cryptography"):
        verify(key, trusted, now)
