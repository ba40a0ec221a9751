# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datacenters: groups of clusters of an organization, at a place on earth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Change, Field
from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import Kind, KindSpec, Request
from ansible_collections.pextra.ce.plugins.module_utils.engine.world import World
from ansible_collections.pextra.ce.plugins.module_utils.errors import InputError
from ansible_collections.pextra.ce.plugins.module_utils.kinds.common import DESCRIPTION, NAME


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
        needs=("organization", "cluster"),
        rank=20,
    )

    def resolve(self, request: Request, world: World) -> dict[str, Any]:
        """The organization; the only one where none is named for a new datacenter."""
        found = super().resolve(request, world)
        if "id" not in request.values and "organization_id" not in found:
            found["organization_id"] = world.only("organization", request.label)["id"]
        return found
