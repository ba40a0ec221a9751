# SPDX-License-Identifier: Apache-2.0
"""Which branch of the propagation algorithm a pool takes on a node. Pure.

The algorithm is the platform's; docs/storage.md has it as a picture.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from pextra.host.pools.defined import PoolState

if TYPE_CHECKING:
    from pextra.model.rows import StoragePoolNodeRow, StoragePoolRow


class Branch(enum.Enum):
    """What propagation does with a pool on this node."""

    NONE = "none"
    """The pool, or its association with this node, does not exist: nothing to do."""
    REALISE = "realise"
    """Enabled, and libvirt does not have it: test the connection, define it, note its id, start it.

    It was never made here, or somebody removed it: then it is drift, and is made again.
    """
    AVAILABLE = "available"
    """Enabled and available: done."""
    START = "start"
    """Enabled and defined, but not available: start it."""
    FORGET = "forget"
    """Enabled, but lost to somebody else's pool of its name, and without volumes here.

    It cannot be made again, and nothing is lost: the association is removed.
    """
    HELD = "held"
    """Marked for removal, but it cannot be destroyed yet."""
    REMOVE = "remove"
    """Marked for removal: destroy it here, then remove the association."""


def decide(
    association: StoragePoolNodeRow | None,
    pool: StoragePoolRow | None,
    seen: PoolState,
    held: int,
) -> Branch:
    """The branch.

    Args:
        association: The pool's row for this node.
        pool: The pool's row.
        seen: What libvirt has.
        held: Volumes that the pool has on this node.
    """
    if association is None or pool is None:
        return Branch.NONE
    if going(association, pool):
        return Branch.HELD if held else Branch.REMOVE
    if association["internal_id"] is None:
        return Branch.REALISE
    if seen.foreign and not held:
        return Branch.FORGET
    if not seen.defined:
        return Branch.REALISE
    return Branch.AVAILABLE if seen.available else Branch.START


def going(association: StoragePoolNodeRow, pool: StoragePoolRow) -> bool:
    """Whether a pool is to go from a node."""
    return "deleting" in (association["status"], pool["status"])
