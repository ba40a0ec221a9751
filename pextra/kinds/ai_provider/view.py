# SPDX-License-Identifier: Apache-2.0
"""What is returned of an AI provider; its key never is."""

from __future__ import annotations

from pextra.kinds.info import Computed, Info
from pextra.model import kinds
from pextra.model.returned import Returned

HAS_KEY = Returned("Whether it has a key.", "bool", sample=True)

AI_PROVIDER = Info(
    kind=kinds.AI_PROVIDER,
    plural="ai_providers",
    parents=(kinds.ORGANIZATION,),
    computed={"has_api_key": Computed(lambda row, _view: bool(row["api_key"]), HAS_KEY)},
)
