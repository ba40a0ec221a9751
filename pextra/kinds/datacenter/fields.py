# SPDX-License-Identifier: Apache-2.0
"""The fields of datacenters: what a request may say, and what is returned."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from pextra.kinds.common import DESCRIPTION, NAME, ORGANIZATION
from pextra.model.errors import InputError
from pextra.model.fields import Field, documented
from pextra.model.returned import Returned


def _degrees(limit: int) -> Callable[[Any], float]:
    def parse(value: Any) -> float:
        if not -limit <= value <= limit:
            raise InputError(f"{value} is not between -{limit} and {limit} degrees")
        return float(value)

    return parse


FIELDS = (
    documented(
        NAME,
        "Name of the datacenter, unique in its organization.",
        returned=Returned("Name of the datacenter.", sample="Frankfurt"),
    ),
    dataclasses.replace(
        ORGANIZATION,
        doc=("Id or name of the organization that owns it.",),
        returned=Returned("Identifier of the organization that the datacenter belongs to."),
    ),
    DESCRIPTION,
    Field(
        "location",
        "dict",
        nullable=True,
        options=(
            Field(
                "latitude",
                "float",
                required=True,
                parse=_degrees(90),
                unit="degrees",
                doc=("From V(-90) (south) to V(90) (north).",),
            ),
            Field(
                "longitude",
                "float",
                required=True,
                parse=_degrees(180),
                unit="degrees",
                doc=("From V(-180) (west) to V(180) (east).",),
            ),
        ),
        doc=("Where it is on earth.",),
        returned=Returned(
            "Where it is, V(null) where that was not said.",
            "dict",
            contains={
                "latitude": Returned("Degrees north of the equator.", "float", sample=50.1109),
                "longitude": Returned("Degrees east of Greenwich.", "float", sample=8.6821),
            },
        ),
    ),
)
