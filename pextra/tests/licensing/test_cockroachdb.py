# SPDX-License-Identifier: Apache-2.0
"""CockroachDB's licence keys: what is read of them, what is refused, what is planned."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.calls import cockroach_license
from pextra.calls.cockroach_license import State, plan, wanted, warning
from pextra.licensing.cockroachdb import Type, days_until, mask, parse
from pextra.licensing.errors import LicenseExpiredError, LicenseMalformedError
from pextra.tests.licensing.cockroach_keys import (
    ENVIRONMENTS,
    TYPES,
    encoded,
    make_key,
    number,
    text,
)

NOW = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
YEAR = NOW + 365 * DAY
KEY = make_key("enterprise", YEAR, "Example GmbH")


@given(
    st.sampled_from(TYPES),
    st.integers(1, 253_402_300_799),
    st.text(max_size=40).filter(lambda name: "\x00" not in name),
    st.sampled_from(ENVIRONMENTS),
    st.binary(max_size=16),
)
def test_what_a_key_says_is_read(
    type: str, seconds: int, organization: str, environment: str, identity: bytes
) -> None:
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    key = make_key(type, moment, organization, environment=environment, identity=identity)
    found = parse(f"\n {key} ")
    assert (found.type, found.expiry) == (type, moment)
    assert (found.organization, found.environment) == (organization, environment)


@given(st.one_of(st.text(max_size=80), st.binary(max_size=60).map(encoded)))
def test_other_text_is_refused_or_read_and_never_anything_else(key: str) -> None:
    with contextlib.suppress(LicenseMalformedError):
        assert parse(key).expiry.tzinfo is dt.UTC


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("PCE1.abc.def", "does not begin with crl-0-"),
        ("crl-0-", "base64"),
        ("crl-0-&&&&", "base64"),
        (f"{KEY}=", "base64"),
        (f"{KEY[:40]} {KEY[40:]}", "base64"),
        ("crl-0-" + "A" * 5000, "longer than 4096"),
        (encoded(b"\x12"), "its end is missing"),
        (KEY[:30], "its end is missing"),
        (encoded(b"\x0b"), "no protocol buffer"),
        (encoded(b"\xff" * 12), "no protocol buffer"),
        (encoded(number(3, 1)), "when it ends"),
        (encoded(number(2, 1 << 60)), "when it ends"),
        (encoded(number(2, 1_800_000_000) + text(4, b"\xff\xfe")), "UTF-8"),
    ],
)
def test_what_is_no_key_is_refused_by_its_fault(key: str, reason: str) -> None:
    with pytest.raises(LicenseMalformedError, match=reason) as caught:
        parse(key)
    assert len(key) < 20 or key not in str(caught.value)


def test_fields_that_came_later_do_not_matter() -> None:
    later = (
        text(1, b"cluster") + number(8, 2) + number(10, 64) + b"\x5d\0\0\0\0" + b"\x61" + b"8" * 8
    )
    data = number(2, int(YEAR.timestamp())) + number(3, 9) + later
    found = parse(encoded(data))
    assert (found.type, found.expiry) == (Type.OTHER, YEAR)


@pytest.mark.parametrize(
    ("type", "grace"), [("enterprise", None), ("trial", 7), ("free", 30), ("evaluation", 30)]
)
def test_throttling_begins_when_the_type_says(type: str, grace: int | None) -> None:
    expected = None if grace is None else YEAR + grace * DAY
    assert parse(make_key(type, YEAR)).throttled_from == expected


def test_a_masked_key_shows_no_more_than_its_end() -> None:
    assert mask(KEY) == f"crl-0-****{KEY[-4:]}"
    assert mask("crl-0-abcd") == mask("anything") == "****"


@pytest.mark.parametrize(("seconds", "days"), [(-1, 0), (0, 0), (1, 1), (86_400, 1), (86_401, 2)])
def test_a_day_that_has_begun_counts(seconds: int, days: int) -> None:
    assert days_until(NOW + dt.timedelta(seconds=seconds), NOW) == days


def test_a_new_key_brings_its_organization() -> None:
    before = State("", "")
    after = wanted(f" {KEY}\n", before, NOW)
    assert after == State(KEY, "Example GmbH")
    steps = plan(before, after)
    assert [step.name for step in steps] == ["cluster.organization", "enterprise.license"]
    assert KEY not in repr([step.as_dict() for step in steps])
    assert plan(after, wanted(KEY, after, NOW)) == []


@pytest.mark.parametrize("name", ["example gmbh", "EXAMPLE GMBH"])
def test_letter_case_of_the_organization_stays(name: str) -> None:
    assert wanted(KEY, State(KEY, name), NOW) == State(KEY, name)


def test_a_key_without_organization_needs_an_empty_setting() -> None:
    key = make_key("free", YEAR)
    assert wanted(key, State("", "Somebody"), NOW) == State(key, "")


def test_an_expired_key_is_refused_unless_it_is_set_already() -> None:
    key = make_key("enterprise", NOW - DAY)
    with pytest.raises(LicenseExpiredError):
        wanted(key, State("", ""), NOW)
    assert wanted(key, State(key, ""), NOW) == State(key, "")


def test_keys_that_look_alike_when_masked_are_still_a_change() -> None:
    one = make_key("enterprise", YEAR, identity=b"1" * 16)
    other = make_key("enterprise", YEAR, identity=b"2" + b"1" * 15)
    (step,) = plan(State(one, ""), State(other, ""))
    assert step.before != step.after


def test_warnings_count_the_days() -> None:
    free = parse(make_key("free", NOW + 10 * DAY))
    assert warning(parse(KEY), None, NOW) is None
    assert "in 3 days" in str(warning(None, NOW + 3 * DAY, NOW))
    assert "in 1 day." in str(warning(None, NOW + DAY, NOW))
    assert ", now" in str(warning(None, NOW - DAY, NOW))
    assert "7 days after" in str(warning(None, None, NOW))
    assert "in 40 days" in str(warning(free, free.throttled_from, NOW))
    assert "expired at" in str(warning(free, free.throttled_from, NOW + 11 * DAY))


def test_what_is_no_cockroachdb_has_all_keys() -> None:
    returned = set(cockroach_license._NOT_COCKROACHDB)
    assert returned == {
        "version", "cockroach_license", "organization", "throttled_from", "throttled_from_exact",
        "days_left", "warning",
    }  # fmt: skip
