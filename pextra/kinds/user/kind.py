# SPDX-License-Identifier: Apache-2.0
"""Users of an organization. Passwords are kept as argon2id hashes and shown nowhere."""

from __future__ import annotations

import re
from typing import Any

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds.common import DESCRIPTION
from pextra.model import units
from pextra.model.errors import InputError
from pextra.model.fields import Change, Field, Row
from pextra.model.request import Request
from pextra.model.spec import KindSpec

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


class User(Kind):
    """A person or service that uses the platform."""

    spec = KindSpec(
        name="user",
        table="users",
        prefix="user",
        key="username",
        fields=(
            Field("username", parse=_username, required=True, change=Change.IMMUTABLE),
            Field("organization", ref="organization", required=True, change=Change.IMMUTABLE),
            Field("password", secret=True, parse=_password, stored=False),
            Field("password_hash", secret=True, parse=_hash),
            Field("linux_user", nullable=True, parse=_linux_user),
            DESCRIPTION,
            Field("enabled", "bool", default=True),
            Field("expiry", nullable=True, parse=units.parse_time),
            Field("is_root", "bool", default=False, change=Change.IMMUTABLE),
        ),
        options=(Field("update_password", choices=("always", "on_create"), default="always"),),
        scope=("organization_id",),
        rank=50,
    )

    def resolve(self, request: Request, world: World) -> dict[str, Any]:
        """The organization; the only one where none is named for a new user."""
        found = super().resolve(request, world)
        if "id" not in request.values and "organization_id" not in found:
            found["organization_id"] = world.only("organization", request.label)["id"]
        return found

    def draft(self, request: Request, current: Row | None, row: Row, world: World) -> None:
        """Hash a new password; a password that fits the stored hash changes nothing."""
        from pextra.kinds.user import passwords

        password = request.values.get("password")
        if password and request.values.get("password_hash"):
            raise InputError("give password or password_hash, not both", resource=request.label)
        if current is None:
            row.update(locked=False, mfa_enabled=False)
        old = current["password_hash"] if current else None
        if old and request.options.get("update_password") == "on_create":
            row["password_hash"] = old
        elif password and not (old and passwords.verify_password(old, password)):
            row["password_hash"] = passwords.hash_password(password)
