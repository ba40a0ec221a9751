# SPDX-License-Identifier: Apache-2.0
"""Datacenters: groups of clusters of an organization, at a place on earth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.kinds.common import DESCRIPTION, NAME
from pextra.model.errors import InputError
from pextra.model.fields import Change, Field
from pextra.model.request import Request
from pextra.model.spec import KindSpec


def _degrees(limit: int) -> Callable[[Any], float]:
    def parse(value: Any) -> float:
        if not -limit <= value <= limit:
            raise InputError(f"{value} is not between -{limit} and {limit} degrees")
        return float(value)

    return parse


class Datacenter(Kind):
    """A place with clusters."""

    spec = KindSpec(
        name="datacenter",
        table="datacenters",
        prefix="dc",
        fields=(
            NAME,
            Field("organization", ref="organization", required=True, change=Change.IMMUTABLE),
            DESCRIPTION,
            Field(
                "location",
                "dict",
                nullable=True,
                options=(
                    Field("latitude", "float", required=True, parse=_degrees(90)),
                    Field("longitude", "float", required=True, parse=_degrees(180)),
                ),
            ),
        ),
        scope=("organization_id",),
        rank=20,
    )

    def resolve(self, request: Request, world: World) -> dict[str, Any]:
        """The organization; the only one where none is named for a new datacenter."""
        found = super().resolve(request, world)
        if "id" not in request.values and "organization_id" not in found:
            found["organization_id"] = world.only("organization", request.label)["id"]
        return found
