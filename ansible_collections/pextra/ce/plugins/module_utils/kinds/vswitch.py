# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vSwitches: one Linux bridge each, on one node, with a name that is unique in the cluster."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible_collections.pextra.ce.plugins.module_utils import ids
from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Change, Field, Row
from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import Kind, KindSpec, Request
from ansible_collections.pextra.ce.plugins.module_utils.engine.plan import Phase, Step
from ansible_collections.pextra.ce.plugins.module_utils.engine.world import World
from ansible_collections.pextra.ce.plugins.module_utils.errors import ForeignError, InputError
from ansible_collections.pextra.ce.plugins.module_utils.host import Host
from ansible_collections.pextra.ce.plugins.module_utils.kinds.common import (
    DESCRIPTION,
    NODE,
    check_here,
    resolve_node,
    within,
)

if TYPE_CHECKING:
    from ansible_collections.pextra.ce.plugins.module_utils.network.links import BridgeState

_NAME = re.compile(r"svswitch[1-9][0-9]{0,6}", re.ASCII)


def _name(value: Any) -> str:
    if not _NAME.fullmatch(str(value)):
        raise InputError(
            f"{str(value)[:80]!r} is not a vSwitch name",
            hint="Write svswitch and a positive integer of up to 7 digits, such as svswitch10",
        )
    return str(value)


class VSwitch(Kind):
    """A virtual switch."""

    spec = KindSpec(
        name="vswitch",
        table="vswitches",
        prefix="vsw",
        fields=(
            Field("name", parse=_name, required=True, change=Change.IMMUTABLE),
            NODE,
            DESCRIPTION,
            Field("mtu", "int", default=1500, parse=within(576, 9216)),
        ),
        scope=("cluster_id",),
        needs=("cluster", "node", "port_group"),
        rank=75,
        host_rank=10,
        on_host=True,
    )

    def resolve(self, request: Request, world: World) -> dict[str, Any]:
        """The node, this one unless named, and its cluster."""
        if "id" in request.values and "node" not in request.values:
            return {}
        node = resolve_node(request.values.get("node"), world, request.label)
        return {"node_id": node["id"], "cluster_id": node["cluster_id"]}

    def draft(self, request: Request, current: Row | None, row: Row, world: World) -> None:
        """Only the node itself can make its bridges."""
        check_here(row, world, request.label)

    def retire(self, request: Request, current: Row, world: World) -> None:
        """Only the node itself can remove its bridges."""
        check_here(current, world, request.label)

    def observe(self, rows: Sequence[Row], host: Host, world: World) -> Mapping[str, BridgeState]:
        """The links of these names."""
        found = {}
        for row in rows:
            state = host.links.bridge(row["name"]) if row["node_id"] == world.here else None
            if state is not None:
                found[row["id"]] = state
        return found

    def converge(
        self, request: Request | None, row: Row | None, gone: Row | None, seen: Any, world: World
    ) -> Iterable[Step]:
        """Create or correct the bridge and its persistent configuration; or remove both."""
        current = row or gone
        if current is None or current["node_id"] != world.here:
            return
        want = wanted(current)
        if seen is not None and seen.mac != want.mac:
            if gone is not None:
                return
            raise ForeignError(
                "the host has a network interface of that name that is not ours",
                resource=f'vswitch "{current["name"]}"',
                hint="Use another name; interfaces of others are never touched",
            )
        units_kept = world.host.links.units_match(want)
        if gone is not None:
            if seen is not None or not world.host.links.units_gone(want):
                yield self._step(current, "remove", None, None, want)
        elif seen is None:
            yield self._step(current, "bridge", None, {"mtu": want.mtu, "up": True}, want)
        elif seen != want or not units_kept:
            before = {"mtu": seen.mtu, "up": seen.up, "persistent": units_kept}
            after = {"mtu": want.mtu, "up": True, "persistent": True}
            yield self._step(current, "bridge", before, after, want)

    def _step(self, row: Row, action: str, before: Any, after: Any, want: BridgeState) -> Step:
        return Step(
            "vswitch", row["id"], row["name"], action, Phase.HOST, before, after, payload=want
        )

    def execute(self, step: Step, host: Host) -> None:
        """Carry out a step by netlink and systemd-networkd."""
        if step.action == "bridge":
            host.links.make_bridge(step.payload)
        else:
            host.links.remove_bridge(step.payload)


def wanted(row: Row) -> BridgeState:
    """The bridge that a vSwitch is; its MAC address, made from the id, marks it as ours."""
    from ansible_collections.pextra.ce.plugins.module_utils.network.links import BridgeState

    return BridgeState(row["name"], ids.mac_of(row["id"]), row["mtu"], True)
