# SPDX-License-Identifier: Apache-2.0
"""Sizes, MAC addresses, names, moments and identifiers: every spelling has one meaning."""

from __future__ import annotations

import datetime as dt
import re
import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.kinds.common import parse_path, parse_text
from pextra.kinds.volume.place import parse_device_name
from pextra.model import ids, units
from pextra.model.errors import InputError

NAMES = (units.parse_name, units.parse_hostname, parse_device_name)
PLAIN = set(string.ascii_letters + string.digits + " ._-")
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(),
    st.lists(st.integers()), st.dictionaries(st.text(), st.integers()),
)  # fmt: skip


# Sizes


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (0, 0),
        (512, 512),
        ("512", 512),
        ("1B", 1),
        ("1k", 1024),
        ("1KiB", 1024),
        ("1kB", 1000),
        ("10M", 10 << 20),
        ("10MB", 10_000_000),
        ("1.5GiB", 3 << 29),
        (" 2 tib ", 2 << 40),
        ("4096TiB", 1 << 52),
        (1.0, 1),
    ],
)
def test_size_is_read(text: object, size: int) -> None:
    assert units.parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "", "-1", "1Gi", "1 000", "1,5G", "1e9", "0x10", "GiB", "1GiBs", "١٢", "1.5B", "0.1KiB",
        "9999999TiB", True, False, None, [], {}, b"1", float("nan"), float("inf"), 0.5,
    ],
)  # fmt: skip
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(InputError):
        units.parse_size(text)


@given(st.integers(0, 1 << 62))
def test_size_comes_back_from_the_text_that_shows_it(size: int) -> None:
    assert units.parse_size(units.format_size(size)) == size
    assert units.parse_size(size) == units.parse_size(str(size)) == size


@given(st.integers(0, 10**6), st.sampled_from(["KiB", "MiB", "GiB", "KB", "MB", "GB", "M", "G"]))
def test_letter_case_and_spaces_of_a_size_do_not_matter(number: int, unit: str) -> None:
    spellings = (f"{number}{unit}", f" {number} {unit.lower()}", f"{number}{unit.upper()} ")
    assert len({units.parse_size(text) for text in spellings}) == 1


@given(anything)
def test_size_is_a_whole_number_or_an_error_that_a_user_understands(value: object) -> None:
    try:
        size = units.parse_size(value)
    except InputError:
        return
    assert isinstance(size, int)
    assert 0 <= size <= 1 << 62
    assert units.parse_size(size) == size


# MAC addresses


@given(st.binary(min_size=6, max_size=6), st.sampled_from([":", "-", ""]), st.booleans())
def test_each_spelling_of_a_mac_address_is_the_same(
    address: bytes, separator: str, upper: bool
) -> None:
    text = separator.join(f"{byte:02x}" for byte in address)
    text = text.upper() if upper else text
    if address[0] & 1 or not any(address):
        with pytest.raises(InputError):
            units.parse_mac(text)
    else:
        mac = units.parse_mac(text)
        assert mac == ":".join(f"{byte:02x}" for byte in address)
        assert units.parse_mac(mac) == mac


@pytest.mark.parametrize(
    "text", ["52:54:00:12:34", "52:54:00-12-34-56", "52:54:00:12:34:5g", "5254.0012.3456", "", 7]
)
def test_what_is_no_mac_address_is_refused(text: object) -> None:
    with pytest.raises(InputError):
        units.parse_mac(text)


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_mac_address_made_from_names_is_acceptable_and_stable(parts: list[str]) -> None:
    mac = ids.mac_of(*parts)
    assert units.parse_mac(mac) == mac == ids.mac_of(*parts)
    assert mac.startswith("52:54:00:")


# Names


@given(st.text(max_size=80))
def test_name_has_nothing_that_means_something_elsewhere(text: str) -> None:
    for parse in NAMES:
        try:
            name = parse(text)
        except InputError:
            continue
        assert name == text
        assert set(name) <= PLAIN
        assert name[0].isalnum()
        assert len(name) <= 63
        assert parse(name) == name


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{1,20}[A-Za-z0-9]", fullmatch=True))
def test_plain_name_is_taken_as_it_is(name: str) -> None:
    for parse in NAMES:
        assert parse(name) == name


@given(
    st.text(string.ascii_letters, min_size=2, max_size=10),
    st.sampled_from("'\"<>&;/\\$`|*?%{}[]()!#\t\n\r\0\x1b\x7f\u00a0\u200b\u202e\u043e\uff41\u0301"),
    st.integers(0, 10),
)
def test_name_with_one_strange_character_is_refused(text: str, strange: str, at: int) -> None:
    hostile = text[:at] + strange + text[at:]
    for parse in NAMES:
        with pytest.raises(InputError) as caught:
            parse(hostile)
        assert strange not in str(caught.value) or strange.isprintable()


