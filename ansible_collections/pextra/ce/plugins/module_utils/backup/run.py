# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ``instance_backup``."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils.backup import archive, restoring, taking
from ansible_collections.pextra.ce.plugins.module_utils.engine.kind import label
from ansible_collections.pextra.ce.plugins.module_utils.engine.run import Runner
from ansible_collections.pextra.ce.plugins.module_utils.engine.world import World
from ansible_collections.pextra.ce.plugins.module_utils.errors import (
    ConflictError,
    InputError,
    PextraError,
)
from ansible_collections.pextra.ce.plugins.module_utils.host import Host
from ansible_collections.pextra.ce.plugins.module_utils.kinds.common import (
    check_here,
    parse_path,
    resolve_node,
)
from ansible_collections.pextra.ce.plugins.module_utils.kinds.on_node import KINDS
from ansible_collections.pextra.ce.plugins.module_utils.module import (
    DATABASE,
    Module,
    plain,
    resources,
    result,
    to_request,
)
from ansible_collections.pextra.ce.plugins.module_utils.store.connection import Store, Transaction

SPEC: dict[str, Any] = {
    "path": {"type": "str", "required": True},
    "instance": {"type": "str"},
    "name": {"type": "str"},
    "storage_pool": {"type": "str"},
    "force": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "restored"], "default": "present"},
    "database": DATABASE,
}


def run_instance_backup() -> None:
    """The whole of the module."""
    module = Module(argument_spec=SPEC, supports_check_mode=True)
    store, host = Store(module.params["database"]), Host()
    try:
        path = parse_path(module.params["path"])
        work = _restore if module.params["state"] == "restored" else _take
        found = work(module, path, store, host)
    except PextraError as error:
        module.fail(error)
    finally:
        store.close()
        host.close()
    module.exit_json(**found)


def _world(tx: Transaction, host: Host) -> World:
    specs = {name: kind.spec for name, kind in KINDS.items()}
    return World(specs, {name: tx.rows(spec.table) for name, spec in specs.items()}, host)


def _shown(path: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """A backup as it is returned; without what may be secret."""
    size = os.path.getsize(path) if os.path.isfile(path) else None
    volumes = [str(item["name"]) for item in said["volumes"]]
    keys = ("id", "creation", "instance_id", "state")
    return {"path": path, "size": size, "volumes": volumes, "name": said["instance"]["name"]} | {
        key: said.get(key) for key in keys
    }


def _take(module: Module, path: str, store: Store, host: Host) -> dict[str, Any]:
    given = module.params.get("instance")
    resource = label("instance", given)
    if not given:
        raise InputError("instance must be given to back it up", resource="instance_backup")
    world = store.transact(lambda tx: _world(tx, host))
    here = resolve_node(None, world, resource)
    instance = world.require("instance", given, {"cluster_id": here["cluster_id"]})
    check_here(instance, world, resource)
    if os.path.exists(path) and not module.params["force"]:
        said = archive.read_manifest(path)
        if said.get("instance_id") != instance["id"]:
            raise ConflictError(
                f"{path} is the backup of another instance", resource=resource,
                hint="Choose another path, or overwrite it with force=true",
            )  # fmt: skip
        if not module.check_mode:
            taking.tidy(path, instance, host)
        return {"changed": False, "plan": [], "instance_backup": _shown(path, said)}
    if not os.path.isdir(os.path.dirname(path)):
        raise InputError(f"directory {os.path.dirname(path)} does not exist", resource=resource)
    said = taking.manifest(instance, world, dt.datetime.now(dt.UTC))
    disks = taking.sources(instance, world)
    if not module.check_mode:
        taking.take(path, said, instance, disks, host)
    after = {"path": path, "volumes": [item["name"] for item in said["volumes"]]}
    step = {
        "kind": "instance_backup", "name": instance["name"], "action": "create", "before": None,
        "after": after, "needs_restart": False,
    }  # fmt: skip
    shown = _shown(path, said)
    if module.check_mode:
        shown |= {"id": "(known after apply)", "size": None}
    return {"changed": True, "plan": [step], "instance_backup": shown}


def _restore(module: Module, path: str, store: Store, host: Host) -> dict[str, Any]:
    said = archive.read_manifest(path)
    count = len(said["volumes"]) if isinstance(said.get("volumes"), list) else 0
    archive.verify(path, count)
    name, pool = module.params.get("name"), module.params.get("storage_pool")
    wanted = restoring.options(said, name, pool, host)
    user_data = (wanted.get("cloud_init") or {}).get("user_data")
    if user_data:
        module.no_log_values.add(user_data)
    place = restoring.staging(said, host)
    world = store.transact(lambda tx: _world(tx, host))
    status = restoring.there(wanted, world, place)
    if status == "ready":
        wanted = {"name": wanted["name"]}
    request = to_request(KINDS["instance"], wanted)
    if module.check_mode and status != "ready":
        # Without the files, which are unpacked only for a real run.
        for volume in request.values["volumes"]:
            del volume["image"]
    runner = Runner(KINDS, store, host)
    if status == "ready" and not module.check_mode:
        restoring.tidy(place)
    if module.check_mode or status == "ready":
        outcome = runner.run([request], check=module.check_mode, allow_restart=False)
    else:
        with restoring.unpacked(path, count, place):
            outcome = runner.run([request], check=False, allow_restart=False)
            id = outcome.drafted.targets[0].id or ""
            store.transact(lambda tx: tx.write(restoring.marks(id, said, _world(tx, host))))
    shown = resources(outcome, KINDS)[0]
    if shown is not None:
        shown["restored_from"] = said["id"]
    found = {"instance_backup": _shown(path, said), "instance": shown}
    return {**plain(found), **_told(result(outcome, diff=module._diff), place)}


def _told(found: dict[str, Any], place: str) -> dict[str, Any]:
    """The result without the files that volumes are filled from, which are gone afterwards."""
    for step in found["plan"]:
        after = step["after"] or {}
        if str(after.get("image") or "").startswith(place):
            after["image"] = None
    return found
