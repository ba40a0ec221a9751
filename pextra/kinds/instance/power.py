# SPDX-License-Identifier: Apache-2.0
"""Whether an instance runs: steps that change it, and what a plan says of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pextra.engine.world import World
from pextra.host.hypervisor import pauses
from pextra.kinds.instance import ports as instance_ports
from pextra.kinds.instance.domain import DomainState, desired
from pextra.kinds.instance.work import DomainWork
from pextra.kinds.instance_snapshot import kind as instance_snapshot
from pextra.model import kinds
from pextra.model.errors import ConflictError
from pextra.model.plan import Phase, Step
from pextra.model.request import Request, label
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow


def steps(
    request: Request | None, row: InstanceRow, state: str, seen: DomainState, world: World
) -> Iterator[Step]:
    """The step from how it runs to how the state asks for.

    Raises:
        ConflictError: Something is at work with it that has paused it.
    """
    now = "off" if seen.live is None else "paused" if seen.paused else "running"
    action = {
        ("started", "off"): "start",
        ("started", "paused"): "resume",
        ("stopped", "running"): "shutdown",
        ("stopped", "paused"): "shutdown",
        ("killed", "running"): "kill",
        ("killed", "paused"): "kill",
        ("restarted", "running"): "restart",
        ("restarted", "paused"): "restart",
        ("restarted", "off"): "start",
        # It was shut down only to be started again.
        ("present", "off"): "start" if row["restarting"] else None,
    }.get((state, now))
    if action is None:
        return
    if action != "kill":
        pauses.refuse_passing(seen.paused, label("instance", row["name"]))
    if action in ("start", "restart"):
        instance_snapshot.refuse_half_reverted(world, row, label("instance", row["name"]))
        instance_ports.check_start(row, desired(row, seen, world))
    check_rename(row, seen)
    timeout = request.options.get("timeout", 60) if request else 60
    off = "saved" if seen.saved else "stopped"
    before: Document = {"power": off if now == "off" else now}
    after: Document = {"power": "stopped" if action in ("shutdown", "kill") else "running"}
    if seen.live is not None and seen.live.name != row["name"]:
        before["name"], after["name"] = seen.live.name, row["name"]
    yield Step(
        kinds.INSTANCE, row["id"], row["name"], action, Phase.POWER, before, after,
        work=DomainWork(row["type"], timeout=timeout),
    )  # fmt: skip


def check_rename(row: InstanceRow, seen: DomainState) -> None:
    """Refuse what would give a domain its name back, where libvirt cannot.

    Raises:
        ConflictError: Another tool has renamed it, and keeps something of it.
    """
    renamed = [item for item in (seen.config, seen.live) if item and item.name != row["name"]]
    if renamed and seen.kept:
        raise ConflictError(
            f"another tool has renamed it to {renamed[0].name}, and keeps {_listed(seen.kept)}"
            " of it, with which libvirt renames nothing",
            resource=label("instance", row["name"]),
            hint="Remove them first, with virsh snapshot-delete --metadata or checkpoint-delete",
        )


def refuse_kept(seen: DomainState, resource: str) -> None:
    """Refuse to remove an instance of which another tool keeps something.

    Raises:
        ConflictError: Always.
    """
    raise ConflictError(
        f"another tool keeps {_listed(seen.kept)} of it",
        resource=resource,
        hint="Remove them first, with virsh snapshot-delete or checkpoint-delete; or have libvirt"
        " forget them: force=true",
    )


def _listed(kept: Sequence[str]) -> str:
    return ", ".join(kept[:5]) + (f" and {len(kept) - 5} more" if len(kept) > 5 else "")


def foresee(
    row: InstanceRow,
    state: str,
    steps: Sequence[Step],
    seen: DomainState,
    discards: bool,
    world: World,
) -> None:
    """Note how it runs after these steps, and which restart is begun with them."""
    power = [step for step in steps if step.phase is Phase.POWER]
    outlook = {
        "state": _outlook(power, seen, discards),
        "restarting": _restarting(row, state, power, seen),
    }
    world.foresee(kinds.INSTANCE, row["id"], outlook)


def _restarting(
    row: InstanceRow, state: str, power: Sequence[Step], seen: DomainState
) -> str | None:
    """What the store keeps of a restart until it is finished: the run that is to end for it.

    A machine that is off then, however that came about, is started by whoever looks at it next.
    """
    if any(step.action == "restart" for step in power):
        return seen.run
    if state in ("stopped", "killed") or seen.run not in (None, row["restarting"]):
        return None
    return row["restarting"]


def _outlook(power: Sequence[Step], seen: DomainState, discards: bool) -> str:
    """How the instance runs after these steps, in the words of ``instance_info``."""
    if power:
        return "stopped" if power[-1].action in ("shutdown", "kill") else "running"
    if seen.live is None:
        return "saved" if seen.saved and not discards else "stopped"
    return "paused" if seen.paused else "running"
