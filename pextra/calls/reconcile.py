# SPDX-License-Identifier: Apache-2.0
"""Making this node what the store says: all of it, a kind, or some resources."""

from __future__ import annotations

from collections.abc import Sequence

from pextra.calls.call import Answer, Call, Procedure, options, plain, told
from pextra.calls.resource import guards
from pextra.engine.reconcile import Finding, Reconciler, Scope
from pextra.kinds.registry import KINDS
from pextra.model.errors import IncompleteError, InputError, PextraError
from pextra.model.fields import Field
from pextra.model.values import Document

POSSIBLE = Reconciler.possible(KINDS)
FIELDS = (Field("kind", choices=POSSIBLE), Field("names", "list", elements="str"))


def reconciled(call: Call, scope: Scope) -> list[Finding]:
    """What was found and done."""
    run = Reconciler(KINDS, call.store, call.host, call.principal, call.progress)
    return run.run(scope, check=call.check)


def _reconcile(call: Call) -> Answer:
    """See to everything; fail in the end if something could not be seen to."""
    given = options(FIELDS, call.given, "reconcile")
    if given["names"] is not None and given["kind"] is None:
        raise InputError("names are given, and kind is missing", resource="reconcile")
    names = tuple(given["names"]) if given["names"] is not None else None
    findings = reconciled(call, Scope(given["kind"], names))
    steps = [step for item in findings for step in item.steps]
    answer = {
        **told(steps, diff=call.diff),
        **guards(call.host),
        "resources": [shown(item) for item in findings],
    }
    wrong = [about(item, item.error) for item in findings if item.error is not None]
    if wrong:
        raise IncompleteError(wrong, answer)
    return answer


def about(item: Finding, error: PextraError) -> PextraError:
    """An error that says which resource it is about."""
    resource = error.resource or f'{item.kind} "{item.name}"'
    return type(error)(error.message, resource=resource, hint=error.hint)


def shown(item: Finding) -> Document:
    """A finding as it is returned."""
    return {
        "kind": item.kind,
        "id": item.id,
        "name": item.name,
        "found": item.found.value,
        "branch": item.branch,
        "changed": bool(item.steps),
        "actions": [step.action for step in item.steps],
        "left": _left(item),
        "error": item.error.as_dict() if item.error is not None else None,
    }


def _left(item: Finding) -> Sequence[Document]:
    return [{**plain(left.step.as_dict()), "why": left.why} for left in item.left]


PROCEDURES = (Procedure("reconcile", FIELDS, _reconcile, module=False),)
