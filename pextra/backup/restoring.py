# SPDX-License-Identifier: Apache-2.0
"""Restoring an instance from a backup: an ordinary request, whose volumes come from the archive.

Every value of the manifest goes through the same checks as a user's options. The files that the
volumes are filled from have the backup's id in their names, and so volumes that came from it are
known: what an interrupted run began is finished, and what is there already stays.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pextra.backup import archive
from pextra.backup.archive import Said
from pextra.engine.world import World
from pextra.host.machine import Host
from pextra.kinds.instance.cloud_init import DATA, parse_data
from pextra.kinds.network_device.kind import free_mac
from pextra.kinds.registry import KINDS
from pextra.model import ids, kinds
from pextra.model.change import RowChange
from pextra.model.encrypted import recognised
from pextra.model.errors import ConflictError, InputError
from pextra.model.values import Document, Options


def staging(said: Said, host: Host) -> str:
    """The directory of the files that volumes are filled from.

    Raises:
        InputError: The backup has no proper id.
    """
    id = said.get("id")
    if not isinstance(id, str) or not ids.is_id("backup", id):
        raise InputError("the backup's manifest has no id")
    return f"{host.state_dir}/staging/restore-{id}"


def definition(said: Said, host: Host) -> Document:
    """What the manifest says of the instance, with its secrets decrypted.

    Raises:
        SecretError: The key that they were encrypted with is not on this node.
    """
    spec = KINDS[kinds.INSTANCE].spec
    row = {**said["instance"], "id": str(said.get("instance_id"))}
    if isinstance(row.get("cloud_init"), dict):
        row["cloud_init"] = dict(row["cloud_init"])
    if said["format"] > archive.PLAIN:
        recognised(row, spec.encrypted)
    found = host.keyring.opened(spec.name, row, spec.encrypted)
    del found["id"]
    return found


def options(said: Said, name: str | None, pool: str | None, world: World) -> Options:
    """The options of ``pextra.ce.instance`` that make the instance.

    With another name it is a copy: volumes are named after it, network devices get addresses of
    their own, also in what its cloud-init reads, and to that it is another machine.

    Raises:
        InputError: The manifest is none.
    """
    try:
        instance, place = dict[str, Any](definition(said, world.host)), staging(said, world.host)
        old = str(instance["name"])
        new = name or old
        volumes = [
            _taken(item, "volumes")
            | {
                "name": _renamed(str(item["name"]), old, new),
                "storage_pool": pool or item["storage_pool"],
                "image": f"{place}/{index}.qcow2",
            }
            for index, item in enumerate(said["volumes"])
        ]
        networks = [_taken(item, "networks") for item in said["networks"]]
        if new != old:
            macs = {str(item["mac"]): free_mac(new, str(item["name"]), world) for item in networks}
            networks = [{**item, "mac": macs[str(item["mac"])]} for item in networks]
            instance["cloud_init"] = _of_a_copy(instance.get("cloud_init"), macs)
        devices = [_device(dict(item)) for item in said["devices"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"the backup's manifest lacks something: {error}") from None
    instance["cloud_init"] = _as_taken_now(instance.get("cloud_init"))
    given = {key: value for key, value in instance.items() if value not in (None, "", [])}
    if not os.path.isfile(str(given.get("cdrom", ""))):
        given.pop("cdrom", None)
    found = given | {"name": new, "volumes": volumes, "networks": networks}
    return found | ({"devices": devices} if devices else {})


def _taken(part: Mapping[str, Any], option: str) -> dict[str, Any]:
    """What the instance's option takes of what the manifest says of a volume or network device.

    The manifest of an earlier release says less.
    """
    field = next(item for item in KINDS["instance"].spec.fields if item.name == option)
    names = {item.name for item in field.options}
    return {key: value for key, value in part.items() if key in names}


def _renamed(volume: str, old: str, new: str) -> str:
    if old == new:
        return volume
    return new + volume[len(old) :] if volume.startswith(old) else f"{new}-{volume}"


def identity(said: Said, wanted: Options) -> str | None:
    """What cloud-init knows the instance as that comes back in its own place; None for a copy.

    The manifest of an earlier release has the instance's id alone, which it was then.
    """
    if wanted["name"] != said["instance"]["name"]:
        return None
    id = said.get("cloud_init_id", said.get("instance_id"))
    return id if isinstance(id, str) and ids.is_id("inst", id) else None


def _of_a_copy(cloud_init: Any, macs: Mapping[str, str]) -> Any:
    """What a copy's cloud-init reads: with its own MAC addresses, and no identity of another's."""
    if not cloud_init:
        return cloud_init
    meta = {
        key: item
        for key, item in (cloud_init.get("meta_data") or {}).items()
        if key != "instance-id"
    }
    found = {**cloud_init, "meta_data": meta} if cloud_init.get("meta_data") else cloud_init
    if not macs:
        return found
    pattern = re.compile("|".join(map(re.escape, macs)), re.IGNORECASE)
    return _replaced(found, lambda text: pattern.sub(lambda mac: macs[mac[0].lower()], text))


def _as_taken_now(cloud_init: Any) -> Any:
    """What an earlier release took too: without blanks before a header, and what was ignored."""
    if not isinstance(cloud_init, Mapping):
        return cloud_init
    found = dict(cloud_init)
    for name in set(DATA) & set(found):
        text = found[name].lstrip("\ufeff \t\r\n") if isinstance(found[name], str) else found[name]
        try:
            found[name] = parse_data(text)
        except InputError:
            del found[name]
    return found


def _replaced(value: Any, change: Callable[[str], str]) -> Any:
    """A document with its texts changed."""
    if isinstance(value, Mapping):
        return {key: _replaced(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def _device(device: dict[str, Any]) -> dict[str, Any]:
    """A device; a drive without the medium that this node does not have."""
    if device.get("medium") and not os.path.isfile(device["medium"]):
        device["medium"] = None
    return {key: value for key, value in device.items() if value is not None}


def there(wanted: Options, world: World, place: str) -> str | None:
    """The status of the instance where it came from this backup; None where there is none.

    Raises:
        ConflictError: Another instance has the name.
    """
    here = world.this_node(f'instance "{wanted["name"]}"')
    row = world.find(kinds.INSTANCE, wanted["name"], {"cluster_id": here["cluster_id"]})
    if row is None:
        return None
    if row["restored_from"] == os.path.basename(place).removeprefix("restore-"):
        return "ready"
    volumes = world.by(kinds.VOLUME, "instance_id", row["id"])
    ours = [item for item in volumes if str(item["image"] or "").startswith(f"{place}/")]
    if len(ours) == len(wanted["volumes"]) and ours:
        return "pending"
    if row["status"] == "pending" and not volumes:
        return "pending"
    raise ConflictError(
        "an instance of that name exists, which did not come from this backup",
        resource=f'instance "{wanted["name"]}"',
        hint="Give another name, or remove that instance first",
    )


def marks(id: str, said: Said, world: World) -> list[RowChange]:
    """What is written when all is there: where it came from, and what volumes were filled from.

    Until then the volumes' images say where they came from.
    """
    row = world.row(kinds.INSTANCE, id)
    changes = [RowChange(KINDS["instance"].spec, id, row, {**row, "restored_from": said["id"]})]
    for volume in world.by(kinds.VOLUME, "instance_id", id):
        index = os.path.basename(str(volume["image"])).removesuffix(".qcow2")
        if index.isdigit() and int(index) < len(said["volumes"]):
            image = said["volumes"][int(index)].get("image")
            after = {**volume, "image": image if isinstance(image, str) else None}
            changes.append(RowChange(KINDS["volume"].spec, volume["id"], volume, after))
    return [change for change in changes if change.before != change.after]


def tidy(place: str) -> None:
    """Remove the files of a run that was killed when it had done everything else."""
    shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def unpacked(path: str, volumes: int, place: str) -> Iterator[None]:
    """The volumes' files, while they are needed.

    Raises:
        InputError: The archive is damaged.
        HostError: There is no space for them.
    """
    os.makedirs(os.path.dirname(place), mode=0o711, exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    os.mkdir(place, mode=0o700)
    try:
        for index in range(volumes):
            archive.extract(path, index, f"{place}/{index}.qcow2")
        yield
    finally:
        shutil.rmtree(place, ignore_errors=True)
