# SPDX-License-Identifier: Apache-2.0
"""A signer, made anew for each session, and the moment at which the tests take place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pextra.licensing.keys import generate_pair, key_id, public_pem
from pextra.licensing.token import issue
from pextra.licensing.trust import TrustedKey, TrustStore


@dataclass(frozen=True)
class Signer:
    """A key pair under a name."""

    name: str
    private_pem: bytes
    public_key: bytes

    @property
    def public_pem(self) -> bytes:
        return public_pem(self.public_key)

    @property
    def id(self) -> str:
        return key_id(self.public_key)

    @property
    def trusted(self) -> TrustStore:
        return TrustStore.of(TrustedKey(self.name, self.public_key))


def new_signer(name: str) -> Signer:
    return Signer(name, *generate_pair())


@pytest.fixture(scope="session")
def seller() -> Signer:
    return new_signer("seller")


@pytest.fixture(scope="session")
def stranger() -> Signer:
    return new_signer("stranger")


@pytest.fixture(scope="session")
def local() -> Signer:
    return new_signer("evaluation")


@pytest.fixture(scope="session")
def now() -> dt.datetime:
    return dt.datetime(2030, 1, 15, 12, 0, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def make_key(seller: Signer, now: dt.datetime) -> Callable[..., str]:
    """A key of the standard edition, valid from now for 365 days, unless told otherwise."""

    def make(
        signer: Signer = seller,
        edition: str = "standard",
        begin: dt.datetime = now,
        days: float = 365,
        customer: str = "Example",
    ) -> str:
        end = begin + dt.timedelta(days=days)
        return issue(signer.private_pem, customer, edition, begin, end)

    return make
