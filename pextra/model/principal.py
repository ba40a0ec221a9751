# SPDX-License-Identifier: Apache-2.0
"""Who asks: it is written into every audit row, and what it may do is decided by it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks for something.

    Attributes:
        user: The name by which it is known where it comes from.
        origin: Host name or address that it comes from.
        door: What it came through: ``ansible``, ``cli``, ``timer``, ``installer``.
        organization_id: The organization that it belongs to; None for the root of a node.
        request_id: Ties together what was done for one request; a call that has none gets one.
        correlation_id: Ties several requests together, such as those of one play; without one, it
            is the request's.
    """

    user: str
    origin: str
    door: str
    organization_id: str | None = None
    request_id: str = ""
    correlation_id: str = ""
