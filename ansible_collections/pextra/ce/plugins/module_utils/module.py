# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge between Ansible and the engine: options in, result or failure out."""

from __future__ import annotations

import copy
import datetime as dt
import gc
from collections.abc import Mapping
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import (
    argument_spec,
    normalise,
)
from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import Kind, Request, label
from ansible_collections.pextra.ce.plugins.module_utils.engine.run import Outcome, Runner
from ansible_collections.pextra.ce.plugins.module_utils.engine.store_steps import hide_new
from ansible_collections.pextra.ce.plugins.module_utils.errors import PextraError, PlanErrors
from ansible_collections.pextra.ce.plugins.module_utils.host import Host
from ansible_collections.pextra.ce.plugins.module_utils.store.connection import Store
from ansible_collections.pextra.ce.plugins.module_utils.units import format_time

DATABASE: dict[str, Any] = {"type": "str", "no_log": True}


class Module(AnsibleModule):
    """AnsibleModule that also knows which options were given, and with which raw values."""

    def __init__(self, **options: Any) -> None:
        # Looking for unreachable cycles takes longer than what a process of seconds could save.
        gc.set_threshold(50_000)
        super().__init__(**options)

    def _load_params(self) -> None:
        super()._load_params()
        self.given: dict[str, Any] = {
            key: value
            for key, value in copy.deepcopy(self.params).items()
            if not key.startswith("_ansible")
        }
        self.params = _without_nulls(self.params)

    def fail(self, error: PextraError) -> NoReturn:
        """End the task with an error that a user can act on."""
        errors = error.errors if isinstance(error, PlanErrors) else (error,)
        self.fail_json(msg=str(error), code=error.code, errors=[item.as_dict() for item in errors])

    def warn_about(self, text: str) -> None:
        """Show a warning with the task's result."""
        self.warn(text)


def _without_nulls(value: Any) -> Any:
    """The value without what is null at any level: Ansible would hold it against the choices."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def kind_spec(kind: Kind) -> dict[str, Any]:
    """The argument spec of the module of one kind."""
    spec = argument_spec(kind.spec.accepts)
    for item in kind.spec.options:
        if item.default is not None:
            spec[item.name]["default"] = item.default
    spec["state"]["default"] = kind.spec.states[0]
    return {**spec, "database": DATABASE}


def to_request(kind: Kind, given: Mapping[str, Any], position: int = 0) -> Request:
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


def plain(value: Any) -> Any:
    """The value as JSON has it, times as ISO 8601 in UTC."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return format_time(value) if isinstance(value, dt.datetime) else value


def run_kind(name: str, kinds: Mapping[str, Kind]) -> None:
    """The whole of a module that manages one resource of a kind.

    Args:
        name: The kind.
        kinds: It, and the kinds that it has to do with. A module brings no others, because what
            it brings is packed and compiled anew in each task.
    """
    kind = kinds[name]
    module = Module(argument_spec=kind_spec(kind), supports_check_mode=True)
    given = {key: value for key, value in module.given.items() if key != "database"}
    store, host = Store(module.params["database"]), Host()
    try:
        request = to_request(kind, given)
        runner = Runner(kinds, store, host)
        outcome = runner.run(
            [request],
            check=module.check_mode,
            allow_restart=bool(request.options.get("allow_restart")),
        )
        resource = resources(outcome, kinds)[0]
    except PextraError as error:
        module.fail(error)
    finally:
        store.close()
        host.close()
    module.exit_json(**result(outcome, diff=module._diff), **guards(host), **{name: resource})


def resources(outcome: Outcome, kinds: Mapping[str, Kind]) -> list[dict[str, Any] | None]:
    """What each request came to, in their order: the resource, or None where it is gone."""
    world = outcome.drafted.world
    created = world.created_ids() if outcome.check else frozenset[str]()
    found: list[dict[str, Any] | None] = []
    for target in outcome.drafted.targets:
        kind = kinds[target.request.kind]
        row = world.get(target.request.kind, target.id)
        if row is None or (row.get("status") == "deleting" and target.request.state == "absent"):
            found.append(None)
        else:
            found.append(plain(hide_new(kind.present(row, world), created)))
    return found


def guards(host: Host) -> dict[str, Any]:
    """Changes of this run that the controller is to confirm; see network.guard."""
    found = host.links.guards if "links" in host.__dict__ else []
    return {"guards": found} if found else {}


def result(outcome: Outcome, *, diff: bool) -> dict[str, Any]:
    """What every module of the engine returns."""
    steps = [plain(step.as_dict()) for step in outcome.plan]
    found: dict[str, Any] = {"changed": outcome.changed, "plan": steps}
    if diff:
        found["diff"] = [
            {
                "before_header": f"{step['kind']} {step['name']} ({step['action']})",
                "after_header": f"{step['kind']} {step['name']} ({step['action']})",
                "before": step["before"] or "",
                "after": step["after"] or "",
            }
            for step in steps
        ]
    return found
