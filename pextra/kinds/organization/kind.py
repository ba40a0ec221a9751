# SPDX-License-Identifier: Apache-2.0
"""Organizations: the tenants. The first is the root organization, the owner of the deployment."""

from __future__ import annotations

from pextra.engine.kind import Kind
from pextra.kinds.organization.fields import FIELDS
from pextra.model.spec import KindSpec


class Organization(Kind):
    """A tenant."""

    spec = KindSpec(
        name="organization",
        table="organizations",
        prefix="org",
        fields=FIELDS,
        rank=10,
    )
