# SPDX-License-Identifier: Apache-2.0
"""A node's licence as its row keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.licensing.token import Edition, License

if TYPE_CHECKING:
    from pextra.model.rows import NodeLicenseRow


def license_of_row(row: NodeLicenseRow) -> License:
    """The licence, as it was authenticated when it was set."""
    return License(
        id=row["id"],
        customer=row["customer"],
        edition=Edition(row["edition"]),
        issued_at=row["not_before"],
        not_before=row["not_before"],
        expires_at=row["expiry"],
        signer="",
    )
