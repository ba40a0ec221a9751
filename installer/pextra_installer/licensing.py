"""Licence keys in answers: whether the node will take one, and whom it is to trust.

A node trusts the signers that the medium brings (``pextra-image build --license-key``) and those of
the answers. What is wrong with a key is the engine's to say: it is asked here, before a disk is
erased, and not only on the node.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pextra.licensing import keys as licence_keys
from pextra.licensing import token
from pextra.licensing.errors import LicenseError, LicenseUnknownSignerError
from pextra.licensing.trust import DEFAULT_DIRECTORY, TrustedKey, TrustStore
from pextra_installer.fieldtypes import public_key_of
from pextra_installer.plan import Plan
from pextra_installer.problems import Problem

FOLDER = "license-keys.d"
"""Of the medium's directory ``pextra`` and of a node's ``/etc/pextra-ce``; a PEM file each."""
MEDIUM = (
    pathlib.Path("/run/live/medium/pextra") / FOLDER,
    pathlib.Path("/run/pextra-medium/pextra") / FOLDER,
)
NOBODY = TrustStore({})
"""No signer at all."""
KEY, SIGNERS = "license_key", "trusted_license_keys"
"""Of the answers."""


def here(directories: Sequence[pathlib.Path] = (*MEDIUM, DEFAULT_DIRECTORY)) -> TrustStore:
    """The signers that these directories have; those of the medium, and of the system on it.

    A node's own key, for its evaluation, is no other node's.

    Raises:
        LicenseError: A directory cannot be read.
    """
    found = joined(*(TrustStore.load(directory) for directory in directories))
    keys = {signer: key for signer, key in found.keys.items() if not key.evaluation_only}
    return dataclasses.replace(found, keys=keys)


def joined(*stores: TrustStore) -> TrustStore:
    """All signers of some stores."""
    found = TrustStore.of(*(key for store in stores for key in store.keys.values()))
    rejected = {name: why for store in stores for name, why in store.rejected.items()}
    return dataclasses.replace(found, rejected=rejected)


def named(lines: Iterable[str]) -> TrustStore:
    """The signers that answers bring, each called by its key id."""
    raw = [public_key_of(line) for line in lines]
    return TrustStore.of(*(TrustedKey(licence_keys.key_id(key), key) for key in raw))


def trusted_by(plan: Plan, medium: TrustStore) -> TrustStore:
    """The signers that the node of a plan trusts."""
    return joined(medium, named(plan.trusted_license_keys))


def files(trusted: TrustStore) -> list[dict[str, str]]:
    """The files that have a node trust some signers, as the role pextra.ce.install takes them."""
    return [
        {
            "path": f"{DEFAULT_DIRECTORY}/{key.name}.pem",
            "content": licence_keys.public_pem(key.public_key).decode(),
        }
        for key in sorted(trusted.keys.values(), key=lambda key: key.name)
        if not key.evaluation_only
    ]


def described(key: str | None) -> str:
    """A licence key for people: what it grants, to whom and until when."""
    if key is None:
        return "evaluation of 30 days"
    license = token.parse(key)
    return f"{license.edition.value}, for {license.customer}, until {license.expires_at:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class LicenseCheck:
    """Looks at the licence key of answers.

    Attributes:
        medium: The signers that the node trusts besides those of the answers; None where that
            cannot be known, and only the key's dates are looked at.
        now: A moment with a time zone.
    """

    medium: TrustStore | None
    now: dt.datetime

    @classmethod
    def today(cls, medium: TrustStore | None) -> LicenseCheck:
        """The same, now."""
        return cls(medium, dt.datetime.now(dt.UTC))

    def __call__(self, data: Mapping[str, Any]) -> list[Problem]:
        """What is wrong with the key, if it has the form of one."""
        key = data.get(KEY)
        if not isinstance(key, str):
            return []
        try:
            license = token.parse(key)
        except LicenseError:  # the plan says so
            return []
        trusted = self._trusted(data)
        try:
            if trusted is not None:
                token.authenticate(key, trusted)
            token.check_period(license, self.now)
        except LicenseUnknownSignerError:
            return [Problem((KEY,), _unknown(license, trusted or NOBODY), _TRUST)]
        except LicenseError as error:
            return [Problem((KEY,), error.message, error.hint)]
        return []

    def unchecked(self, plan: Plan) -> list[str]:
        """A warning if nobody could say whether the node will trust the key's signer."""
        if plan.license_key is None or self._trusted({SIGNERS: plan.trusted_license_keys}):
            return []
        signer = token.parse(plan.license_key).signer
        return [
            f"the licence key's signature is not checked: its signer {signer} is to be on the"
            " medium. Give its public keys by --license-keys"
        ]

    def _trusted(self, data: Mapping[str, Any]) -> TrustStore | None:
        given = data.get(SIGNERS)
        given = [line for line in given if _usable(line)] if isinstance(given, list | tuple) else []
        if self.medium is None:
            return named(given) if given else None
        return joined(self.medium, named(given))


def _usable(line: object) -> bool:
    """Whether this is a public key; if it is none, the plan says so."""
    try:
        return isinstance(line, str) and bool(public_key_of(line))
    except LicenseError:
        return False


_TRUST = (
    "Give the signer's public key too if you trust it, or leave the licence key out: the node then"
    " makes an evaluation licence, and a key can be set later"
)


def _unknown(license: token.License, trusted: TrustStore) -> str:
    known = ", ".join(f"{key.name} ({signer})" for signer, key in sorted(trusted.keys.items()))
    return (
        f"the licence key was signed with key {license.signer}, which this node would not trust;"
        f" it would trust {known or 'none'}"
    )
