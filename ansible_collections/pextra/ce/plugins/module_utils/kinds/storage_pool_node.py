# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storage pool on one node: what libvirt there knows of it. Part of the pool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils import ids
from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Field, Row
from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import Kind, KindSpec, Request
from ansible_collections.pextra.ce.plugins.module_utils.engine.plan import Phase, Step
from ansible_collections.pextra.ce.plugins.module_utils.engine.world import World
from ansible_collections.pextra.ce.plugins.module_utils.errors import ForeignError
from ansible_collections.pextra.ce.plugins.module_utils.host import Host
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools.types import backend
from ansible_collections.pextra.ce.plugins.module_utils.kinds.storage_pool import refuse_volumes


class StoragePoolNode(Kind):
    """A pool on one node: what libvirt there knows of it."""

    spec = KindSpec(
        name="storage_pool_node",
        table="storage_pool_nodes",
        prefix="pooln",
        fields=(
            Field("name", required=True),
            Field("storage_pool", ref="storage_pool", required=True),
            Field("node", ref="node", required=True),
        ),
        scope=("storage_pool_id", "node_id"),
        needs=("storage_pool", "node"),
        owned_by="storage_pool",
        rank=65,
        host_rank=20,
        on_host=True,
    )

    def retire(self, request: Request, current: Row, world: World) -> None:
        """A node lets go of a pool only without volumes in it."""
        pool = world.get("storage_pool", current["storage_pool_id"])
        if pool is not None:
            refuse_volumes(world, pool, current["node_id"], request.label)

    def observe(self, rows: Sequence[Row], host: Host, world: World) -> Mapping[str, Any]:
        """libvirt's pools: one listing; ours are known by UUID."""
        from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools import defined

        return defined.observe(
            {row["id"]: row["name"] for row in rows if row["node_id"] == world.here}, host
        )

    def converge(
        self, request: Request | None, row: Row | None, gone: Row | None, seen: Any, world: World
    ) -> Iterable[Step]:
        """Define, start and autostart; or stop and undefine."""
        current = row or gone
        if current is None or seen is None or current["node_id"] != world.here:
            return
        if seen.foreign:
            raise ForeignError(
                "libvirt has a pool of that name that is not ours",
                resource=f'storage_pool "{current["name"]}"',
                hint="Use another name; pools of others are never touched",
            )
        pool = world.get("storage_pool", current["storage_pool_id"])
        if pool is None:
            return
        if gone is not None:
            if seen.defined:
                yield self._step(current, pool, "undefine", {"state": "defined"}, None)
            return
        if not (seen.defined and seen.active and seen.autostart and seen.path_exists):
            before = {"defined": seen.defined, "active": seen.active, "autostart": seen.autostart}
            after = dict.fromkeys(before, True)
            yield self._step(current, pool, "define", before, after)

    def _step(self, row: Row, pool: Row, action: str, before: Any, after: Any) -> Step:
        payload = (pool["type"], pool["options"], ids.uuid_of(row["id"]))
        return Step(
            "storage_pool_node", row["id"], row["name"], action, Phase.HOST, before, after,
            payload=payload,
        )  # fmt: skip

    def execute(self, step: Step, host: Host) -> None:
        """Carry out a step with libvirt."""
        from ansible_collections.pextra.ce.plugins.module_utils.hypervisor.pools import defined

        type, options, uuid = step.payload
        if step.action == "define":
            defined.define(host.qemu, backend(type), step.name, uuid, options)
        else:
            defined.undefine(host.qemu, backend(type), uuid, options)
