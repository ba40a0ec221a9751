# SPDX-License-Identifier: Apache-2.0
"""The platform's directories and files on this node, made or taken away."""

from __future__ import annotations

import os
from collections.abc import Iterable

from pextra.calls.call import Answer, Call, Procedure, options
from pextra.host import files, node_files
from pextra.model.fields import Field

FIELDS = (Field("state", choices=("present", "absent"), default="present"),)


def _run(call: Call) -> Answer:
    present = options(FIELDS, call.given, "node_files")["state"] == "present"
    hooks = {path for path in node_files.HOOKS if os.path.lexists(path)}
    diff = _make(check=call.check) if present else _removed(node_files.left(""), check=call.check)
    paths = [one["after_header"] for one in diff]
    added = present and bool(set(node_files.HOOKS) - hooks)
    shown = {"diff": diff} if call.diff else {}
    return {"changed": bool(paths), "paths": paths, "hook_added": added, **shown}


def _make(*, check: bool) -> list[dict[str, str]]:
    diff = []
    for entry in node_files.missing(""):
        before = files.read(entry.path) or ""
        if not check:
            files.make("", entry)
        diff.append(_change(entry.path, before, entry.shown))
    # Last: a hook of an earlier version needs its library until it is replaced.
    return diff + _removed(node_files.outdated(""), check=check)


def _removed(paths: Iterable[str], *, check: bool) -> list[dict[str, str]]:
    diff = []
    for path in paths:
        before = files.read(path) or "directory\n"
        if not check:
            node_files.remove("", path)
        diff.append(_change(path, before, ""))
    return diff


def _change(path: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": path, "after_header": path, "before": before, "after": after}


PROCEDURES = (Procedure("node_files", FIELDS, _run, uses_store=False),)
