# SPDX-License-Identifier: Apache-2.0
"""Backups of an instance: a file with its volumes and what it is, taken and restored."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from typing import Any

from pextra.backup import archive, restoring, taking
from pextra.calls.call import Answer, Call, Procedure, options, plain, told
from pextra.calls.resource import resources, to_request
from pextra.engine.rows import Source
from pextra.engine.runner import Runner
from pextra.engine.world import World
from pextra.host.hypervisor import power
from pextra.host.machine import Host
from pextra.kinds.common import check_here, parse_path, resolve_node
from pextra.kinds.instance.cloud_init import DATA
from pextra.kinds.registry import KINDS
from pextra.kinds.volume import overlays
from pextra.model import kinds
from pextra.model.errors import ConflictError, InputError, PextraError
from pextra.model.fields import Field, Masked, masked, texts_in
from pextra.model.names import KindName
from pextra.model.plan import Phase, Step
from pextra.model.request import label
from pextra.model.values import Document, Options

FIELDS = (
    Field("path", required=True, parse=parse_path),
    Field("instance"),
    Field("name"),
    Field("storage_pool"),
    Field("force", "bool", default=False),
    Field("state", choices=("present", "restored"), default="present"),
)
KIND = "instance_backup"


def _run(call: Call) -> Answer:
    given = options(FIELDS, call.given, KIND)
    return _restore(call, given) if given["state"] == "restored" else _take(call, given)


def _world(source: Source, host: Host) -> World:
    return World({name: kind.spec for name, kind in KINDS.items()}, source, host)


def _shown(path: str, said: archive.Said) -> Document:
    """A backup as it is returned; without what may be secret."""
    size = os.path.getsize(path) if os.path.isfile(path) else None
    volumes = [str(item["name"]) for item in said["volumes"]]
    keys = ("id", "creation", "instance_id", "state")
    return {"path": path, "size": size, "volumes": volumes, "name": said["instance"]["name"]} | {
        key: said.get(key) for key in keys
    }


def _take(call: Call, asked: Options) -> Answer:
    path, given, host = asked["path"], asked["instance"], call.host
    resource = label("instance", given)
    if not given:
        raise InputError("instance must be given to back it up", resource=KIND)
    world = _world(call.store, host)
    here = resolve_node(None, world, resource)
    instance = world.require(kinds.INSTANCE, given, {"cluster_id": here["cluster_id"]})
    check_here(instance, world, resource)
    if os.path.exists(path) and not asked["force"]:
        said = archive.read_manifest(path)
        if said.get("instance_id") != instance["id"]:
            raise ConflictError(
                f"{path} is the backup of another instance", resource=resource,
                hint="Choose another path, or overwrite it with force=true",
            )  # fmt: skip
        if not call.check:
            taking.tidy(path, instance, host)
        return {"changed": False, "plan": [], "instance_backup": _shown(path, said)}
    if not os.path.isdir(os.path.dirname(path)):
        raise InputError(f"directory {os.path.dirname(path)} does not exist", resource=resource)
    if not call.check:
        instance = taking.encrypted(instance, call.store, host)
    made = taking.manifest(instance, world, dt.datetime.now(dt.UTC))
    runs = power.state(host.qemu, instance["id"]) != "stopped"
    overlays.refuse_any(instance, world, resource, overlaid=runs)
    disks = taking.sources(instance, world)
    after: Document = {"path": path, "volumes": [item["name"] for item in made["volumes"]]}
    step = Step(KindName(KIND), instance["id"], instance["name"], "create", Phase.HOST, None, after)
    if not call.check:
        call.store.transact(lambda tx: call.audit(tx, [step]))
        taking.take(path, made, instance, disks, host)
    shown = _shown(path, made)
    if call.check:
        shown |= {"id": "(known after apply)", "size": None}
    return {"changed": True, "plan": [step.as_dict()], "instance_backup": shown}


def _restore(call: Call, asked: Options) -> Answer:
    path, host = asked["path"], call.host
    said = archive.read_manifest(path)
    count = len(said["volumes"]) if isinstance(said.get("volumes"), list) else 0
    archive.verify(path, count)
    world = _world(call.store, host)
    wanted = restoring.options(said, asked["name"], asked["storage_pool"], world)
    place = restoring.staging(said, host)
    status = restoring.there(wanted, world, place)
    if status == "ready":
        wanted = {"name": wanted["name"]}
    identity = {"cloud_init_id": restoring.identity(said, wanted)}
    request = to_request(KINDS["instance"], wanted)
    request = dataclasses.replace(request, options={**request.options, **identity})
    if call.check and status != "ready":
        # Without the files, which are unpacked only for a real run.
        for volume in request.values["volumes"]:
            del volume["image"]
    runner = Runner(KINDS, call.store, host, call.principal, progress=call.progress)
    if status == "ready" and not call.check:
        restoring.tidy(place)
    if call.check or status == "ready":
        outcome = runner.run([request], check=call.check, allow_restart=False)
    else:
        with restoring.unpacked(path, count, place):
            outcome = runner.run([request], check=False, allow_restart=False)
            id = outcome.drafted.targets[0].id or ""
            call.store.transact(lambda tx: tx.write(restoring.marks(id, said, _world(tx, host))))
    shown = resources(outcome, KINDS)[0]
    if shown is not None:
        shown["restored_from"] = said["id"]
    found = {"instance_backup": _shown(path, said), "instance": shown}
    return {**plain(found), **_told(told(outcome.plan, diff=call.diff), place)}


def _told(found: Answer, place: str) -> Answer:
    """The result without the files that volumes are filled from, which are gone afterwards."""
    for step in found["plan"]:
        after = step["after"] or {}
        if str(after.get("image") or "").startswith(place):
            after["image"] = None
    return found


def _masked(given: Options) -> Masked:
    """What a restored instance's cloud-init may have in it; its file says it, not the options."""
    shown = masked(FIELDS, given).shown
    if given.get("state") != "restored":
        return Masked(shown, frozenset())
    try:
        said = archive.read_manifest(str(given.get("path")))
        with Host() as host:
            cloud_init = dict[str, Any](restoring.definition(said, host))["cloud_init"] or {}
        secrets = [cloud_init.get(name) for name in DATA]
    except (PextraError, AttributeError, KeyError, TypeError):
        secrets = []  # the call itself says what is wrong with the file
    return Masked(shown, frozenset(texts_in(secrets)))


PROCEDURES = (Procedure(KIND, FIELDS, _run, masked=_masked),)
