# SPDX-License-Identifier: Apache-2.0
"""One resource of a kind: made, changed, brought into a state, or removed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from pextra.calls.call import Answer, Call, Procedure, plain, told
from pextra.engine.kind import AnyKind
from pextra.engine.runner import Outcome, Runner
from pextra.engine.store_steps import UNKNOWN, hide_new
from pextra.host.machine import Host
from pextra.kinds.registry import KINDS
from pextra.model.fields import Field, normalise
from pextra.model.request import Request, label
from pextra.model.spec import KindSpec
from pextra.model.values import Document, Options


def procedure(kind: AnyKind) -> Procedure:
    """What is called by the name of a kind."""
    return Procedure(kind.spec.name, fields_of(kind.spec), lambda call: _run(kind, call))


def fields_of(spec: KindSpec) -> tuple[Field, ...]:
    """The options of a kind, as a caller gives them.

    What a new resource gets for an option left out is the engine's: only what steers a run has a
    default here.
    """
    steering = {"state", *(item.name for item in spec.options)}
    return tuple(
        item if item.name in steering else dataclasses.replace(item, default=None, required=False)
        for item in spec.accepts
    )


def to_request(kind: AnyKind, given: Options, position: int = 0) -> Request:
    """The request that raw options of one resource make.

    Raises:
        InputError: An option is not acceptable.
    """
    spec = kind.spec
    resource = label(spec.name, given.get(spec.key) or given.get("id"))
    accepted = normalise(spec.accepts, given, resource)
    steering = {item.name: item.default for item in spec.options}
    state = accepted.pop("state", None) or spec.states[0]
    options = {name: accepted.pop(name, default) for name, default in steering.items()}
    return Request(spec.name, state, accepted, options, position)


def _run(kind: AnyKind, call: Call) -> Answer:
    request = to_request(kind, call.given)
    runner = Runner(KINDS, call.store, call.host, call.principal, progress=call.progress)
    outcome = runner.run(
        [request], check=call.check, allow_restart=bool(request.options.get("allow_restart"))
    )
    resource = resources(outcome, KINDS)[0]
    return {
        **told(outcome.plan, diff=call.diff),
        **besides(outcome, call.host),
        kind.spec.name: resource,
    }


def resources(outcome: Outcome, kinds: Mapping[str, AnyKind]) -> list[Document | None]:
    """What each request came to, in their order: the resource, or None where it is gone."""
    world = outcome.drafted.world
    created = world.created_ids() if outcome.check else frozenset[str]()
    found: list[Document | None] = []
    for target, probed in zip(outcome.drafted.targets, outcome.probed, strict=True):
        kind = kinds[target.request.kind]
        row = world.get(target.request.kind, target.id)
        if row is None or (row.get("status") == "deleting" and target.request.state == "absent"):
            found.append(None)
        else:
            shown = {**kind.present(row, world), **probed}
            if outcome.check:
                before = world.before(target.request.kind, row["id"]) or {}
                moments = (key for key in kind.spec.moments if row[key] != before.get(key))
                shown |= dict.fromkeys(moments, UNKNOWN)
            found.append(plain(hide_new(shown, created)))
    return found


def guards(host: Host) -> Answer:
    """Changes of this run that the caller is to confirm; see host.network.guard."""
    return {"guards": host.guards} if host.guards else {}


def besides(outcome: Outcome, host: Host) -> Answer:
    """What is returned besides plan and resources: guards, and what people should know."""
    said = outcome.drafted.world.warnings
    return guards(host) | ({"warnings": list(dict.fromkeys(said))} if said else {})
