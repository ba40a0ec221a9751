# SPDX-License-Identifier: Apache-2.0
"""The list of a kind: what to look for in, resources out. Nothing here writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pextra.calls.call import Answer, Call, Procedure, options, plain
from pextra.kinds.info import AnyInfo
from pextra.kinds.registry import KINDS
from pextra.kinds.view import View
from pextra.kinds.views import INFOS
from pextra.model.fields import Field, Row
from pextra.model.values import Document, Options
from pextra.store.transaction import Transaction


def procedures() -> dict[str, Procedure]:
    """The lists of all kinds, by name."""
    return {f"{name}_info": _procedure(info) for name, info in INFOS.items()}


def _procedure(info: AnyInfo) -> Procedure:
    fields = fields_of(info)
    return Procedure(f"{info.kind}_info", fields, lambda call: _list(info, fields, call))


def _list(info: AnyInfo, fields: tuple[Field, ...], call: Call) -> Answer:
    given = options(fields, call.given, f"{info.kind}_info")

    def work(tx: Transaction) -> list[Document]:
        return read(info, View(tx, call.host, dt.datetime.now(dt.UTC)), given)

    return {"changed": False, info.plural: plain(call.store.transact(work, read_only=True))}


def fields_of(info: AnyInfo) -> tuple[Field, ...]:
    """The options of the list of a kind."""
    texts = ("id", *_name_options(info), *info.parents)
    shown = Field("fields", "list", elements="str", choices=info.fields)
    return (*(Field(name) for name in texts), shown)


def read(info: AnyInfo, view: View, given: Options) -> list[Document]:
    """The resources that the options ask for, sorted by name.

    Raises:
        NotFoundError: There is no such parent.
        ConflictError: A parent's name means several.
        HostError: A field is to be read from this host, which does not answer.
    """
    wanted = _parents(info, view, given)
    for name in ("id", *_name_options(info)):
        if given.get(name) is not None:
            wanted[name] = given[name]
    rows = [*view.listed(info.kind, wanted), *_everywhere(info, view, wanted)]
    fields = given.get("fields") or info.usual
    return [
        {name: info.value(name, row, view) for name in fields}
        for row in sorted(rows, key=lambda row: (_name(info, row, view), row["id"]))
    ]


def _everywhere(info: AnyInfo, view: View, wanted: Mapping[str, Any]) -> list[Row]:
    """What belongs to no organization, where those of one are listed."""
    if wanted.get("organization_id") is None:
        return []
    rest = {key: value for key, value in wanted.items() if key != "organization_id"}
    rows = [row for id in info.everywhere if (row := view.get(info.kind, id)) is not None]
    found = [row for row in rows if all(row[key] == value for key, value in rest.items())]
    for row in found:
        view.subject(info.kind, row["id"])
    return found


def _name_options(info: AnyInfo) -> tuple[str, ...]:
    """The option that takes a name; none where a parent names the resource."""
    key = KINDS[info.kind].spec.key
    return (key,) if key in info.columns and not key.endswith("_id") else ()


def _name(info: AnyInfo, row: Row, view: View) -> str:
    key = KINDS[info.kind].spec.key
    parent = key.removesuffix("_id")
    return str(view.name(KINDS[parent].spec.name, row[key]) if parent in info.parents else row[key])


def _parents(info: AnyInfo, view: View, given: Options) -> dict[str, Any]:
    """The columns that the named parents ask for; an outer one tells inner ones of a name apart."""
    known: dict[str, Any] = {}
    wanted: dict[str, Any] = {}
    for parent in info.parents:
        if given.get(parent) is None:
            continue
        columns = INFOS[parent].columns
        scope = {column: value for column, value in known.items() if column in columns}
        row = view.require(KINDS[parent].spec.name, given[parent], scope)
        wanted[f"{parent}_id"] = row["id"]
        known |= {key: value for key, value in row.items() if key.endswith("_id")}
        known[f"{parent}_id"] = row["id"]
    return wanted
