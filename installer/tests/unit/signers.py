"""Signers of licence keys, and what they sign."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from pextra.licensing import keys, token
from pextra.licensing.trust import TrustedKey, TrustStore

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Signer:
    """A pair of keys; the private one is in PEM, the public one as its 32 bytes."""

    name: str
    private: bytes
    public: bytes

    @property
    def pem(self) -> str:
        return keys.public_pem(self.public).decode()

    @property
    def line(self) -> str:
        return "".join(self.pem.splitlines()[1:-1])

    @property
    def store(self) -> TrustStore:
        return TrustStore.of(TrustedKey(self.name, self.public))

    def sign(self, begin: int = -1, end: int = 365, edition: str = "standard") -> str:
        """A licence key that is valid so many days from now."""
        return token.issue(self.private, "Example", edition, NOW + begin * DAY, NOW + end * DAY)


def signer(name: str = "seller") -> Signer:
    return Signer(name, *keys.generate_pair())
