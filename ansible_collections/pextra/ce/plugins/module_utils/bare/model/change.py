# Copied from pextra/model/change.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""A planned change of a row of the store."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.pextra.ce.plugins.module_utils.bare.model.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.bare.model.spec import KindSpec


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that planning created, changed or retired; ``after`` is None where it goes."""

    spec: KindSpec
    id: str
    before: Row | None
    after: Row | None
