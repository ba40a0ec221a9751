# SPDX-License-Identifier: Apache-2.0
"""The fields of users: what a request may say, and what is returned."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from pextra.kinds.common import DESCRIPTION, ORGANIZATION, few
from pextra.kinds.policy.fields import FORCE
from pextra.model import units
from pextra.model.errors import InputError
from pextra.model.fields import Change, Field
from pextra.model.returned import Returned

_USERNAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,61}[a-z0-9])?", re.ASCII)
_LINUX = re.compile(r"[a-z_][a-z0-9_-]{0,31}", re.ASCII)


def _username(value: Any) -> str:
    if not _USERNAME.fullmatch(str(value)):
        raise InputError(
            f"{str(value)[:80]!r} is not an acceptable user name",
            hint="Use 1 to 63 of a-z, 0-9, dot, underscore, hyphen and @",
        )
    return str(value)


def _linux_user(value: Any) -> str:
    if not _LINUX.fullmatch(str(value)):
        raise InputError(f"{str(value)[:80]!r} is not a Linux user name (useradd(8))")
    return str(value)


def _password(value: Any) -> str:
    if not 8 <= len(str(value)) <= 1024:
        raise InputError("a password has 8 to 1024 characters")
    return str(value)


def _hash(value: Any) -> str:
    from pextra.kinds.user import passwords

    if not passwords.is_argon2_hash(str(value)):
        raise InputError(
            "this is no argon2id hash of sufficient strength",
            hint="Write $argon2id$v=19$m=65536,t=3,p=4$SALT$HASH, or give the password",
        )
    return str(value)


FIELDS = (
    Field(
        "username",
        parse=_username,
        required=True,
        change=Change.IMMUTABLE,
        doc=(
            "Name that the user logs in with, unique in the organization.",
            "From 1 to 63 of the characters C(a-z), C(0-9), dot, underscore, hyphen and C(@),"
            " beginning and ending with a letter or digit.",
        ),
        returned=Returned("Name that the user logs in with.", sample="alice"),
    ),
    dataclasses.replace(
        ORGANIZATION,
        doc=("Id or name of the organization that the user belongs to.",),
        returned=Returned("Identifier of the organization that the user belongs to."),
    ),
    Field(
        "password",
        secret=True,
        parse=_password,
        stored=False,
        doc=(
            "The password, of 8 to 1024 characters.",
            "A password that fits the stored hash changes nothing, so that the same task can run"
            " again.",
            "Give this or O(password_hash), not both. With neither, a new user cannot log in by"
            " password.",
        ),
    ),
    Field(
        "password_hash",
        secret=True,
        encrypted=False,  # nobody can read a password from it, and a login needs no key
        parse=_hash,
        doc=(
            "Hash of the password, in the PHC string format of argon2id, version 19,"
            " C($argon2id$v=19$m=19456,t=2,p=1$SALT$HASH).",
            "It must be at least as strong as the weakest parameters that OWASP recommends, such"
            " as C(m=19456,t=2,p=1), with at most 1 GiB of memory, 64 passes and 64 lanes.",
            "Unlike O(password) it is compared as text, so another hash of the same password is a"
            " change.",
        ),
    ),
    Field(
        "linux_user",
        nullable=True,
        parse=_linux_user,
        doc=("Linux user on the nodes that this user acts as. It need not exist yet.",),
        returned=Returned(
            "The Linux user that it is on nodes, V(null) without one.", sample="alice"
        ),
    ),
    DESCRIPTION,
    Field(
        "enabled",
        "bool",
        default=True,
        doc=("Whether the user may log in.",),
        returned=Returned("Whether the user may log in.", "bool", sample=True),
    ),
    Field(
        "expiry",
        nullable=True,
        parse=units.parse_time,
        doc=(
            "Moment from which on the user may no longer log in, as ISO 8601 date or time. Without"
            " an offset it is in UTC; a date means its first moment. A user without one never"
            " expires.",
        ),
        returned=Returned(
            "When the account ends or ended, in UTC, V(null) where it never ends.",
            sample="2031-01-31T00:00:00Z",
        ),
    ),
    Field(
        "is_root",
        "bool",
        default=False,
        change=Change.IMMUTABLE,
        doc=("Whether the user is a root user, to whom no access rule applies.",),
        returned=Returned(
            "Whether the user is a root user, whom no policy binds.", "bool", sample=False
        ),
    ),
    Field(
        "roles",
        "list",
        elements="str",
        stored=False,
        parse=few,
        doc=(
            "Ids or names of the user's roles, of the organization or predefined. What the user may"
            " do is what the policies of these roles say together.",
            "Roles that the user has and that are not in the list stay, unless O(purge) says"
            " otherwise. A root user needs none.",
        ),
    ),
)

STEERING = (
    Field(
        "update_password",
        choices=("always", "on_create"),
        default="always",
        doc=(
            "V(always) sets the given password of an existing user, too.",
            "V(on_create) sets it for a user that has none yet, and leaves one that is there"
            " alone.",
        ),
    ),
    Field(
        "purge",
        "bool",
        default=False,
        doc=("Also take from the user the roles that O(roles) does not name.",),
    ),
    FORCE,
)

ROLES = Returned(
    "The names of the user's roles, in the order in which their policies are asked.",
    "list",
    ["operator"],
    elements="str",
)

COMPUTED = {
    "locked": Returned("Whether the user is locked after failed attempts.", "bool", sample=False),
    "mfa_enabled": Returned("Whether the user needs a second factor.", "bool", sample=False),
}
