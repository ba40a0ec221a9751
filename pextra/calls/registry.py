# SPDX-License-Identifier: Apache-2.0
"""Everything that can be called on a node, by name. A call loads only the code that it needs."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

from pextra.calls.call import Answer, Call, Procedure
from pextra.engine.progress import SILENT, Progress
from pextra.host.machine import Host
from pextra.model import ids
from pextra.model.errors import HostError, NotFoundError
from pextra.model.fields import MASK, Masked
from pextra.model.fields import masked as masked_by_fields
from pextra.model.principal import Principal
from pextra.store.address import secrets_of
from pextra.store.connection import Store

_PLACES = {
    "apply": "apply",
    "audit_info": "audit",
    "audit_prune": "audit",
    "audit_verify": "audit",
    "cockroach_license": "cockroach_license",
    "cockroach_license_info": "cockroach_license",
    "database": "database",
    "database_info": "database",
    "instance_backup": "backup",
    "nic_info": "nics",
    "node_files": "node_files",
    "policy_decision_info": "decision",
    "reconcile": "reconcile",
    "secrets_note": "secrets",
    "secrets_rotation": "secrets",
    "secrets_status": "secrets",
    "storage_pool_propagation": "propagation",
    "system_disk": "system",
    "system_files": "system",
    "upgrade_info": "upgrade",
}
"""Which module of this package has what is not one of a kind."""


def find(name: str) -> Procedure:
    """What is called by a name: a kind, a kind's list (``<kind>_info``), or an procedure.

    Raises:
        NotFoundError: This engine has nothing of that name.
    """
    if name in _PLACES:
        place = importlib.import_module(f"pextra.calls.{_PLACES[name]}")
        procedures: tuple[Procedure, ...] = place.PROCEDURES
        return next(item for item in procedures if item.name == name)
    from pextra.kinds.registry import KINDS

    if name in KINDS:
        from pextra.calls.resource import procedure

        return procedure(KINDS[name])
    from pextra.calls.listing import procedures as lists

    found = lists().get(name)
    if found is None:
        import difflib

        near = difflib.get_close_matches(name, names(), 1)
        hint = (
            f"Did you mean {near[0]}?"
            if near
            else f"There are: {', '.join(names())}. A newer python3-pextra may have more; the role"
            " pextra.ce.platform upgrades it"
        )
        raise NotFoundError("this node's engine has nothing of that name", resource=name, hint=hint)
    return found


def names() -> tuple[str, ...]:
    """Every name that can be called, sorted."""
    from pextra.calls.listing import procedures as lists
    from pextra.kinds.registry import MANIFEST_KINDS

    return tuple(sorted({*_PLACES, *MANIFEST_KINDS, *lists()}))


def masked(procedure: Procedure, given: Mapping[str, Any]) -> Masked:
    """Raw options without their secrets, and these, so that a face can keep them from its logs."""
    rest = {key: value for key, value in given.items() if key != "database"}
    found = procedure.masked(rest) if procedure.masked else masked_by_fields(procedure.fields, rest)
    if not given.get("database"):
        return found
    secrets = found.secrets | secrets_of(str(given["database"]))
    return Masked({**found.shown, "database": MASK}, secrets)


def call(
    procedure: Procedure,
    given: Mapping[str, Any],
    principal: Principal,
    *,
    check: bool = False,
    diff: bool = False,
    progress: Progress = SILENT,
    confirms: bool = False,
    store: Store | None = None,
    host: Host | None = None,
) -> Answer:
    """The answer to a call.

    Args:
        procedure: What is called.
        given: The options as they were given.
        principal: Who asks.
        check: Only say what would be done.
        diff: Say also how each changed thing was and will be.
        progress: What follows the call.
        confirms: The caller sees to the answer's ``guards``; what would need that is refused
            otherwise. See host.network.guard. A host that is given says it itself.
        store: The database, kept open for other calls; without it, the one that ``given`` names.
        host: This machine as this call sees it: one each for calls at the same time.

    Raises:
        PextraError: It was refused (nothing was changed), or it failed on the way.
    """
    rest = {key: value for key, value in given.items() if key != "database"}
    with contextlib.ExitStack() as opened:
        if store is None:
            any_schema = procedure.any_schema
            store = opened.enter_context(Store(given.get("database"), any_schema=any_schema))
        if host is None:
            host = opened.enter_context(Host(confirms=confirms))
        made = Call(rest, store, host, identified(principal), check, diff, progress)
        try:
            if check or procedure.reads or not procedure.uses_store:
                return procedure.run(made)
            from pextra.calls.attempts import recorded

            return recorded(procedure, made, lambda: masked(procedure, given))
        except OSError as error:
            raise HostError(str(error)) from error


def identified(principal: Principal) -> Principal:
    """Who asks, with an identifier of this request."""
    request = principal.request_id or ids.new_id("req")
    correlation = principal.correlation_id or request
    return dataclasses.replace(principal, request_id=request, correlation_id=correlation)
