# SPDX-License-Identifier: Apache-2.0
"""What is returned of a storage pool: how far its nodes have it, and how full it is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pextra.host.pools.defined import PoolState
from pextra.host.pools.types import FILE_TYPES, backend, pool_of
from pextra.kinds.info import Computed, Info, count_of
from pextra.kinds.view import View, usage
from pextra.model import kinds
from pextra.model.returned import Returned
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.model.rows import StoragePoolNodeRow, StoragePoolRow


@dataclass(frozen=True, slots=True)
class Status:
    """How it is with a pool, and why if it is not available."""

    text: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class OnNode:
    """A pool on one of its nodes.

    Attributes:
        node_id: Identifier of the node.
        node: Name of the node.
        association: The row of the pool on the node.
        seen: What libvirt has there; None where the node is not this machine.
    """

    node_id: str
    node: str
    association: StoragePoolNodeRow
    seen: PoolState | None

    @property
    def made(self) -> bool:
        """Whether the node has made it; of other nodes, what they said last."""
        return self.seen.defined if self.seen else self.association["status"] == "ready"

    @property
    def status(self) -> Status:
        """How it is there."""
        row, seen = self.association, self.seen
        if row["status"] == "deleting":
            return Status("deleting", "it is being removed from the node")
        if row["error"]:
            return Status("error", row["error"])
        if seen is not None and seen.foreign:
            return Status("error", "libvirt has a pool of that name that is not ours")
        if row["status"] != "ready":
            return Status("pending", "the node has not made it yet")
        if seen is None or seen.started:
            return Status("available")
        if not seen.defined:
            return Status("error", "libvirt does not have it any more")
        if seen.trouble:
            return Status("error", seen.trouble)
        return Status("error", "it is not active")


def pool_status(pool: StoragePoolRow, nodes: Sequence[OnNode]) -> Status:
    """How it is with a pool altogether (user guide, Storage Pool Status)."""
    if pool["status"] == "deleting":
        return Status("deleting", _reasons(nodes) or "nothing is left of it on any node")
    enabled = [item for item in nodes if item.status.text != "deleting"]
    if not enabled:
        return Status("disabled", _reasons(nodes) or "it is not enabled on any node")
    for text in ("error", "pending"):
        found = [item for item in enabled if item.status.text == text]
        if found:
            return Status(text, _reasons(found))
    return Status("available")


def _reasons(nodes: Sequence[OnNode]) -> str:
    return "; ".join(f"{item.node}: {item.status.reason}" for item in nodes if item.status.reason)


def _nodes(row: StoragePoolRow, view: View) -> list[OnNode]:
    found = [
        OnNode(
            item["node_id"],
            view.name(kinds.NODE, item["node_id"]) or item["node_id"],
            item,
            view.pools.get(item["id"]) if view.is_here(item) else None,
        )
        for item in view.by(kinds.STORAGE_POOL_NODE, "storage_pool_id", row["id"])
    ]
    return sorted(found, key=lambda item: item.node)


def _status(row: StoragePoolRow, view: View) -> Status:
    return pool_status(row, _nodes(row, view))


def _initialized(row: StoragePoolRow, view: View) -> bool:
    enabled = [item for item in _nodes(row, view) if item.status.text != "deleting"]
    return bool(enabled) and all(item.made for item in enabled)


def _node_list(row: StoragePoolRow, view: View) -> list[Document]:
    return [
        {
            "node_id": item.node_id,
            "name": item.node,
            "status": item.status.text,
            "reason": item.status.reason,
        }
        for item in _nodes(row, view)
    ]


def _usage(row: StoragePoolRow, view: View) -> Document | None:
    here = any(map(view.is_here, view.by(kinds.STORAGE_POOL_NODE, "storage_pool_id", row["id"])))
    seen = backend(row["type"]).usage(pool_of(row, view.host)) if here else None
    return usage(seen.capacity, seen.available) if seen is not None else None


STORAGE_POOL = Info(
    kind=kinds.STORAGE_POOL,
    plural="storage_pools",
    parents=(kinds.CLUSTER,),
    computed={
        "status": Computed(
            lambda row, view: _status(row, view).text,
            Returned(
                (
                    "V(disabled) where it is not enabled on any node, V(available) where it is"
                    " available on all enabled nodes, V(error) where something is wrong on one of"
                    " them, V(pending) where one of them has not made it yet, V(deleting) where"
                    " it is being destroyed.",
                    "This machine is looked at. Of other nodes it is what they said last.",
                ),
                sample="available",
            ),
        ),
        "status_reason": Computed(
            lambda row, view: _status(row, view).reason,
            Returned("Why it is not available, by nodes, V(null) if it is."),
        ),
        "initialized": Computed(
            _initialized,
            Returned(
                "Whether every enabled node has made it. V(false) where there is none.",
                "bool",
                sample=True,
            ),
        ),
        "available": Computed(
            lambda row, view: _status(row, view).text == "available",
            Returned("Whether RV(storage_pools[].status) is V(available).", "bool", sample=True),
        ),
        "can_hold_images": Computed(
            lambda row, _view: row["type"] in FILE_TYPES,
            Returned(
                "Whether its type keeps files, so that image files can be in it.",
                "bool",
                sample=True,
            ),
        ),
        "usage": Computed(
            _usage,
            Returned(
                "How full it is on this machine, for a directory the file system that it is on."
                " V(null) where this machine does not have it.",
                "dict",
                contains={
                    "capacity": Returned("Size in GB of 10^9 bytes.", "float", sample=270.55),
                    "allocated": Returned(
                        "What is used in GB, whoever uses it.", "float", sample=189.55
                    ),
                    "available": Returned("What is free in GB.", "float", sample=81.0),
                    "percent_used": Returned(
                        "What is used of the size, in percent.", "float", sample=70.1
                    ),
                },
            ),
        ),
        "volume_count": Computed(
            count_of(kinds.VOLUME, "storage_pool_id"),
            Returned("How many volumes are in it, on all nodes.", "int", sample=4),
        ),
        "nodes": Computed(
            _node_list,
            Returned(
                "How it is on each node that has it or is to have it.",
                "list",
                elements="dict",
                contains={
                    "node_id": Returned(
                        "Identifier of the node.", sample="node-VF6lOEYQA-_cjIHCRFMbA"
                    ),
                    "name": Returned("Name of the node.", sample="node1"),
                    "status": Returned(
                        "V(available), V(error), V(pending) or V(deleting).", sample="available"
                    ),
                    "reason": Returned("Why it is not available, V(null) if it is."),
                },
            ),
        ),
    },
)
