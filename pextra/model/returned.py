# SPDX-License-Identifier: Apache-2.0
"""How a value that is returned is documented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Returned:
    """The documentation of one value that is returned.

    Attributes:
        doc: What it is, in sentences with the markup of Ansible's documentation.
        type: Ansible's type of it.
        sample: How it may look; of a dictionary, instead of ``contains``.
        elements: The type of a list's elements.
        contains: The values in a dictionary, or in each dictionary of a list.
        nullable: Whether it can be null, where it is in a dictionary that a column holds.
    """

    doc: str | tuple[str, ...]
    type: str = "str"
    sample: Any = None
    elements: str | None = None
    contains: Mapping[str, Returned] = field(default_factory=dict)
    nullable: bool = False

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """What it is, as paragraphs."""
        return (self.doc,) if isinstance(self.doc, str) else self.doc
