"""The types of the kinds' rows, from their tables of fields and the store's migrations.

A migration says of each column what it holds and whether it can be null; a field, or what is
returned of a computed column, says which texts are possible and what a JSON value is made of.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pextra.engine.kind import AnyKind
from pextra.kinds.registry import KINDS
from pextra.model.fields import Field
from pextra.model.returned import Returned
from pextra.store import schema

_HEAD = '''\
# SPDX-License-Identifier: Apache-2.0
# Generated from the kinds' fields and the store's migrations: make generate
"""A row of each kind, as the store holds it; for type checks alone, so nothing imports it."""

from __future__ import annotations

import datetime as dt
from typing import Literal, NotRequired, TypedDict

'''
_CREATE = re.compile(r"CREATE TABLE (\w+) \((.*)\)", re.DOTALL)
_ADD = re.compile(r"ALTER TABLE (\w+) ADD COLUMN (.*)", re.DOTALL)
_COLUMN = re.compile(r"^(\w+) (TEXT|INT8|BOOL|FLOAT8|JSONB|TIMESTAMPTZ|UUID)\b(.*)", re.DOTALL)
_SQL = {
    "TEXT": "str",
    "INT8": "int",
    "BOOL": "bool",
    "FLOAT8": "float",
    "TIMESTAMPTZ": "dt.datetime",
}
_PLAIN = {
    **{name: name for name in ("str", "int", "bool", "float")},
    "list": "list[str]",
    "dict": "dict[str, object]",
}
_STATUS = "Literal['pending', 'updating', 'ready', 'deleting']"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, as the migrations leave it."""

    type: str
    nullable: bool


def columns(table: str) -> dict[str, Column]:
    """The columns of a table, in the order in which the migrations make them."""
    found: dict[str, Column] = {}
    for statement in (item for step in schema.MIGRATIONS for item in step.statements):
        created, added = _CREATE.fullmatch(statement), _ADD.fullmatch(statement)
        lines: Iterable[str] = ()
        if created is not None and created[1] == table:
            lines = created[2].split(",\n")
        elif added is not None and added[1] == table:
            lines = (added[2],)
        for line in lines:
            column = _COLUMN.match(line.strip())
            if column is not None:
                nullable = "NOT NULL" not in column[3] and "PRIMARY KEY" not in column[3]
                found[column[1]] = Column(column[2], nullable)
    return found


def text() -> str:
    """The file of row types, which is still to be formatted."""
    return _HEAD + "\n\n".join(item for kind in KINDS.values() for item in _classes(kind))


def _classes(kind: AnyKind) -> Iterator[str]:
    """The types of a kind's JSON values, and of its rows.

    Raises:
        LookupError: The kind and the migrations disagree about its columns.
    """
    spec, name = kind.spec, type(kind).__name__
    there = columns(spec.table)
    if there.keys() != spec.columns:
        differ = ", ".join(sorted(there.keys() ^ spec.columns))
        raise LookupError(f"only the kind {spec.name} or only its table has: {differ}")
    times = {name for name, column in there.items() if column.type == "TIMESTAMPTZ"}
    if times != {*spec.moments, *spec.times}:
        raise LookupError(f"the kind {spec.name} is to say that times are: {sorted(times)}")
    fields = {item.column: item for item in (*spec.stored, *spec.hidden)}
    nested: dict[str, str] = {}
    lines = []
    for column, sql in there.items():
        about = fields.get(column) or spec.computed.get(column)
        if column == "status":
            found = _STATUS
        elif sql.type == "JSONB" and about is not None:
            found = _json(about, name + _camel(column), nested)
        else:
            found = _choice(about) or _SQL[sql.type]
        lines.append(f"{column}: {found}{' | None' if sql.nullable else ''}")
    yield from nested.values()
    yield _class(f"{name}Row", f"A row of {spec.table}.", lines)


def _json(about: Field | Returned, name: str, nested: dict[str, str]) -> str:
    """The type of a JSON value; the types of dictionaries in it are added to ``nested``."""
    if _parts(about):
        inner = name.removesuffix("s") if about.type == "list" else name
        nested[inner] = _class(
            inner, "What a JSON column of the row below holds.", _keys(about, inner, nested)
        )
        return f"list[{inner}]" if about.type == "list" else inner
    if about.type == "list":
        return f"list[{_PLAIN[about.elements or 'str']}]"
    parsed = _parsed(about) if isinstance(about, Field) else None
    return _choice(about) or _PLAIN[parsed or about.type]


def _keys(about: Field | Returned, name: str, nested: dict[str, str]) -> Iterator[str]:
    """The keys of a dictionary. What is computed is whole; of options, only some are given."""
    default = about.default if isinstance(about, Field) else None
    for key, item in _parts(about).items():
        found = _json(item, name + _camel(key), nested) + (" | None" if item.nullable else "")
        given = isinstance(item, Field) and not item.required and key not in (default or {})
        yield f"{key}: NotRequired[{found}]" if given else f"{key}: {found}"


def _parts(about: Field | Returned) -> Mapping[str, Field | Returned]:
    """What is in a dictionary, or in each dictionary of a list."""
    if isinstance(about, Returned):
        return about.contains
    return {item.name: item for item in about.options}


def _parsed(field: Field) -> str | None:
    """Ansible's name of the type that a field's parser gives."""
    if field.parse is None or isinstance(field.parse, type):
        return None
    found = getattr(typing.get_type_hints(field.parse)["return"], "__name__", "")
    return str(found) if found in _PLAIN else None


def _choice(about: Field | Returned | None) -> str | None:
    """The texts that are possible, where they are known."""
    if isinstance(about, Field) and about.choices:
        return f"Literal[{', '.join(map(repr, about.choices))}]"
    return None


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _class(name: str, doc: str, lines: Iterable[str]) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f'class {name}(TypedDict):\n    """{doc}"""\n\n{body}'
