# SPDX-License-Identifier: Apache-2.0
"""Datacenters: groups of clusters of an organization, at a place on earth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds.datacenter.fields import FIELDS
from pextra.model import kinds
from pextra.model.request import Request
from pextra.model.spec import KindSpec

if TYPE_CHECKING:
    from pextra.model.rows import DatacenterRow  # noqa: F401 - the base class says it


class Datacenter(Kind["DatacenterRow", None]):
    """A place with clusters."""

    spec = KindSpec(
        name=kinds.DATACENTER,
        table="datacenters",
        prefix="dc",
        fields=FIELDS,
        scope=("organization_id",),
        rank=20,
    )

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The organization; the only one where none is named for a new datacenter."""
        found = super().resolve(request, world)
        if "id" not in request.values and "organization_id" not in found:
            found["organization_id"] = world.only(kinds.ORGANIZATION, request.label)["id"]
        return found
