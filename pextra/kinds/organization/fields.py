# SPDX-License-Identifier: Apache-2.0
"""The fields of organizations: what a request may say, and what is returned."""

from __future__ import annotations

from pextra.kinds.common import DESCRIPTION, NAME
from pextra.model.fields import documented
from pextra.model.returned import Returned

FIELDS = (
    documented(
        NAME,
        "Name of the organization, unique in the deployment. Renaming it changes nothing else.",
        returned=Returned("Name of the organization.", sample="Example"),
    ),
    DESCRIPTION,
)
