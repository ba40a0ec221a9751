# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a read looks at. Everything is read when it is first looked at, once and in bulk."""

from __future__ import annotations

import datetime as dt
import functools
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.engine.world import World
from ansible_collections.pextra.ce.plugins.module_utils.host import Host
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.backend import VolumeState
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.defined import PoolState
from ansible_collections.pextra.ce.plugins.module_utils.info.domains import Domains
from ansible_collections.pextra.ce.plugins.module_utils.kinds.registry import KINDS
from ansible_collections.pextra.ce.plugins.module_utils.kinds.volume_snapshot import Seen


class Rows(Protocol):
    """What gives the rows of a table, such as a transaction."""

    def rows(self, table: str) -> list[Row]:
        """Every row of a table, in one query."""


class _Tables(dict[str, dict[str, Row]]):
    """Rows by kind and id; a kind is read when it is first looked at."""

    def __init__(self, read: Callable[[str], Iterable[Row]]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, kind: str) -> dict[str, Row]:
        self[kind] = {row["id"]: row for row in self._read(kind)}
        return self[kind]


class View(World):
    """The store's rows, this machine, and the moment.

    Args:
        tx: Gives the rows: one query a kind that is looked at.
        host: This machine.
        now: The moment at which the read takes place.
    """

    def __init__(self, tx: Rows, host: Host, now: dt.datetime) -> None:
        super().__init__({}, {}, host)
        self._specs = {name: kind.spec for name, kind in KINDS.items()}
        self._rows = _Tables(lambda kind: tx.rows(KINDS[kind].spec.table))
        self._domains: dict[str, Domains] = {}
        self._definitions: dict[str, ET.Element | None] = {}
        self.now = now

    def name(self, kind: str, id: str | None) -> str | None:
        """The name of the resource with this id."""
        row = self.get(kind, id)
        return str(row[KINDS[kind].spec.key]) if row is not None else None

    def is_here(self, row: Row) -> bool:
        """Whether the row's node is this machine, so that what it realises can be looked at."""
        return self.here is not None and self.here == row["node_id"]

    @functools.cached_property
    def pools(self) -> Mapping[str, PoolState]:
        """libvirt's storage pools, by the id of the pool's association with this node."""
        rows = self.by("storage_pool_node", "node_id", self.here) if self.here else []
        return KINDS["storage_pool_node"].observe(rows, self.host, self)

    @functools.cached_property
    def volumes(self) -> Mapping[str, VolumeState]:
        """The volumes of this node that are there, by id: one look a pool."""
        rows = self.by("volume", "node_id", self.here) if self.here else []
        return KINDS["volume"].observe(rows, self.host, self)

    @functools.cached_property
    def snapshots(self) -> Mapping[str, Seen]:
        """The snapshots of this node's volumes, by id: one look a volume that has any."""
        rows = self.by("volume_snapshot", "node_id", self.here) if self.here else []
        return KINDS["volume_snapshot"].observe(rows, self.host, self)

    def domains(self, type: str) -> Domains:
        """libvirt's domains of an instance type: three listings."""
        if type not in self._domains:
            self._domains[type] = Domains.read(self.host.driver(type))
        return self._domains[type]

    def definition(self, row: Row) -> ET.Element | None:
        """The domain of an instance as it runs; None if it does not. A call a running domain."""
        if row["id"] not in self._definitions:
            domains = self.domains(row["type"]) if self.is_here(row) else None
            self._definitions[row["id"]] = domains.definition(row) if domains else None
        return self._definitions[row["id"]]


def usage(capacity: int, available: int) -> dict[str, Any]:
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
