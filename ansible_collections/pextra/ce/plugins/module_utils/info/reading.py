# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole of an ``_info`` module: options in, a list of resources out. Nothing here writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.errors import PextraError
from ansible_collections.pextra.ce.plugins.module_utils.host import Host
from ansible_collections.pextra.ce.plugins.module_utils.info.registry import INFOS
from ansible_collections.pextra.ce.plugins.module_utils.info.spec import Info
from ansible_collections.pextra.ce.plugins.module_utils.info.view import View
from ansible_collections.pextra.ce.plugins.module_utils.kinds.registry import KINDS
from ansible_collections.pextra.ce.plugins.module_utils.module import DATABASE, Module, plain
from ansible_collections.pextra.ce.plugins.module_utils.store.connection import (
    Store,
    Transaction,
)


def run_info(name: str) -> None:
    """The whole of the module ``<name>_info``."""
    info = INFOS[name]
    module = Module(argument_spec=info_spec(info), supports_check_mode=True)
    store, host = Store(module.params["database"]), Host()

    def work(tx: Transaction) -> list[dict[str, Any]]:
        tx.execute("SET TRANSACTION READ ONLY")
        return read(info, View(tx, host, dt.datetime.now(dt.UTC)), module.params)

    try:
        found = store.transact(work)
    except PextraError as error:
        module.fail(error)
    finally:
        store.close()
        host.close()
    module.exit_json(changed=False, **{info.plural: plain(found)})


def info_spec(info: Info) -> dict[str, Any]:
    """The argument spec of the ``_info`` module of a kind."""
    texts = ("id", *_name_options(info), *info.parents)
    fields = {"type": "list", "elements": "str", "choices": list(info.fields)}
    return {name: {"type": "str"} for name in texts} | {"fields": fields, "database": DATABASE}


def read(info: Info, view: View, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The resources that the options ask for, sorted by name.

    Raises:
        NotFoundError: There is no such parent.
        ConflictError: A parent's name means several.
        HostError: A field is to be read from this host, which does not answer.
    """
    wanted = _parents(info, view, options)
    for name in ("id", *_name_options(info)):
        if options.get(name) is not None:
            wanted[name] = options[name]
    rows = [
        row
        for row in view.all(info.kind)
        if all(row[column] == value for column, value in wanted.items())
    ]
    fields = options.get("fields") or info.fields
    return [
        {name: info.value(name, row, view) for name in fields}
        for row in sorted(rows, key=lambda row: (_name(info, row, view), row["id"]))
    ]


def _name_options(info: Info) -> tuple[str, ...]:
    """The option that takes a name; none where a parent names the resource."""
    key = KINDS[info.kind].spec.key
    return (key,) if key in info.columns and not key.endswith("_id") else ()


def _name(info: Info, row: Row, view: View) -> str:
    key = KINDS[info.kind].spec.key
    parent = key.removesuffix("_id")
    return str(view.name(parent, row[key]) if parent in info.parents else row[key])


def _parents(info: Info, view: View, options: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that the named parents ask for; an outer one tells inner ones of a name apart."""
    known: Row = {}
    wanted: dict[str, Any] = {}
    for parent in info.parents:
        if options.get(parent) is None:
            continue
        columns = INFOS[parent].columns
        scope = {column: value for column, value in known.items() if column in columns}
        row = view.require(parent, options[parent], scope)
        wanted[f"{parent}_id"] = row["id"]
        known |= {key: value for key, value in row.items() if key.endswith("_id")}
        known[f"{parent}_id"] = row["id"]
    return wanted
