# SPDX-License-Identifier: Apache-2.0
"""VLANs as users write them. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pextra.host.network.snapshot import Ranges, ranges, span_text
from pextra.model.errors import InputError

if TYPE_CHECKING:
    from pextra.model.rows import PortGroupRow

UNTAGGED = 1
"""The VLAN of frames without a tag, on every port that is given no other."""
_SPAN = re.compile(r"\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?", re.ASCII)


def parse_trunk(value: Any) -> list[str]:
    """VLAN ids and ranges such as ``10`` and ``20-30``: sorted, merged, as text.

    Raises:
        InputError: One is no VLAN id or range between 1 and 4094.
    """
    ids = set[int]()
    for item in value:
        match = _SPAN.fullmatch(str(item))
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else 0
        if not 1 <= first <= last <= 4094:
            raise InputError(
                f"{str(item)[:40]!r} is no VLAN and no range of VLANs",
                hint="Write 10 or 20-30, between 1 and 4094",
            )
        ids |= set(range(first, last + 1))
    return [span_text(span) for span in ranges(ids)]


def of_trunk(trunk: list[str]) -> Ranges:
    """The ranges of a canonical trunk."""
    pairs = (item.partition("-") for item in trunk)
    return tuple((int(first), int(last or first)) for first, _dash, last in pairs)


def of_group(group: PortGroupRow) -> frozenset[int]:
    """The VLANs that a port group's row uses."""
    if group["vlan_id"] is not None:
        return frozenset({group["vlan_id"]})
    return frozenset(
        id for first, last in of_trunk(group["trunk"]) for id in range(first, last + 1)
    )
