# SPDX-License-Identifier: Apache-2.0
"""What the installer does to a disk, and to the files of the system on it."""

from __future__ import annotations

import os

from pextra.calls.call import Answer, Call, Procedure, options
from pextra.host import files
from pextra.host.disks import layout, system
from pextra.model.errors import InputError
from pextra.model.fields import Field
from pextra.model.values import Options

DISK_FIELDS = (
    Field("path", required=True),
    Field("firmware", choices=("bios", "uefi"), required=True),
    Field("token", required=True),
    Field("serial"),
    Field("size", "int"),
)
_FILE = (
    Field("path", required=True),
    Field("content", nullable=True),
    Field("link", nullable=True),
    Field("mode"),
)
FILES_FIELDS = (
    Field("root", required=True),
    Field("files", "list", elements="dict", options=_FILE, default=[]),
    Field("absent", "list", elements="str", default=[]),
)


def _disk(call: Call) -> Answer:
    request = system.Request(**options(DISK_FIELDS, call.given, "system_disk"))
    state = system.read(request)
    lacking = system.missing(request, state)
    lines = lacking.lines(request, state.disk)
    partitions = state.partitions
    if lines and not call.check:
        system.apply(request, state, lacking)
        partitions = system.read(request).partitions
    uuids = {
        one.name: layout.file_system_uuid(request.token, one)
        for one in layout.wanted(request.firmware)
        if one.file_system
    }
    return {"changed": bool(lines), "partitions": partitions, "uuids": uuids, "done": lines}


def _files(call: Call) -> Answer:
    given = options(FILES_FIELDS, call.given, "system_files")
    root = os.path.realpath(given["root"])
    wanted = [entry(one) for one in given["files"]]
    surplus = files.surplus(root, [_path(one) for one in given["absent"]], wanted)
    lacking = files.missing(root, wanted)
    diff = [_change(root, path, "") for path in surplus]
    diff += [_change(root, one.path, one.shown) for one in lacking]
    if not call.check:
        for path in surplus:
            files.remove(root, path)
        for one in lacking:
            files.make(root, one)
    paths = [*surplus, *(one.path for one in lacking)]
    shown = {"diff": diff} if call.diff else {}
    return {"changed": bool(paths), "paths": paths, **shown}


def entry(given: Options) -> files.Entry:
    """What an item of the option `files` says.

    Raises:
        InputError: It has no path of a system, no mode, or both a content and a link.
    """
    content, link = given.get("content"), given.get("link")
    if content is not None and link is not None:
        raise InputError(f"{given['path']} has a content and a link: give one of them")
    directory = content is None and link is None
    mode = given.get("mode") or ("0755" if directory else "0644")
    try:
        bits = int(mode, 8)
    except ValueError:
        bits = -1
    if not 0 <= bits <= 0o7777:
        raise InputError(f"the mode of {given['path']} is {mode!r}", hint="Write it as 0644")
    return files.Entry(_path(given["path"]), bits, content, link)


def _path(path: str) -> str:
    if not path.startswith("/") or os.path.normpath(path) != path or "\0" in path:
        raise InputError(
            f"{path!r} is no path of a system", hint="Begin with / and leave out . and .."
        )
    return path


def _change(root: str, path: str, after: str) -> dict[str, str]:
    before = files.shown(root + path)
    return {"before_header": path, "after_header": path, "before": before, "after": after}


PROCEDURES = (
    Procedure("system_disk", DISK_FIELDS, _disk, uses_store=False),
    Procedure("system_files", FILES_FIELDS, _files, uses_store=False),
)
