# SPDX-License-Identifier: Apache-2.0
"""Organizations: the tenants. The first is the root organization, the owner of the deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.kinds.organization.fields import FIELDS
from pextra.model import kinds
from pextra.model.spec import KindSpec

if TYPE_CHECKING:
    from pextra.model.rows import OrganizationRow  # noqa: F401 - the base class says it


class Organization(Kind["OrganizationRow", None]):
    """A tenant."""

    spec = KindSpec(
        name=kinds.ORGANIZATION,
        table="organizations",
        prefix="org",
        fields=FIELDS,
        rank=10,
    )
