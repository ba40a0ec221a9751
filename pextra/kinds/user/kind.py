# SPDX-License-Identifier: Apache-2.0
"""Users of an organization. Passwords are kept as argon2id hashes and shown nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds.user.fields import COMPUTED, FIELDS, STEERING
from pextra.model import kinds
from pextra.model.errors import InputError
from pextra.model.request import Request
from pextra.model.spec import KindSpec

if TYPE_CHECKING:
    from pextra.model.rows import UserRow


class User(Kind["UserRow", None]):
    """A person or service that uses the platform."""

    spec = KindSpec(
        name=kinds.USER,
        table="users",
        times=("expiry",),
        prefix="user",
        key="username",
        fields=FIELDS,
        computed=COMPUTED,
        options=STEERING,
        scope=("organization_id",),
        rank=50,
    )

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The organization; the only one where none is named for a new user."""
        found = super().resolve(request, world)
        if "id" not in request.values and "organization_id" not in found:
            found["organization_id"] = world.only(kinds.ORGANIZATION, request.label)["id"]
        return found

    def draft(self, request: Request, current: UserRow | None, row: UserRow, world: World) -> None:
        """Hash a new password; a password that fits the stored hash changes nothing."""
        from pextra.kinds.user import passwords

        password = request.values.get("password")
        if password and request.values.get("password_hash"):
            raise InputError("give password or password_hash, not both", resource=request.label)
        if current is None:
            row.update({"locked": False, "mfa_enabled": False})
        old = current["password_hash"] if current else None
        if old and request.options.get("update_password") == "on_create":
            row["password_hash"] = old
        elif password and not (old and passwords.verify_password(old, password)):
            row["password_hash"] = passwords.hash_password(password)
