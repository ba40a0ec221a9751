"""The plan: all that an installation is told. Pure; nothing here looks at the machine.

Every front door ends here: the wizard fills it in, an answer file is checked against it, a dry
run shows what it means for a machine's hardware.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic.dataclasses import dataclass

from pextra.host.preflight import checks
from pextra_installer.fieldtypes import (
    Argon2Hash,
    ArmouredKey,
    ById,
    CryptHash,
    Device,
    Flag,
    Glob,
    Hostname,
    Keyboard,
    LicenseKey,
    Organization,
    Password,
    PublicKey,
    Repository,
    Size,
    Text,
    Timezone,
    Username,
    near_match,
    refuse,
)
from pextra_installer.keyboard import DEFAULT as DEFAULT_KEYBOARD
from pextra_installer.network import Network
from pextra_installer.rules import STRICT, Findings

VERSION = 1
"""Of the answer file's format."""

SECRETS = (
    ("license_key",),
    ("administrator", "password"),
    ("administrator", "password_hash"),
    ("administrator", "root_password_hash"),
)
"""Fields that no message, log or archive may show."""


class WhenDone(StrEnum):
    """What the machine does at the end."""

    STAY = "stay"
    REBOOT = "reboot"
    POWER_OFF = "power-off"


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Administrator:
    """The root user of the deployment; its password is the Linux user root's too.

    Either the password, or both hashes: the platform stores argon2id, Linux knows crypt(5).
    """

    username: Username = "pceadmin"
    password: Password | None = Field(default=None, repr=False)
    password_hash: Argon2Hash | None = Field(default=None, repr=False)
    root_password_hash: CryptHash | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _one_way(self) -> Administrator:
        findings = Findings()
        hashes = {
            "password_hash": self.password_hash,
            "root_password_hash": self.root_password_hash,
        }
        given = [name for name, value in hashes.items() if value is not None]
        if self.password is not None and given:
            hint = "Keep the password, or both hashes"
            findings.add("password and hashes are both given", hint, key="password")
        elif self.password is None and not given:
            hint = "Add password, or password_hash and root_password_hash"
            findings.add("the administrator has no password", hint)
        elif self.password is None and len(given) == 1:
            missing = next(name for name in hashes if name not in given)
            hint = "Linux and the platform store different hashes: pextra-installer hash-password"
            findings.add(f"{given[0]} is given without {missing}", hint, key=given[0])
        findings.raise_any()
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class SizeRange:
    """From ``min`` to ``max``, both included."""

    min: Size | None = None
    max: Size | None = None

    @model_validator(mode="after")
    def _ordered(self) -> SizeRange:
        findings = Findings()
        if self.min is not None and self.max is not None and self.min > self.max:
            findings.add("min is larger than max", "Exchange them", key="min")
        findings.raise_any()
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class DiskFilter:
    """A disk that has all that is given; in texts ``*`` and ``?`` stand for other characters."""

    by_id: ById | None = None
    path: Device | None = None
    serial: Glob | None = None
    model: Glob | None = None
    size: SizeRange | None = None
    ssd: Flag | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class DiskChoice:
    """The boot disk: exactly one must fit the first filter that any fits.

    A filter that fits no disk gives way to the next one; one that fits several is an error.
    """

    match: Annotated[tuple[DiskFilter, ...], Field(min_length=1, max_length=32)]


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Packages:
    """Where the node takes the platform's own packages from; nowhere until an address is given."""

    source: Repository | None = None
    key: ArmouredKey | None = None

    @model_validator(mode="after")
    def _signed(self) -> Packages:
        findings = Findings()
        if self.source is not None and self.key is None:
            hint = "Give the repository's public key as key"
            findings.add("its packages could not be verified", hint, key="source")
        findings.raise_any()
        return self


def _check_name(value: str) -> str:
    if value not in checks.NAMES:
        near = near_match(value, checks.NAMES)
        hint = f"Did you mean {near}?" if near else f"Use one of: {', '.join(checks.NAMES)}"
        raise refuse(f"{value[:80]!r} is not a check", hint)
    return value


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Plan:
    """All answers of one installation."""

    version: Literal[1]
    agreement: Literal["accepted"]
    hostname: Hostname
    organization: Organization
    administrator: Administrator
    disk: DiskChoice
    network: Network = Network()
    license_key: LicenseKey | None = Field(default=None, repr=False)
    trusted_license_keys: Annotated[tuple[PublicKey, ...], Field(max_length=8)] = ()
    packages: Packages = Packages()
    timezone: Timezone = "Etc/UTC"
    keyboard: Keyboard = DEFAULT_KEYBOARD
    when_done: WhenDone = WhenDone.REBOOT
    ignore_checks: tuple[Annotated[Text, AfterValidator(_check_name)], ...] = ()
