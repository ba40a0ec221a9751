# SPDX-License-Identifier: Apache-2.0
"""What is returned of a node's licence; its key is masked."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pextra.kinds.info import Computed, Info
from pextra.kinds.node_license.stored import license_of_row
from pextra.kinds.view import View
from pextra.licensing import token
from pextra.licensing.token import License
from pextra.model import kinds
from pextra.model.returned import Returned

if TYPE_CHECKING:
    from pextra.model.rows import NodeLicenseRow


def license_of(node: str, view: View) -> License | None:
    """A node's licence, as it was authenticated when it was set."""
    rows = view.by(kinds.NODE_LICENSE, "node_id", node)
    return license_of_row(rows[0]) if rows else None


def is_valid(license: License, now: dt.datetime) -> bool:
    """Whether its period has begun and not ended."""
    return license.not_before <= now < license.expires_at


def _valid(row: NodeLicenseRow, view: View) -> bool:
    return is_valid(license_of_row(row), view.now)


def _days_left(row: NodeLicenseRow, view: View) -> int:
    return token.days_left(license_of_row(row), view.now)


NODE_LICENSE = Info(
    kind=kinds.NODE_LICENSE,
    plural="node_licenses",
    parents=(kinds.NODE,),
    computed={
        "key": Computed(
            lambda row, _view: token.mask(row["key"]),
            Returned(
                "The key, masked but for its format and its last four characters.",
                sample="PCE1.****YnBg",
            ),
        ),
        "valid": Computed(_valid, Returned("Whether it is valid now.", "bool", sample=True)),
        "days_left": Computed(
            _days_left,
            Returned(
                "Days until it ends, where a day that has begun counts. V(0) when it has ended.",
                "int",
                sample=30,
            ),
        ),
    },
)
