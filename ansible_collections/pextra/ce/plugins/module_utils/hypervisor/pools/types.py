# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage pool types of the platform, and which of them this release realises."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils.errors import UnsupportedError
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.backend import PoolBackend
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.directory import (
    DirectoryPool,
)

TYPES = ("directory", "netfs", "iscsi", "rbd", "zfs", "lvm")
"""Every type of the user guide, chapter Storage Pool Types."""

_BACKENDS: dict[str, PoolBackend] = {"directory": DirectoryPool()}


def backend(type: str) -> PoolBackend:
    """The implementation of a pool type.

    Raises:
        UnsupportedError: This release has none.
    """
    found = _BACKENDS.get(type)
    if found is None:
        raise UnsupportedError(
            f"storage pools of type {type} are not available in this release",
            hint=f"Available: {', '.join(_BACKENDS)}",
        )
    return found
