# SPDX-License-Identifier: Apache-2.0
"""Users of an organization. Passwords are kept as argon2id hashes and shown nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pextra.access import predefined
from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds import links, shared
from pextra.kinds.user import root
from pextra.kinds.user.fields import COMPUTED, FIELDS, STEERING
from pextra.model import kinds
from pextra.model.change import RowChange
from pextra.model.errors import InputError, PextraError
from pextra.model.names import Key
from pextra.model.request import Request
from pextra.model.spec import KindSpec
from pextra.model.values import Document

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
        small=True,
        rank=50,
    )

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The organization; the only one where none is named for a new user."""
        found = super().resolve(request, world)
        if "id" not in request.values and "organization_id" not in found:
            found["organization_id"] = world.only(kinds.ORGANIZATION, request.label)["id"]
        return found

    def names(self, request: Request) -> Iterable[Key]:
        """Its own, and those of its roles."""
        yield from super().names(request)
        for name in request.values.get("roles", ()):
            yield kinds.ROLE, name

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
        if "roles" in request.values:
            self._give(request.values["roles"], request, current, row, world)

    def _give(
        self,
        refs: Iterable[str],
        request: Request,
        current: UserRow | None,
        row: UserRow,
        world: World,
    ) -> None:
        own, known = row["organization_id"], predefined.ROLE_IDS
        wanted = [shared.require(kinds.ROLE, ref, own, world, known)["id"] for ref in refs]
        links.link(
            kinds.USER_ROLE, kinds.USER, row["id"], kinds.ROLE, wanted, world,
            fresh=current is None, purge=bool(request.options.get("purge")),
        )  # fmt: skip

    def retire(self, request: Request, current: UserRow, world: World) -> None:
        """The user's roles go with it."""
        links.unlink(kinds.USER_ROLE, kinds.USER, current["id"], world)

    def review(
        self, changes: Sequence[RowChange], asked: Mapping[Key, Request], world: World
    ) -> Iterable[PextraError]:
        """Some root user stays, and nobody locks themselves out."""
        own = [change for change in changes if change.spec.name == kinds.USER]
        yield from root.problems(own, world)
        parts = [change for change in changes if change.spec.name != kinds.USER]
        if parts:
            from pextra.kinds import rights

            yield from rights.lockouts(kinds.USER, parts, asked, world)

    def present(self, row: UserRow, world: World) -> Document:
        """The user with the names of its roles."""
        has = links.linked(kinds.USER_ROLE, kinds.USER, row["id"], world)
        names = [world.row(kinds.ROLE, item["role_id"])["name"] for item in has]
        return {**super().present(row, world), "roles": names}
