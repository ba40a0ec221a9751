# SPDX-License-Identifier: Apache-2.0
"""What is returned of a node's licence; its key is masked."""

from __future__ import annotations

import datetime as dt

from pextra.kinds.info import Info
from pextra.kinds.view import View
from pextra.licensing import token
from pextra.licensing.token import Edition, License
from pextra.model.fields import Row


def license_of(node: str, view: View) -> License | None:
    """A node's licence, as it was authenticated when it was set."""
    rows = view.by("node_license", "node_id", node)
    return _license(rows[0]) if rows else None


def is_valid(license: License, now: dt.datetime) -> bool:
    """Whether its period has begun and not ended."""
    return license.not_before <= now < license.expires_at


def _license(row: Row) -> License:
    return License(
        id=row["id"],
        customer=row["customer"],
        edition=Edition(row["edition"]),
        issued_at=row["not_before"],
        not_before=row["not_before"],
        expires_at=row["expiry"],
        signer="",
    )


def _valid(row: Row, view: View) -> bool:
    return is_valid(_license(row), view.now)


def _days_left(row: Row, view: View) -> int:
    return token.days_left(_license(row), view.now)


NODE_LICENSE = Info(
    kind="node_license",
    plural="node_licenses",
    columns=("id", "node_id", "edition", "customer", "not_before", "expiry", "creation"),
    parents=("node",),
    computed={
        "key": lambda row, _view: token.mask(row["key"]),
        "valid": _valid,
        "days_left": _days_left,
    },
)
