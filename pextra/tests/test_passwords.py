# SPDX-License-Identifier: Apache-2.0
"""Password hashes: made strong, accepted only when strong, and never shown."""

from __future__ import annotations

import sys

import argon2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pextra.kinds.user.passwords import hash_password, is_argon2_hash, verify_password
from pextra.model.errors import InputError, UnsupportedError

SALT, DIGEST = "c2FsdHNhbHRzYWx0c2FsdA", "I7DID3CXH9Osca+VceLhQI7DID3CXH9Osca+VceLhQI"


def phc(
    kind: str = "argon2id", version: str = "v=19", parameters: str = "m=19456,t=2,p=1",
    salt: str = SALT, digest: str = DIGEST,
) -> str:  # fmt: skip
    return f"${kind}${version}${parameters}${salt}${digest}"


# Each example is two computations of 40 ms.
@settings(max_examples=10, deadline=None)
@given(password=st.text(min_size=1, max_size=50), other=st.text(min_size=1, max_size=50))
def test_a_hash_verifies_its_password_and_no_other(password: str, other: str) -> None:
    hashed = hash_password(password)
    assert is_argon2_hash(hashed)
    assert verify_password(hashed, password)
    assert verify_password(hashed, other) == (password == other)


def test_the_same_password_has_another_hash_each_time_and_is_not_in_it() -> None:
    first, second = hash_password("correct horse"), hash_password("correct horse")
    assert first != second
    assert "correct horse" not in first
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_hash_made_elsewhere_is_accepted_and_verified() -> None:
    foreign = argon2.PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4).hash("pässwörd")
    assert is_argon2_hash(foreign)
    assert verify_password(foreign, "pässwörd")
    assert not verify_password(foreign, "password")


@pytest.mark.parametrize(
    "parameters",
    ["m=19456,t=2,p=1", "m=47104,t=1,p=1", "m=12288,t=3,p=1", "m=9216,t=4,p=1", "m=7168,t=5,p=1",
     "m=65536,t=3,p=4", "m=1048576,t=1,p=8"],
)  # fmt: skip
def test_parameters_at_or_above_the_least_are_accepted(parameters: str) -> None:
    assert is_argon2_hash(phc(parameters=parameters))


@pytest.mark.parametrize(
    "text",
    [
        "", "secret", "$6$salt$hash", phc() + "\n", " " + phc(), phc() + "$",
        phc(kind="argon2i"), phc(kind="argon2d"), phc(kind="ARGON2ID"),
        phc(version="v=16"), phc(version="v=20"),
        phc(parameters="m=19455,t=2,p=1"), phc(parameters="m=19456,t=1,p=1"),
        phc(parameters="m=7167,t=64,p=1"), phc(parameters="m=8,t=1,p=1"),
        phc(parameters="m=19456,t=2,p=0"), phc(parameters="m=019456,t=2,p=1"),
        phc(parameters="t=2,m=19456,p=1"), phc(parameters="m=19456,t=2"),
        phc(parameters="m=19456,t=2,p=1,keyid=a"), phc(parameters="m=-1,t=2,p=1"),
        phc(parameters="m=1048577,t=2,p=1"), phc(parameters="m=19456,t=65,p=1"),
        phc(parameters="m=1048576,t=2,p=65"), phc(parameters="m=4294967295,t=2,p=1"),
        phc(parameters="m=" + "9" * 5000 + ",t=2,p=1"), phc(parameters="m=١٩٤٥٦,t=2,p=1"),
        phc(salt="c2FsdA"), phc(salt=""), phc(salt=SALT + "=="), phc(salt="A" * 21),
        phc(salt=SALT[:-1] + "B"), phc(salt="_" * 22), phc(digest="AAAA"), phc(digest=""),
        phc(digest="A" * 128),
    ],
)  # fmt: skip
def test_anything_weaker_costlier_or_otherwise_written_is_refused(text: str) -> None:
    assert not is_argon2_hash(text)
    assert not verify_password(text, "secret")


@given(st.text(max_size=200))
def test_any_text_is_judged_without_an_error(text: str) -> None:
    assert not is_argon2_hash(text)
    assert not verify_password(text, "secret")


@pytest.mark.parametrize("password", ["", "x" * 4097, "\ud800secret"])
def test_an_unusable_password_is_refused_without_showing_it(password: str) -> None:
    with pytest.raises(InputError) as caught:
        hash_password(password)
    assert "secret" not in repr(caught.value.as_dict())
    assert caught.value.__cause__ is None
    assert not verify_password(phc(), password)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "argon2", None)
    with pytest.raises(UnsupportedError, match="apt-get install python3-argon2"):
        hash_password("secret")
