# SPDX-License-Identifier: Apache-2.0
"""A manifest: resources of any kinds, made true in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pextra.calls.call import Answer, Call, Procedure, options, told
from pextra.calls.resource import guards, resources, to_request
from pextra.engine.runner import Outcome, Runner
from pextra.kinds.registry import KINDS, MANIFEST_KINDS
from pextra.model.errors import InputError, PextraError, PlanErrors
from pextra.model.fields import Field, secrets_in
from pextra.model.request import Request

FIELDS = (
    Field("resources", "list", elements="dict", required=True),
    Field("purge", "list", elements="str", choices=MANIFEST_KINDS, default=[]),
    Field("allow_restart", "bool", default=False),
)


def _apply(call: Call) -> Answer:
    given = options(FIELDS, call.given, "apply")
    requests = manifest(given["resources"])
    runner = Runner(
        KINDS, call.store, call.host, call.principal, purge=given["purge"], say=call.say
    )
    outcome = runner.run(requests, check=call.check, allow_restart=given["allow_restart"])
    found = {**told(outcome.plan, diff=call.diff), **guards(call.host)}
    return {**found, "resources": _by_resource(outcome)}


def manifest(entries: Sequence[Mapping[str, Any]]) -> list[Request]:
    """The requests of a manifest.

    Raises:
        PlanErrors: Entries are unacceptable; all of them are listed.
    """
    requests: list[Request] = []
    errors: list[PextraError] = []
    seen: dict[tuple[Any, ...], int] = {}
    for position, entry in enumerate(entries):
        options = dict(entry)
        name = options.pop("kind", None)
        try:
            if name not in MANIFEST_KINDS:
                raise InputError(
                    f"resources[{position}] has kind {name!r}",
                    hint=f"Possible are: {', '.join(MANIFEST_KINDS)}",
                )
            request = to_request(KINDS[name], options, position)
            values = request.values
            parents = tuple(
                str(values.get(item.name)) for item in KINDS[name].spec.fields if item.ref
            )
            identity = (name, values.get("id"), values.get(KINDS[name].spec.key), *parents)
            if identity in seen:
                raise InputError(
                    f"it is listed twice: resources[{seen[identity]}] and [{position}]",
                    resource=request.label,
                )
            seen[identity] = position
            requests.append(request)
        except PextraError as error:
            errors.append(error)
    if errors:
        raise PlanErrors(errors)
    return requests


def _secrets(given: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    entries = given.get("resources")
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, Mapping):
            continue
        kind = KINDS.get(str(entry.get("kind")))
        if kind is not None:
            found |= secrets_in(kind.spec.accepts, entry)
    return found


def _by_resource(outcome: Outcome) -> list[dict[str, Any]]:
    actions: dict[tuple[str, str], list[str]] = {}
    for step in outcome.plan:
        actions.setdefault((step.kind, step.id), []).append(step.action)
    found = []
    for target, resource in zip(outcome.drafted.targets, resources(outcome, KINDS), strict=True):
        done = actions.get((target.request.kind, target.id or ""), [])
        found.append(
            {
                "kind": target.request.kind,
                "name": target.request.values.get(KINDS[target.request.kind].spec.key),
                "id": resource["id"] if resource else None,
                "state": target.request.state,
                "changed": bool(done),
                "actions": done,
                "resource": resource,
            }
        )
    return found


PROCEDURES = (Procedure("apply", FIELDS, _apply, secrets=_secrets),)
