# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is returned of a storage pool: how far its nodes have it, and how full it is here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.defined import PoolState
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.types import backend
from ansible_collections.pextra.ce.plugins.module_utils.info.spec import Info, count_of
from ansible_collections.pextra.ce.plugins.module_utils.info.view import View, usage

_FILE_BASED = ("directory", "netfs")
"""Types whose volumes are files (user guide, Storage Pool Types); images are files too."""


@dataclass(frozen=True, slots=True)
class Status:
    """How it is with a pool, on a node or altogether, and why if it is not available."""

    text: str
    reason: str | None = None


def node_status(association: Row, seen: PoolState | None) -> Status:
    """A pool on one node.

    Args:
        association: The row of the pool on the node.
        seen: What libvirt has there; None where the node is not this machine.
    """
    if association["status"] == "deleting":
        return Status("deleting", "it is being removed from the node")
    if association["error"]:
        return Status("error", association["error"])
    if seen is not None and seen.foreign:
        return Status("error", "libvirt has a pool of that name that is not ours")
    if association["status"] != "ready":
        return Status("pending", "the node has not made it yet")
    if seen is None or (seen.defined and seen.active and seen.path_exists):
        return Status("available")
    if not seen.defined:
        return Status("error", "libvirt does not have it any more")
    if not seen.path_exists:
        return Status("error", "its directory is missing")
    return Status("error", "it is not active")


def pool_status(pool: Row, nodes: list[tuple[str, Status]]) -> Status:
    """A pool altogether (user guide, Storage Pool Status), from its nodes' names and statuses."""
    if pool["status"] == "deleting":
        return Status("deleting", _listed(nodes) or "nothing is left of it on any node")
    enabled = [(name, status) for name, status in nodes if status.text != "deleting"]
    if not enabled:
        return Status("disabled", _listed(nodes) or "it is not enabled on any node")
    for text in ("error", "pending"):
        found = [(name, status) for name, status in enabled if status.text == text]
        if found:
            return Status(text, _listed(found))
    return Status("available")


def _listed(nodes: list[tuple[str, Status]]) -> str:
    return "; ".join(f"{name}: {status.reason}" for name, status in nodes)


def _associations(row: Row, view: View) -> list[tuple[Row, str, Status]]:
    """The pool's associations, with the node's name and how it is there, sorted by name."""
    found = []
    for item in view.by("storage_pool_node", "storage_pool_id", row["id"]):
        seen = view.pools.get(item["id"]) if view.is_here(item) else None
        name = view.name("node", item["node_id"]) or item["node_id"]
        found.append((item, name, node_status(item, seen)))
    return sorted(found, key=lambda entry: entry[1])


def _status(row: Row, view: View) -> Status:
    return pool_status(row, [(name, status) for _, name, status in _associations(row, view)])


def _initialized(row: Row, view: View) -> bool:
    enabled = [item for item, _, status in _associations(row, view) if status.text != "deleting"]
    defined = (
        view.pools[item["id"]].defined if view.is_here(item) else item["status"] == "ready"
        for item in enabled
    )
    return bool(enabled) and all(defined)


def _nodes(row: Row, view: View) -> list[dict[str, Any]]:
    return [
        {
            "node_id": item["node_id"],
            "name": name,
            "status": status.text,
            "reason": status.reason,
        }
        for item, name, status in _associations(row, view)
    ]


def _usage(row: Row, view: View) -> dict[str, Any] | None:
    here = any(view.is_here(item) for item, _, _ in _associations(row, view))
    seen = backend(row["type"]).usage(row["options"]) if here else None
    return usage(seen.capacity, seen.available) if seen is not None else None


STORAGE_POOL = Info(
    kind="storage_pool",
    plural="storage_pools",
    columns=("id", "cluster_id", "name", "description", "type", "options", "creation"),
    parents=("cluster",),
    computed={
        "status": lambda row, view: _status(row, view).text,
        "status_reason": lambda row, view: _status(row, view).reason,
        "initialized": _initialized,
        "available": lambda row, view: _status(row, view).text == "available",
        "can_hold_images": lambda row, _view: row["type"] in _FILE_BASED,
        "usage": _usage,
        "volume_count": count_of("volume", "storage_pool_id"),
        "nodes": _nodes,
    },
)
