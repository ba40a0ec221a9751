# SPDX-License-Identifier: Apache-2.0
"""The fields of organizations: what a request may say, and what is returned."""

from __future__ import annotations

import dataclasses

from pextra.kinds.common import DESCRIPTION, NAME
from pextra.model import units
from pextra.model.returned import Returned

FIELDS = (
    dataclasses.replace(
        NAME,
        parse=units.parse_title,
        doc=(
            "Name of the organization, unique in the deployment. Renaming it changes nothing else.",
            "From 1 to 63 letters of any script, digits, spaces and marks as names of companies"
            " have them, such as C(Kea & Sons), beginning with a letter or digit.",
        ),
        returned=Returned("Name of the organization.", sample="Example"),
    ),
    DESCRIPTION,
)
