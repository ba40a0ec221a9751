# Copied from pextra/model/request.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""What is asked for, and how messages call a resource."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.pextra.ce.plugins.module_utils.bare.model.names import AnyName
from ansible_collections.pextra.ce.plugins.module_utils.bare.model.values import Options


@dataclass(frozen=True, slots=True)
class Request:
    """What one task or one manifest entry asks for.

    Attributes:
        kind: The kind's name, such as ``volume``.
        state: One of the kind's states.
        values: Canonical values of the fields that were given, and no others.
        options: Canonical values of what steers the run, such as ``timeout``.
        position: Where it stands among the run's requests, from 0.
        left_out: It is about what the user has not named, such as what a purge lets go.
    """

    kind: AnyName
    state: str
    values: Options
    options: Options = field(default_factory=dict)
    position: int = 0
    left_out: bool = False

    @property
    def label(self) -> str:
        """How messages call it, such as ``volume "data"``."""
        values = self.values
        return label(self.kind, values.get("name") or values.get("username") or values.get("id"))


def label(kind: str, name: object) -> str:
    """How messages call a resource, such as ``volume "data"``."""
    text = str(name) if isinstance(name, (str, int, float)) else ""
    text = text if text.isprintable() else repr(text)[1:-1]
    return f'{kind} "{text if len(text) <= 80 else text[:77] + "..."}"' if text else kind
