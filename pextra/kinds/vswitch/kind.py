# SPDX-License-Identifier: Apache-2.0
"""vSwitches: one Linux bridge each, on one node, with a name that is unique in the cluster."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.host.machine import Host
from pextra.host.network import vlans
from pextra.host.network.snapshot import Bond, ranges
from pextra.host.network.switch import BridgeState
from pextra.kinds.common import check_here, resolve_node
from pextra.kinds.vswitch import uplinks as vswitch_uplinks
from pextra.kinds.vswitch.fields import COMPUTED, FIELDS, STEERING
from pextra.model import ids, kinds
from pextra.model.errors import ConflictError, ForeignError
from pextra.model.plan import Phase, Shown, Step, Work
from pextra.model.request import Request
from pextra.model.spec import KindSpec
from pextra.model.values import Document, Value

if TYPE_CHECKING:
    from pextra.model.rows import VSwitchRow


@dataclasses.dataclass(frozen=True, slots=True)
class BridgeWork(Work):
    """What a step needs: the bridge as it should be, and how long a guard waits, in seconds."""

    want: BridgeState
    timeout: int


class VSwitch(Kind["VSwitchRow", BridgeState]):
    """A virtual switch."""

    spec = KindSpec(
        name=kinds.VSWITCH,
        table="vswitches",
        prefix="svs",
        small=True,
        on_node=True,
        fields=FIELDS,
        computed=COMPUTED,
        options=STEERING,
        scope=("cluster_id",),
        rank=75,
        host_rank=10,
        on_host=True,
    )

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The node, this one unless named, and its cluster."""
        if "id" in request.values and "node" not in request.values:
            return {}
        node = resolve_node(request.values.get("node"), world, request.label)
        return {"node_id": node["id"], "cluster_id": node["cluster_id"]}

    def draft(
        self, request: Request, current: VSwitchRow | None, row: VSwitchRow, world: World
    ) -> None:
        """Only the node itself can make its bridges, and of interfaces that it has."""
        check_here(row, world, request.label)
        row.setdefault("addressing", None)
        vswitch_uplinks.check(request, current, row, world)

    def retire(self, request: Request, current: VSwitchRow, world: World) -> None:
        """Only the node itself can remove its bridges; what it answers to moves back."""
        check_here(current, world, request.label)
        if current["addressing"] and request.options.get("management") != "migrate":
            addresses = ", ".join(current["addressing"]["addresses"])
            raise ConflictError(
                f"its bridge carries this node's addresses: {addresses}",
                resource=request.label,
                hint="management: migrate moves them back to the uplink",
            )

    def realised(self, row: VSwitchRow, world: World) -> bool:
        """A removal not before it is confirmed: until then the node may put the bridge back."""
        return super().realised(row, world) and not any(
            guard["removal"] and guard["vswitch"] == row["name"]
            for guard in world.host.links.guards
        )

    def observe(
        self, rows: Sequence[VSwitchRow], host: Host, world: World
    ) -> Mapping[str, BridgeState]:
        """The links of these names."""
        host.links.look()
        found = {}
        for row in rows:
            here = row["node_id"] == world.here
            state = host.links.bridge(wanted(row, world)) if here else None
            if state is not None:
                found[row["id"]] = state
        return found

    def converge(
        self,
        request: Request | None,
        row: VSwitchRow | None,
        gone: VSwitchRow | None,
        seen: BridgeState | None,
        world: World,
    ) -> Iterable[Step]:
        """Create or correct the bridge and its persistent configuration; or remove both."""
        current = row or gone
        if current is None or current["node_id"] != world.here:
            return
        want = wanted(current, world)
        options = request.options if request is not None else {}
        work = BridgeWork(want, options.get("guard_timeout", 60))
        if seen is not None and seen.mac != want.mac:
            if gone is not None:
                return
            raise ForeignError(
                "the host has a network interface of that name that is not ours",
                resource=f'vswitch "{current["name"]}"',
                hint="Use another name; interfaces of others are never touched",
            )
        if gone is not None:
            if seen is not None and world.attended:
                world.host.links.check_confirmed(want)
            if seen is not None or not world.host.links.units_gone(want):
                yield self._step(current, "remove", None, None, work)
            return
        units_kept = world.host.links.units_match(want)
        if world.attended and (seen != want or not units_kept):
            world.host.links.check_confirmed(want)
        if seen is None:
            after = _shown(want, BridgeState(want.name, want.mac, -1, False))
            yield self._step(current, "bridge", None, after, work)
        elif seen != want or not units_kept:
            before = {**_shown(seen, want), "persistent": units_kept}
            after = {**_shown(want, seen), "persistent": True}
            yield self._step(current, "bridge", before, after, work)

    def _step(
        self,
        row: VSwitchRow,
        action: str,
        before: Shown,
        after: Shown,
        work: BridgeWork,
    ) -> Step:
        return Step(
            kinds.VSWITCH, row["id"], row["name"], action, Phase.HOST, before, after, work=work
        )

    def unasked(self, step: Step, row: VSwitchRow) -> str | None:
        """Nobody would confirm a change of what the node itself answers to: it would be undone."""
        if row["addressing"]:
            return (
                "its bridge carries this node's addresses, and somebody has to confirm the change"
            )
        return super().unasked(step, row)

    def execute(self, step: Step, host: Host) -> None:
        """Carry out a step by netlink and systemd-networkd."""
        work = step.work_as(BridgeWork)
        if step.action == "bridge":
            host.links.make_bridge(work.want, work.timeout)
        else:
            host.links.remove_bridge(work.want, work.timeout)


def _shown(state: BridgeState, other: BridgeState) -> Document:
    """What a step says of a bridge: how it is, and what differs from the other."""
    return {
        item.name: _plain(getattr(state, item.name))
        for item in dataclasses.fields(state)
        if item.name in ("mtu", "up") or getattr(state, item.name) != getattr(other, item.name)
    }


def _plain(value: Any) -> Value:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key: _plain(item) for key, item in dataclasses.asdict(value).items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def mac_of(id: str) -> str:
    """The MAC address of a vSwitch's bridge, made from the identifier.

    Identifiers began with ``vsw-`` before 0.2.0: an address that a bridge has does not change.
    """
    return ids.mac_of(f"vsw-{id.partition('-')[2]}")


def wanted(row: VSwitchRow, world: World) -> BridgeState:
    """The bridge that a vSwitch is; its MAC address, made from the id, marks it as ours."""
    addressing = vswitch_uplinks.addressing(row)
    filtering = world.host.links.vlan_filtering
    names = tuple(row["uplinks"])
    groups = world.by(kinds.PORT_GROUP, "vswitch_id", row["id"])
    used = {id for group in groups for id in vlans.of_group(group)} - {vlans.UNTAGGED}
    return BridgeState(
        row["name"], mac_of(row["id"]), row["mtu"], True,
        vlan_filtering=filtering,
        uplinks=names,
        bond=Bond(**row["bond"]) if len(names) > 1 else None,
        vlans=ranges(used) if filtering and names else (),
        ipv6=addressing is not None and addressing.ipv6,
        addressing=addressing,
    )  # fmt: skip
