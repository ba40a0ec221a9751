# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole of the module ``storage_pool_propagation``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils.errors import PextraError
from ansible_collections.pextra.ce.plugins.module_utils.host import Host
from ansible_collections.pextra.ce.plugins.module_utils.module import DATABASE, Module, plain
from ansible_collections.pextra.ce.plugins.module_utils.propagation.run import (
    Propagated,
    propagate,
)
from ansible_collections.pextra.ce.plugins.module_utils.store.connection import Store

SPEC: dict[str, Any] = {
    "storage_pools": {"type": "list", "elements": "str"},
    "database": DATABASE,
}


def run_propagation() -> None:
    """See to the pools; fail in the end if one of them could not be seen to."""
    module = Module(argument_spec=SPEC, supports_check_mode=True)
    store, host = Store(module.params["database"]), Host()
    try:
        names = module.params.get("storage_pools")
        done = propagate(store, host, names, check=module.check_mode)
    except PextraError as error:
        module.fail(error)
    finally:
        store.close()
        host.close()
    found = result(done, diff=module._diff)
    failed = [item for item in done if item.error is not None]
    if failed:
        text = "; ".join(f'storage_pool "{item.name}": {item.error}' for item in failed)
        module.fail_json(msg=text, code="host", errors=[_error(item) for item in failed], **found)
    module.exit_json(**found)


def _error(item: Propagated) -> dict[str, str | None]:
    resource = f'storage_pool "{item.name}"'
    return {"code": "host", "resource": resource, "message": item.error, "hint": None}


def result(done: Sequence[Propagated], *, diff: bool) -> dict[str, Any]:
    """What the module returns."""
    steps = [plain(step.as_dict()) for item in done for step in item.steps]
    found: dict[str, Any] = {
        "changed": bool(steps),
        "plan": steps,
        "storage_pools": [
            {
                "id": item.id,
                "name": item.name,
                "branch": item.branch.value,
                "changed": bool(item.steps),
                "error": item.error,
            }
            for item in done
        ],
    }
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
