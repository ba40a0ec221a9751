# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A manifest: resources of any kinds, made true in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import secrets_in
from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import Request
from ansible_collections.pextra.ce.plugins.module_utils.engine.run import Outcome, Runner
from ansible_collections.pextra.ce.plugins.module_utils.errors import (
    InputError,
    PextraError,
    PlanErrors,
)
from ansible_collections.pextra.ce.plugins.module_utils.host import Host
from ansible_collections.pextra.ce.plugins.module_utils.kinds.registry import KINDS, MANIFEST_KINDS
from ansible_collections.pextra.ce.plugins.module_utils.module import (
    DATABASE,
    Module,
    guards,
    resources,
    result,
    to_request,
)
from ansible_collections.pextra.ce.plugins.module_utils.store.connection import Store


def run_manifest() -> None:
    """The whole of the module ``apply``."""
    spec = {
        "resources": {"type": "list", "elements": "dict", "required": True},
        "purge": {
            "type": "list", "elements": "str", "choices": list(MANIFEST_KINDS), "default": [],
        },
        "allow_restart": {"type": "bool", "default": False},
        "database": DATABASE,
    }  # fmt: skip
    # Entries may hold secrets, so the invocation is kept out of the system's log.
    module = Module(argument_spec=spec, supports_check_mode=True, no_log=True)
    module.no_log_values.update(_manifest_secrets(module.params["resources"]))
    store, host = Store(module.params["database"]), Host()
    try:
        requests = manifest(_entries(module))
        runner = Runner(KINDS, store, host, purge=module.params["purge"])
        outcome = runner.run(
            requests, check=module.check_mode, allow_restart=module.params["allow_restart"]
        )
        applied = _by_resource(outcome)
    except PextraError as error:
        module.fail(error)
    finally:
        store.close()
        host.close()
    module.exit_json(**result(outcome, diff=module._diff), **guards(host), resources=applied)


def _entries(module: Module) -> list[Mapping[str, Any]]:
    """The entries as they were given, nulls included; one that is text, as Ansible reads it."""
    read: list[Mapping[str, Any]] = module.params["resources"]
    given = module.given["resources"]
    if not isinstance(given, list):
        return read
    return [
        raw if isinstance(raw, Mapping) else entry for raw, entry in zip(given, read, strict=True)
    ]


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


def _manifest_secrets(entries: Sequence[Mapping[str, Any]]) -> set[str]:
    found: set[str] = set()
    for entry in entries:
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
