# SPDX-License-Identifier: Apache-2.0
"""The directory of trusted public keys: what is accepted from it, and what is set aside."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pextra.licensing.errors import (
    LicenseSignerNotAllowedError,
    LicenseUnknownSignerError,
    TrustStoreError,
)
from pextra.licensing.token import verify
from pextra.licensing.trust import TrustStore

from .conftest import Signer


@pytest.fixture
def directory(tmp_path: Path, seller: Signer) -> Path:
    place = tmp_path / "license-keys.d"
    place.mkdir(mode=0o755)
    (place / "seller.pem").write_bytes(seller.public_pem)
    return place


def test_every_pem_file_is_trusted_under_its_name(
    directory: Path, seller: Signer, stranger: Signer
) -> None:
    (directory / "other.pem").write_bytes(stranger.public_pem)
    (directory / "README").write_text("not a key")
    store = TrustStore.load(directory)
    assert {key.name for key in store.keys.values()} == {"seller", "other"}
    found = store.find(seller.id)
    assert found is not None
    assert found.public_key == seller.public_key
    assert store.rejected == {}


def test_a_missing_directory_trusts_nobody_and_says_where_to_put_a_key(
    tmp_path: Path, make_key: Callable[..., str], now: dt.datetime
) -> None:
    store = TrustStore.load(tmp_path / "none")
    with pytest.raises(LicenseUnknownSignerError, match=r"0 trusted keys in .*/none.*\.pem file"):
        verify(make_key(), store, now)


def test_one_bad_file_does_not_take_the_good_ones_away(
    directory: Path, seller: Signer, stranger: Signer, now: dt.datetime,
    make_key: Callable[..., str],
) -> None:  # fmt: skip
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    p256 = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    bad = {
        "empty.pem": b"",
        "text.pem": b"hello",
        "private.pem": stranger.private_pem,
        "two.pem": seller.public_pem + stranger.public_pem,
        "ecdsa.pem": p256,
        "huge.pem": b"x" * 100_000,
    }
    for name, data in bad.items():
        (directory / name).write_bytes(data)
    (directory / "writable.pem").write_bytes(stranger.public_pem)
    (directory / "writable.pem").chmod(0o666)
    (directory / "folder.pem").mkdir()
    (directory / "dangling.pem").symlink_to("nowhere")
    os.mkfifo(directory / "pipe.pem")
    store = TrustStore.load(directory)
    assert [key.name for key in store.keys.values()] == ["seller"]
    names = {*bad, "writable.pem", "folder.pem", "dangling.pem", "pipe.pem"}
    assert set(store.rejected) == names
    assert "private key" in store.rejected["private.pem"]
    assert "everybody may write" in store.rejected["writable.pem"]
    assert verify(make_key(), store, now)
    with pytest.raises(LicenseUnknownSignerError, match=r"writable\.pem: everybody may write"):
        verify(make_key(signer=stranger), store, now)


def test_a_directory_that_everybody_may_write_is_refused(directory: Path) -> None:
    directory.chmod(0o777)
    with pytest.raises(TrustStoreError, match="everybody may write"):
        TrustStore.load(directory)


def test_a_file_in_place_of_the_directory_is_refused(directory: Path) -> None:
    with pytest.raises(TrustStoreError, match="Not a directory"):
        TrustStore.load(directory / "seller.pem")


def test_the_evaluation_key_stays_restricted_under_a_second_name(
    directory: Path, local: Signer, make_key: Callable[..., str], now: dt.datetime
) -> None:
    for name in ("aaa", "evaluation", "zzz"):
        (directory / f"{name}.pem").write_bytes(local.public_pem)
    with pytest.raises(LicenseSignerNotAllowedError):
        verify(make_key(signer=local, edition="enterprise"), TrustStore.load(directory), now)
