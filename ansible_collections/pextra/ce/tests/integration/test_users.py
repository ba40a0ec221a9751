# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and licences: secrets are shown nowhere, and only good ones are taken."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Lab
from pextra.licensing.keys import generate_pair
from pextra.licensing.token import issue

PASSWORD = "correct horse battery"
HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0c2FsdA"
    "$rJ0bsTcvnAyUuC8wdbQTJ7KxTbOWeBCYEpTsXbHbB1Y"
)


def everywhere(lab: Lab) -> str:
    """Everything that the store holds, and every file of the lab."""
    files = [
        path.read_text(errors="replace") for path in lab.directory.rglob("*") if path.is_file()
    ]
    return lab.rows_of_all() + "".join(files)


@pytest.mark.parametrize("by", ["user", "apply"])
def test_password_is_shown_and_kept_nowhere(lab: Lab, by: str) -> None:
    given = {"username": "ann", "password": PASSWORD}
    args = given if by == "user" else {"resources": [{"kind": "user", **given}]}
    for check in (True, False, False):
        done = lab.run(by, check=check, diff=True, **args)
        assert PASSWORD not in done.text
        assert "argon2" not in done.text
    assert PASSWORD not in everywhere(lab)
    assert lab.row("users", "ann")["password_hash"].startswith("$argon2id$")
    assert "argon2" not in json.dumps(lab.sql("SELECT * FROM audit_log"))


def test_password_is_not_in_the_message_of_a_failure(lab: Lab) -> None:
    for more in ({"expiry": "soon"}, {"organization": "nowhere"}, {"password_hash": HASH}):
        result = lab.refused("user", username="ann", password=PASSWORD, **more)
        assert PASSWORD not in result.text
        assert HASH not in result.text
    entry = {"kind": "user", "username": "ann", "password": PASSWORD, "colour": "red"}
    assert PASSWORD not in lab.apply_refused(entry).text


def test_same_password_changes_nothing_and_another_one_does(lab: Lab) -> None:
    lab.run("user", username="ann", password=PASSWORD)
    first = lab.row("users", "ann")["password_hash"]
    assert not lab.run("user", username="ann", password=PASSWORD).changed
    assert not lab.run("user", username="ann").changed
    assert lab.row("users", "ann")["password_hash"] == first
    done = lab.run("user", username="ann", password="another " + PASSWORD, diff=True)
    assert done.changed
    assert PASSWORD not in done.text
    assert lab.row("users", "ann")["password_hash"] != first


def test_password_of_an_existing_user_stays_if_that_is_asked(lab: Lab) -> None:
    lab.run("user", username="ann", password=PASSWORD, update_password="on_create")
    first = lab.row("users", "ann")["password_hash"]
    assert first.startswith("$argon2id$")
    done = lab.run("user", username="ann", password="other password", update_password="on_create")
    assert not done.changed
    assert lab.row("users", "ann")["password_hash"] == first


def test_hash_is_taken_as_it_is(lab: Lab) -> None:
    done = lab.run("user", username="ann", password_hash=HASH, diff=True)
    assert HASH not in done.text
    assert lab.row("users", "ann")["password_hash"] == HASH
    assert not lab.run("user", username="ann", password_hash=HASH).changed


@pytest.mark.parametrize(
    "hash",
    ["plain", "$6$salt$hash", HASH.replace("argon2id", "argon2i"), HASH.replace("65536", "8")],
)
def test_weak_or_foreign_hash_is_refused(lab: Lab, hash: str) -> None:
    result = lab.refused("user", username="ann", password_hash=hash)
    assert "argon2id" in result.message
    assert hash not in result.text


def test_short_password_is_refused(lab: Lab) -> None:
    assert "8 to 1024" in lab.refused("user", username="ann", password="short").message


# Licences


NOW = dt.datetime.now(dt.UTC)


def key(private: bytes, *, begin: float = -1, days: float = 365) -> str:
    """A licence key whose time begins so many days from now."""
    start = NOW + dt.timedelta(days=begin)
    return issue(private, "Example", "standard", start, start + dt.timedelta(days=days))


def test_good_key_is_set_and_shown_nowhere(lab: Lab, seller: bytes) -> None:
    good = key(seller)
    for check in (True, False):
        done = lab.run("node_license", check=check, diff=True, key=good)
        assert good not in done.text
        assert done["node_license"]["edition"] == "standard"
        assert done["node_license"]["customer"] == "Example"
    assert not lab.run("node_license", key=f"  {good}\n").changed
    assert good not in json.dumps(lab.sql("SELECT * FROM audit_log"))
    other = key(seller, days=30)
    assert lab.run("node_license", key=other).changed
    assert lab.sql("SELECT key FROM node_licenses") == [{"key": other}]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("expired", "license_expired"),
        ("early", "license_not_yet_valid"),
        ("stranger", "license_unknown_signer"),
        ("forged", "license_bad_signature"),
        ("short", "license_malformed"),
        ("text", "license_malformed"),
    ],
)
def test_bad_key_is_refused_by_name_and_the_old_one_stays(
    lab: Lab, seller: bytes, bad: str, code: str
) -> None:
    good = key(seller)
    lab.run("node_license", key=good)
    keys = {
        "expired": key(seller, begin=-10, days=5),
        "early": key(seller, begin=5),
        "stranger": key(generate_pair()[0]),
        "forged": good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
        "short": good[: len(good) // 2],
        "text": "not a key at all",
    }
    result = lab.refused("node_license", key=keys[bad])
    assert result.code == code
    assert keys[bad] not in result.text
    assert lab.sql("SELECT key FROM node_licenses") == [{"key": good}]


def test_evaluation_is_for_30_days_and_never_replaces_a_licence(lab: Lab, seller: bytes) -> None:
    done = lab.run("node_license", evaluation=True)
    assert done["node_license"]["edition"] == "evaluation"
    expiry = dt.datetime.fromisoformat(done["node_license"]["expiry"])
    assert dt.timedelta(days=29) < expiry - NOW < dt.timedelta(days=31)
    assert not lab.run("node_license", evaluation=True).changed
    good = key(seller)
    lab.run("node_license", key=good)
    done = lab.run("node_license", evaluation=True)
    assert not done.changed
    assert done["node_license"]["edition"] == "standard"
    assert "not both" in lab.refused("node_license", evaluation=True, key=good).message


def test_key_serves_one_node(lab: Lab, seller: bytes) -> None:
    good = key(seller)
    lab.run("node_license", key=good)
    assert lab.refused("node", name="node1", state="absent").code == "conflict"
    lab.run("node_license", state="absent")
    lab.run("node", name="node1", state="absent")
