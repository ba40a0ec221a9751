# SPDX-License-Identifier: Apache-2.0
"""What a read looks at. Everything is read when it is first looked at, once and in bulk."""

from __future__ import annotations

import datetime as dt
import functools
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from pextra.engine.rows import R, Source, Where
from pextra.engine.world import World
from pextra.host.hypervisor.domains import Domains
from pextra.host.machine import Host
from pextra.host.pools.backend import VolumeState
from pextra.host.pools.defined import PoolState
from pextra.kinds.registry import KINDS
from pextra.kinds.volume_snapshot.kind import Seen
from pextra.model import kinds
from pextra.model.names import AnyName, KindName
from pextra.model.spec import KindSpec
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.kinds.common import OnNode
    from pextra.model.rows import InstanceRow


class Counting(Source, Protocol):
    """What gives rows, and says how many there are."""

    def count(self, spec: KindSpec, column: str, values: Sequence[str]) -> Mapping[str, int]:
        """How many rows of a kind have each of these values in a column; none are left out."""


class View(World):
    """The store's rows, this machine, and the moment.

    Args:
        tx: Gives the rows.
        host: This machine.
        now: The moment at which the read takes place.
    """

    def __init__(self, tx: Counting, host: Host, now: dt.datetime) -> None:
        super().__init__({name: kind.spec for name, kind in KINDS.items()}, tx, host)
        self._tx = tx
        self._domains: dict[str, Domains] = {}
        self._definitions: dict[str, ET.Element | None] = {}
        self._counts: dict[tuple[str, str], dict[str, int]] = {}
        self.now = now

    def _is_small(self, parent: str) -> bool:
        """A list is about all of its resources: whatever belongs to them is read together."""
        return True

    def listed(self, kind: KindName[R], where: Where) -> list[R]:
        """The resources of a kind that a list is about."""
        rows = self.some(kind, where, None)
        for row in rows:
            self.subject(kind, row["id"])
        return rows

    def count(self, kind: AnyName, column: str, id: str) -> int:
        """How many of a kind refer to a resource with a column; counted for all that are listed."""
        counts = self._counts.setdefault((kind, column), {})
        if id not in counts:
            ids = {id, *self._subjects[column.removesuffix("_id")]}
            found = self._tx.count(KINDS[kind].spec, column, sorted(ids))
            counts.update({**dict.fromkeys(ids, 0), **found})
        return counts[id]

    def name(self, kind: AnyName, id: str | None) -> str | None:
        """The name of the resource with this id."""
        row = self.get(kind, id)
        return str(row[KINDS[kind].spec.key]) if row is not None else None

    def is_here(self, row: OnNode) -> bool:
        """Whether the row's node is this machine, so that what it realises can be looked at."""
        return self.here is not None and self.here == row["node_id"]

    @functools.cached_property
    def pools(self) -> Mapping[str, PoolState]:
        """libvirt's storage pools, by the id of the pool's association with this node."""
        rows = self.by(kinds.STORAGE_POOL_NODE, "node_id", self.here) if self.here else []
        return KINDS["storage_pool_node"].observe(rows, self.host, self)

    @functools.cached_property
    def volumes(self) -> Mapping[str, VolumeState]:
        """The volumes of this node that are there, by id: one look a pool."""
        rows = self.by(kinds.VOLUME, "node_id", self.here) if self.here else []
        return KINDS["volume"].observe(rows, self.host, self)

    @functools.cached_property
    def snapshots(self) -> Mapping[str, Seen]:
        """The snapshots of this node's volumes, by id: one look a volume that has any."""
        rows = self.by(kinds.VOLUME_SNAPSHOT, "node_id", self.here) if self.here else []
        return KINDS["volume_snapshot"].observe(rows, self.host, self)

    def domains(self, type: str) -> Domains:
        """libvirt's domains of an instance type: four listings."""
        if type not in self._domains:
            self._domains[type] = Domains.read(self.host.driver(type))
        return self._domains[type]

    def definition(self, row: InstanceRow) -> ET.Element | None:
        """The domain of an instance as it runs; None if it does not. A call a running domain."""
        if row["id"] not in self._definitions:
            domains = self.domains(row["type"]) if self.is_here(row) else None
            self._definitions[row["id"]] = domains.definition(row) if domains else None
        return self._definitions[row["id"]]


def usage(capacity: int, available: int) -> Document:
    """Bytes as the platform shows usage: GB of 10^9 bytes, and percent."""
    allocated = capacity - available
    return {
        "capacity": round(capacity / 10**9, 2),
        "allocated": round(allocated / 10**9, 2),
        "available": round(available / 10**9, 2),
        "percent_used": percent(allocated, capacity),
    }


def percent(part: float, whole: float) -> float:
    """A share with one digit, 0 of nothing."""
    return round(100 * part / whole, 1) if whole else 0.0
