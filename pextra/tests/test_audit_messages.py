# SPDX-License-Identifier: Apache-2.0
"""What leaves the engine of the audit log: messages for the journal, options of failed attempts."""

from __future__ import annotations

import json
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.access.audit.canonical import canonical
from pextra.calls import attempts
from pextra.calls.audit import parse_moment
from pextra.host import journal
from pextra.model.errors import InputError


def fields(data: bytes) -> dict[str, bytes]:
    """The fields of a message, as systemd's Native Journal Protocol has them."""
    found: dict[str, bytes] = {}
    while data:
        line, _end, rest = data.partition(b"\n")
        name, mark, value = line.partition(b"=")
        if not mark:
            (size,) = struct.unpack("<Q", rest[:8])
            value, rest = rest[8 : 8 + size], rest[9 + size :]
        found[name.decode()] = value
        data = rest
    return found


@pytest.mark.parametrize("text", ["one line", "two\nlines", "ünï"])
def test_a_message_gets_into_the_journal_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(journal, "SOCKET", str(tmp_path / "socket"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(journal.SOCKET)
        assert journal.tell(text, journal.WARNING, {"PEXTRA_AUDIT_CHECKPOINT": text})
        got = fields(server.recv(65536))
    assert got["MESSAGE"].decode() == got["PEXTRA_AUDIT_CHECKPOINT"].decode() == text
    assert (got["PRIORITY"], got["SYSLOG_IDENTIFIER"]) == (b"4", b"pextra-audit")


def test_no_journal_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SOCKET", str(tmp_path / "none"))
    assert not journal.tell("hello")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("udp://logs.example.com", ("logs.example.com", 514)),
        ("tcp://[2001:db8::1]:6514", ("2001:db8::1", 6514)),
        ("/dev/log", "/dev/log"),
    ],
)
def test_servers_that_can_be_named(text: str, where: object) -> None:
    assert journal.address(text) == where


@pytest.mark.parametrize(
    "text", ["", "logs.example.com", "http://x", "udp://", "udp://x:0", "udp://x:x", "tcp://x/y"]
)
def test_servers_that_cannot(text: str) -> None:
    with pytest.raises(InputError, match="is no syslog server"):
        journal.address(text)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=8)
    | st.text(st.characters(exclude_categories=()), max_size=600),
    lambda inner: st.lists(inner, max_size=40)
    | st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=300), inner),
    max_leaves=60,
)  # fmt: skip


@given(st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=300), ANYTHING))
def test_whatever_the_options_were_a_row_of_them_is_small_and_can_be_kept(
    options: dict[str, Any],
) -> None:
    found = attempts.bounded(options)
    text = json.dumps(found)
    assert len(text) <= attempts.MOST_BYTES + 100
    assert "\\u0000" not in text
    assert canonical(json.loads(text, parse_constant=lambda name: pytest.fail(name)))


def test_few_options_are_kept_as_they_are() -> None:
    options = {"name": "data", "size": 5 << 40, "nested": {"list": [1, 2.5, None, True]}}
    assert attempts.bounded(options) == options


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("2026-01-31", "2026-01-31T00:00:00.000000Z"),
        ("2026-01-31T12:00:00.5+02:00", "2026-01-31T10:00:00.500000Z"),
    ],
)
def test_times_are_in_utc_with_microseconds(given: str, found: str) -> None:
    assert parse_moment(given) == found


def test_an_age_is_before_a_shorter_one() -> None:
    ages = ["1w", "7d", "24h", "90m", "5s"]
    found = [parse_moment(age) for age in ages]
    assert found == sorted(found)
    for wrong in ("1y", "-1d", "999999w", "soon"):
        with pytest.raises(InputError):
            parse_moment(wrong)
