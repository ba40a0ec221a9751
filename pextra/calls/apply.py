# SPDX-License-Identifier: Apache-2.0
"""A manifest: resources of any kinds, made true in one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pextra.calls.call import Answer, Call, Procedure, options, told
from pextra.calls.resource import besides, resources, to_request
from pextra.engine.runner import Outcome, Runner
from pextra.kinds.registry import KINDS, MANIFEST_KINDS
from pextra.model.errors import AggregateError, InputError, PextraError, each
from pextra.model.fields import MASK, Field, Masked, masked
from pextra.model.request import Request
from pextra.model.values import Document, Options, convert, quoted

FIELDS = (
    Field("resources", "list", elements="dict", required=True),
    Field("purge", "list", elements="str", choices=MANIFEST_KINDS, default=[]),
    Field("allow_restart", "bool", default=False),
)
_KIND = Field("kind")
"""What an entry has besides the options of its kind."""


def _apply(call: Call) -> Answer:
    given = options(FIELDS, call.given, "apply")
    requests = manifest(given["resources"])
    runner = Runner(
        KINDS, call.store, call.host, call.principal, purge=given["purge"], progress=call.progress
    )
    outcome = runner.run(requests, check=call.check, allow_restart=given["allow_restart"])
    found = {**told(outcome.plan, diff=call.diff), **besides(outcome, call.host)}
    return {**found, "resources": _by_resource(outcome)}


def manifest(entries: Sequence[Options]) -> list[Request]:
    """The requests of a manifest.

    Raises:
        AggregateError: Entries are unacceptable; all of them are listed.
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
                    f"resources[{position}] has kind {quoted(name)}",
                    hint=f"Possible are: {', '.join(MANIFEST_KINDS)}",
                )
            request = to_request(KINDS[name], options, position)
            values = request.values
            parents = tuple(
                str(values.get(item.name)) for item in KINDS[name].spec.fields if item.ref
            )
            identity = (name, values.get("id"), values.get(KINDS[name].spec.key), *parents)
            if identity in seen and any(part is not None for part in identity[1:3]):
                raise InputError(
                    f"it is listed twice: resources[{seen[identity]}] and [{position}]",
                    resource=request.label,
                )
            seen[identity] = position
            requests.append(request)
        except PextraError as error:
            errors += each(error)
    if errors:
        raise AggregateError(errors)
    return requests


def _masked(given: Options) -> Masked:
    """What is secret in an entry is known by its kind; of an unknown kind, all may be."""
    whole = masked(FIELDS, given)
    entries = given.get("resources")
    if entries is None:
        return whole
    parts = [
        _masked_entry(entry) for entry in (entries if isinstance(entries, list) else [entries])
    ]
    shown = {**whole.shown, "resources": [part for part, _secrets in parts]}
    return Masked(shown, whole.secrets.union(*(secrets for _part, secrets in parts)))


def _masked_entry(entry: Any) -> tuple[Any, frozenset[str]]:
    try:
        options = convert("dict", entry)
    except InputError:
        return MASK, frozenset()
    kind = KINDS.get(str(options.get("kind")))
    if kind is None:
        return dict.fromkeys(options, MASK) | {"kind": options.get("kind")}, frozenset()
    part = masked((_KIND, *kind.spec.accepts), options)
    return part.shown, part.secrets


def _by_resource(outcome: Outcome) -> list[Document]:
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


PROCEDURES = (Procedure("apply", FIELDS, _apply, masked=_masked),)
