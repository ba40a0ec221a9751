# SPDX-License-Identifier: Apache-2.0
"""Roles: policies under a name, which users are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pextra.access import predefined
from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds import links, shared
from pextra.kinds.role.fields import FIELDS, STEERING
from pextra.model import kinds
from pextra.model.change import RowChange
from pextra.model.errors import ConflictError, InputError, PextraError
from pextra.model.names import Key
from pextra.model.request import Request
from pextra.model.spec import KindSpec
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.model.rows import RoleRow


class Role(Kind["RoleRow", None]):
    """Policies under a name."""

    spec = KindSpec(
        name=kinds.ROLE,
        table="roles",
        prefix="iamrole",
        fields=FIELDS,
        options=STEERING,
        scope=("organization_id",),
        rank=45,
    )

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The organization."""
        return dict(shared.organization_of(request, super().resolve(request, world), world))

    def names(self, request: Request) -> Iterable[Key]:
        """Its own, and those of its policies."""
        yield from super().names(request)
        for name in request.values.get("policies", ()):
            yield kinds.POLICY, name

    def draft(self, request: Request, current: RoleRow | None, row: RoleRow, world: World) -> None:
        """Give it its policies, in their order."""
        shared.check_own(request, current, row, predefined.POLICIES)
        values = request.values
        wanted = self._policies(values["policies"], row, world) if "policies" in values else None
        if values.get("copy_of"):
            if wanted is not None:
                raise InputError("give policies or copy_of, not both", resource=request.label)
            if current is None:
                wanted = self._copied(values["copy_of"], row, world)
        if wanted is not None:
            links.link(
                kinds.ROLE_POLICY, kinds.ROLE, row["id"], kinds.POLICY, wanted, world,
                fresh=current is None, purge=bool(request.options.get("purge")),
            )  # fmt: skip

    def _policies(self, refs: Iterable[str], row: RoleRow, world: World) -> list[str]:
        own, known = row["organization_id"], predefined.POLICY_IDS
        return [shared.require(kinds.POLICY, ref, own, world, known)["id"] for ref in refs]

    def _copied(self, ref: str, row: RoleRow, world: World) -> list[str]:
        own, known = row["organization_id"], predefined.ROLE_IDS
        source = shared.require(kinds.ROLE, ref, own, world, known)
        has = links.linked(kinds.ROLE_POLICY, kinds.ROLE, source["id"], world)
        return [item["policy_id"] for item in has]

    def retire(self, request: Request, current: RoleRow, world: World) -> None:
        """No user may have it."""
        shared.check_removable(request, current)
        held = world.staying(kinds.USER_ROLE, {"role_id": current["id"]})
        if held:
            users = [world.row(kinds.USER, item["user_id"])["username"] for item in held]
            raise ConflictError(
                f"users have it: {shared.named(users)}",
                resource=request.label,
                hint="Take it from these users first",
            )
        links.unlink(kinds.ROLE_POLICY, kinds.ROLE, current["id"], world)

    def review(
        self, changes: Sequence[RowChange], asked: Mapping[Key, Request], world: World
    ) -> Iterable[PextraError]:
        """Nobody locks themselves out."""
        from pextra.kinds import rights

        return rights.lockouts(kinds.ROLE, changes, asked, world)

    def present(self, row: RoleRow, world: World) -> Document:
        """The role with the names of its policies."""
        has = links.linked(kinds.ROLE_POLICY, kinds.ROLE, row["id"], world)
        names = [world.row(kinds.POLICY, item["policy_id"])["name"] for item in has]
        public = super().present(row, world)
        return {**public, "policies": names, "predefined": row["organization_id"] is None}
