# SPDX-License-Identifier: Apache-2.0
"""Field tables: what a resource kind accepts, how it is normalised, and what a change means.

The argument spec of a module and its documentation, validation of manifest entries, comparison,
secret masking, what is returned and what a backup keeps all come from the table of the kind.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pextra.model import values
from pextra.model.errors import AggregateError, InputError, PextraError, each, one_or_all
from pextra.model.names import AnyName
from pextra.model.returned import Returned
from pextra.model.values import Options

Row = Mapping[str, Any]
"""A row of the store, or some columns of one, as code that knows no kind sees it.

The types of the kinds' rows are in ``pextra.model.rows``.
"""


class Change(enum.Enum):
    """What changing a field of an existing resource means."""

    LIVE = "live"
    RESTART = "restart"
    IMMUTABLE = "immutable"


@dataclass(frozen=True, slots=True)
class Field:
    """One option of a resource kind.

    Attributes:
        name: The option's name, and the store's column unless ``column`` says otherwise.
        type: Ansible's argument type.
        default: What a new resource gets when the option is left out.
        required: A new resource cannot do without it.
        nullable: An explicit null clears the value; otherwise null means left out.
        secret: Never shown in output, diffs, audit rows or logs.
        encrypted: Where it is secret: the store and backups have it so; see ``model.encrypted``.
        parse: Brings a value to its canonical form or raises InputError.
        options: The fields of a dictionary or of each dictionary in a list.
        ref: The kind that the value names by id or name; stored in ``<ref>_id``.
        stored: Whether the value is a column of the kind's table.
        unit: What a number counts, such as ``MiB``.
        doc: What people read of it, a paragraph each. What the other attributes say (required,
            default, change, unit) is not repeated; ``model.documentation`` writes that.
        implied: Words for what a required option is where it is left out.
        shown: Whether the value is returned; never where it is secret.
        backed_up: Whether a backup keeps the value.
        returned: What people read of the value that is returned, where that differs.
    """

    name: str
    type: str = "str"
    default: Any = None
    required: bool = False
    nullable: bool = False
    secret: bool = False
    encrypted: bool = True
    change: Change = Change.LIVE
    choices: tuple[str, ...] = ()
    elements: str | None = None
    parse: Callable[[Any], Any] | None = None
    options: tuple[Field, ...] = ()
    ref: AnyName | None = None
    stored: bool = True
    unit: str | None = None
    doc: tuple[str, ...] = ()
    implied: str | None = None
    shown: bool = True
    backed_up: bool = True
    returned: Returned | None = None

    def __post_init__(self) -> None:
        """What is secret is not shown, also where its table does not say so."""
        if self.secret:
            object.__setattr__(self, "shown", False)

    @property
    def hides(self) -> bool:
        """Whether what is given for it may have a secret in it, and is not quoted."""
        unknown = self.elements == "dict" and not self.options
        return self.secret or unknown or any(item.hides for item in self.options)

    @property
    def column(self) -> str:
        """The column that keeps the value."""
        return f"{self.ref}_id" if self.ref else self.name


def documented(field: Field, *doc: str, returned: Returned | None = None) -> Field:
    """A field that several kinds share, with what one of them says of it first."""
    return dataclasses.replace(field, doc=(*doc, *field.doc), returned=returned or field.returned)


def normalise(fields: tuple[Field, ...], given: Options, resource: str) -> dict[str, Any]:
    """Validated, canonical values of the options that were given.

    Options left out stay absent. A null stays only where the field is nullable.
    Normalising the result again gives the same result.

    Raises:
        InputError: An option is unknown, of the wrong type, or unacceptable.
    """
    return _canonical(fields, given, resource, "")


def _check_known(fields: Iterable[Field], given: Options, resource: str, path: str) -> None:
    names = {field.name for field in fields}
    unknown = sorted(str(name) for name in given if name not in names)
    if unknown:
        near = difflib.get_close_matches(unknown[0], sorted(names), 1)
        near = near or [name for name in sorted(names) if unknown[0] in name.split("_")]
        raise InputError(
            f"unknown option: {', '.join(path + name for name in unknown)}",
            resource=resource,
            hint=f"Did you mean {near[0]}?"
            if near
            else f"Possible are: {', '.join(sorted(names))}",
        )


def _canonical(
    fields: tuple[Field, ...], given: Options, resource: str, path: str
) -> dict[str, Any]:
    _check_known(fields, given, resource, path)
    found: dict[str, Any] = {}
    for field in fields:
        if field.name not in given:
            continue
        value = given[field.name]
        if value is None:
            if field.nullable:
                found[field.name] = None
            continue
        found[field.name] = _value(field, value, resource, f"{path}{field.name}")
    if path:
        missing = [item.name for item in fields if item.required and found.get(item.name) is None]
        if missing:
            raise InputError(f"{path}{missing[0]} is missing", resource=resource)
    return found


def _value(field: Field, raw: Any, resource: str, where: str) -> Any:
    """One value of a field: its type, its choices, its nested fields, and what ``parse`` makes."""
    try:
        value = _converted(field, raw)
        if field.type == "list" and field.elements:
            value = _elements(field, value, resource, where)
        elif field.options:
            value = _canonical(field.options, value, resource, f"{where}.")
        for item in value if isinstance(value, list) else [value]:
            _check_choice(field, item)
        return field.parse(value) if field.parse is not None else value
    except PextraError as error:
        if error.resource is not None or isinstance(error, AggregateError):
            raise
        raise InputError(f"{where}: {error.message}", resource=resource, hint=error.hint) from None


def _converted(field: Field, raw: Any) -> Any:
    try:
        return values.convert(field.type, raw)
    except InputError:
        if field.hides:  # the reason quotes what was given
            also = f", or has {values.UNSTORABLE}" if field.type == "str" else ""
            raise InputError(f"it is not of the type {field.type}{also}") from None
        raise


def _elements(field: Field, raw: list[Any], resource: str, where: str) -> list[Any]:
    """The elements of a list.

    Raises:
        PextraError: One is unacceptable, or several, which are all told.
    """
    found: list[Any] = []
    errors: list[PextraError] = []
    for place, item in enumerate(raw):
        try:
            found.append(_element(field, item, resource, f"{where}[{place}]"))
        except PextraError as error:
            errors += each(error)
    if errors:
        raise one_or_all(errors)
    return found


def _element(field: Field, raw: Any, resource: str, where: str) -> Any:
    try:
        value = values.convert(field.elements or "str", raw)
    except InputError as error:
        if field.hides:
            raise InputError(
                f"{where}: it is not of the type {field.elements}", resource=resource
            ) from None
        raise InputError(f"{where}: {error.message}", resource=resource, hint=error.hint) from None
    return _canonical(field.options, value, resource, f"{where}.") if field.options else value


def _check_choice(field: Field, value: Any) -> None:
    if field.choices and value not in field.choices:
        raise InputError(
            f"{values.quoted(value)} is not possible",
            hint=f"Possible are: {', '.join(field.choices)}",
        )


MASK = "********"
"""What is shown in place of a secret."""


@dataclass(frozen=True, slots=True)
class Masked:
    """Raw options as logs may show them.

    Attributes:
        shown: The options with a mask in place of each secret, of each value of an option that
            does not exist: it may be a secret under a misspelt name; and of each mapping or list
            where a single value belongs.
        secrets: The texts that were masked as secrets.
    """

    shown: dict[str, Any]
    secrets: frozenset[str]


def masked(fields: Iterable[Field], given: Options) -> Masked:
    """Raw options without their secrets, which are known by their fields and not by how they look.

    A dictionary that is written as a text, as Ansible accepts it, comes out as a dictionary.
    """
    known = {field.name: field for field in fields}
    shown: dict[str, Any] = {}
    secrets: set[str] = set()
    for name, value in given.items():
        field = known.get(name)
        if value is None:
            shown[name] = None
        elif field is None:
            shown[name] = MASK
        elif field.secret:
            shown[name] = MASK
            if not (field.type == "raw" and isinstance(value, Mapping)):
                # Each word of a document is no secret: "start" in one would mask every start.
                secrets |= texts_in(value)
        elif not field.options:
            whole = field.type in ("dict", "list", "raw") or not isinstance(value, (Mapping, list))
            shown[name] = value if whole else MASK
        elif field.type == "list":
            parts = [
                _masked_part(field, item)
                for item in (value if isinstance(value, list) else [value])
            ]
            shown[name] = [part for part, _secrets in parts]
            secrets.update(*(found for _part, found in parts))
        else:
            shown[name], found = _masked_part(field, value)
            secrets |= found
    return Masked(shown, frozenset(secrets))


def _masked_part(field: Field, value: Any) -> tuple[Any, frozenset[str]]:
    """A dictionary of a field without its secrets, and these."""
    if value is None:
        return None, frozenset()
    try:
        part = masked(field.options, values.convert("dict", value))
    except InputError:
        return MASK, frozenset(texts_in(value))
    return part.shown, part.secrets


def texts_in(value: object) -> set[str]:
    """Every text and number in a value, as text."""
    if isinstance(value, Mapping):
        return {text for item in value.values() for text in texts_in(item)}
    if isinstance(value, list):
        return {text for item in value for text in texts_in(item)}
    return set() if value is None or value == "" or isinstance(value, bool) else {str(value)}