@given(anything)
def test_name_is_a_text_or_an_error_that_a_user_understands(value: object) -> None:
    for parse in (units.parse_name, units.parse_hostname):
        try:
            name = parse(value)
        except InputError:
            continue
        assert isinstance(name, str)


@pytest.mark.parametrize("name", ["a" * 63, "a", "A.b_c-d e", "0"])
def test_name_at_the_limits_is_taken(name: str) -> None:
    assert units.parse_name(name) == name


@pytest.mark.parametrize("name", ["a" * 64, "", " a", "a ", ".a", "a.", "-a", "a-", "_a"])
def test_name_over_the_limits_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        units.parse_name(name)


# Texts and paths


@given(st.text(max_size=1100))
def test_description_is_kept_or_refused_never_changed(text: str) -> None:
    try:
        assert parse_text(text) == text
    except InputError:
        assert len(text) > 1024 or any(ord(letter) < 32 for letter in text)


@given(st.text(max_size=40))
def test_path_is_absolute_and_does_not_climb(text: str) -> None:
    try:
        path = parse_path(text)
    except InputError:
        return
    assert path == text
    assert path.startswith("/")
    assert ".." not in path.split("/")
    assert path.isprintable()


# Moments


def test_date_means_its_first_moment_in_utc() -> None:
    assert units.parse_time("2030-01-31") == dt.datetime(2030, 1, 31, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text", ["2030-01-31T12:00:00Z", "2030-01-31T13:00:00+01:00", "2030-01-31 12:00"]
)
def test_each_spelling_of_a_moment_is_the_same(text: str) -> None:
    assert units.format_time(units.parse_time(text)) == "2030-01-31T12:00:00Z"


@pytest.mark.parametrize("text", ["soon", "", "31.01.2030", "2030-13-01", "0000-00-00", None])
def test_what_is_no_moment_is_refused(text: object) -> None:
    with pytest.raises(InputError):
        units.parse_time(text)


@given(anything)
def test_moment_is_in_utc_or_an_error_that_a_user_understands(value: object) -> None:
    try:
        moment = units.parse_time(value)
    except InputError:
        return
    assert moment.utcoffset() == dt.timedelta(0)


@given(st.datetimes(timezones=st.timezones()))
def test_moment_comes_back_from_the_text_that_shows_it(moment: dt.datetime) -> None:
    try:
        shown = units.format_time(moment)
    except OverflowError:
        return
    assert units.format_time(units.parse_time(shown)) == shown


# Identifiers


@pytest.mark.parametrize("prefix", ["org", "vol", "inst"])
def test_identifier_has_the_shape_of_the_platform(prefix: str) -> None:
    made = {ids.new_id(prefix) for _index in range(1000)}
    assert len(made) == 1000
    for id in made:
        assert re.fullmatch(rf"{prefix}-[A-Za-z0-9_-]{{21}}", id)
        assert ids.is_id(prefix, id)
        assert not ids.is_id("other", id)


@given(st.text(max_size=40))
def test_nothing_else_is_an_identifier(text: str) -> None:
    assert ids.is_id("vol", text) == bool(re.fullmatch(r"vol-[A-Za-z0-9_-]{21}", text, re.ASCII))


@given(st.lists(st.text(), min_size=1, max_size=3), st.lists(st.text(), min_size=1, max_size=3))
def test_uuid_is_stable_and_another_for_another_resource(one: list[str], two: list[str]) -> None:
    assert ids.uuid_of(*one) == ids.uuid_of(*one)
    assert (ids.uuid_of(*one) == ids.uuid_of(*two)) == ("/".join(one) == "/".join(two))


@pytest.mark.parametrize(
    "name",
    [
        "Kea & Sons", "a", "7", "Müller GmbH & Co. KG", "株式会社 Kea", "Кия и сыновья", "हिन्दी",
        "O'Kea, Inc. (UK)", "x" * 63,
    ],
)  # fmt: skip
def test_a_title_is_any_text_that_people_read(name: str) -> None:
    assert units.parse_title(name) == name
    assert units.parse_title(unicodedata.normalize("NFD", name)) == name


@pytest.mark.parametrize(
    "name",
    [
        "", " a", "a ", "a\n", "a\u200bb", "a\u202eb", "\ud800", "\u0301a", "&", "x" * 64, 7, "-a",
        "a;b", 'a"b', "a/b", "a<b", "a{b", "a%b", "a$b", "\uff4eode", "٣", "n\u043ede", "a\u00a0b",
        "a&",
    ],
)  # fmt: skip
def test_a_text_that_does_not_show_as_it_is_is_no_title(name: object) -> None:
    with pytest.raises(InputError, match="not an acceptable name"):
        units.parse_title(name)
