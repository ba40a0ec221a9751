# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Field tables: what a resource kind accepts, how it is normalised, and what a change means.

The argument spec of a module, validation of manifest entries, comparison and secret masking
all come from the table of the kind.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.pextra.ce.plugins.module_utils.errors import InputError, PextraError

Row = dict[str, Any]
"""One row of the store, column to value."""


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
        parse: Brings a value to its canonical form or raises InputError.
        options: The fields of a dictionary or of each dictionary in a list.
        ref: The kind that the value names by id or name; stored in ``<ref>_id``.
        stored: Whether the value is a column of the kind's table.
    """

    name: str
    type: str = "str"
    default: Any = None
    required: bool = False
    nullable: bool = False
    secret: bool = False
    change: Change = Change.LIVE
    choices: tuple[str, ...] = ()
    elements: str | None = None
    parse: Callable[[Any], Any] | None = None
    options: tuple[Field, ...] = ()
    ref: str | None = None
    stored: bool = True

    @property
    def column(self) -> str:
        """The column that keeps the value."""
        return f"{self.ref}_id" if self.ref else self.name

    def argument(self) -> dict[str, Any]:
        """The option's entry in an Ansible argument spec."""
        spec: dict[str, Any] = {"type": self.type}
        if self.choices:
            spec["choices"] = list(self.choices)
        if self.elements:
            spec["elements"] = self.elements
        if self.options:
            spec["options"] = argument_spec(self.options, nested=True)
        if self.secret:
            spec["no_log"] = True
        elif "password" in self.name or "key" in self.name:
            spec["no_log"] = False
        return spec


def argument_spec(fields: Iterable[Field], *, nested: bool = False) -> dict[str, Any]:
    """The Ansible argument spec of these fields; required ones are enforced inside lists only."""
    spec = {field.name: field.argument() for field in fields}
    if nested:
        for field in fields:
            if field.required:
                spec[field.name]["required"] = True
    return spec


def normalise(fields: tuple[Field, ...], given: Mapping[str, Any], resource: str) -> dict[str, Any]:
    """Validated, canonical values of the options that were given.

    Options left out stay absent. A null stays only where the field is nullable.
    Normalising the result again gives the same result.

    Raises:
        InputError: An option is unknown, of the wrong type, or unacceptable.
    """
    unknown = sorted(set(given) - {field.name for field in fields})
    if unknown:
        known = sorted(field.name for field in fields)
        near = difflib.get_close_matches(unknown[0], known, 1)
        raise InputError(
            f"unknown option: {', '.join(unknown)}",
            resource=resource,
            hint=f"Did you mean {near[0]}?" if near else f"Possible are: {', '.join(known)}",
        )
    _check_shapes(fields, given, resource)
    try:
        validator = ArgumentSpecValidator(argument_spec(fields))
        result = validator.validate(_without_nulls(fields, given))
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise InputError(f"a value is of the wrong type: {error}", resource=resource) from None
    if result.error_messages:
        raise InputError("; ".join(result.error_messages), resource=resource)
    return _canonical(fields, given, result.validated_parameters, resource, "")


def _check_shapes(fields: Iterable[Field], given: Mapping[str, Any], resource: str) -> None:
    """Refuse what Ansible's validation cannot read: nested options that are no dictionary."""
    for field in fields:
        value = given.get(field.name)
        if not field.options or value is None:
            continue
        items = value if isinstance(value, list) and field.type == "list" else [value]
        wrong = [item for item in items if not isinstance(item, (Mapping, str))]
        if wrong:
            raise InputError(f"{field.name}: {wrong[0]!r} is not a dictionary", resource=resource)
        for item in items:
            if isinstance(item, Mapping):
                _check_shapes(field.options, item, resource)


def _without_nulls(fields: Iterable[Field], given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are not null, at every level."""
    nested = {field.name: field.options for field in fields if field.options}
    found = {name: value for name, value in given.items() if value is not None}
    for name, options in nested.items():
        value = found.get(name)
        if isinstance(value, Mapping):
            found[name] = _without_nulls(options, value)
        elif isinstance(value, list):
            found[name] = [
                _without_nulls(options, item) if isinstance(item, Mapping) else item
                for item in value
            ]
    return found


def _canonical(
    fields: tuple[Field, ...],
    given: Mapping[str, Any],
    valid: Mapping[str, Any],
    resource: str,
    path: str,
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in fields:
        if field.name not in given:
            continue
        value = valid.get(field.name)
        if value is None:
            if field.nullable and given[field.name] is None:
                values[field.name] = None
            continue
        where = f"{path}{field.name}"
        if field.options and field.type == "list":
            raws = given[field.name] if isinstance(given[field.name], list) else value
            value = [
                _canonical(field.options, _raw(raw, item), item, resource, f"{where}[{index}].")
                for index, (raw, item) in enumerate(zip(raws, value, strict=True))
            ]
        elif field.options:
            raw = _raw(given[field.name], value)
            value = _canonical(field.options, raw, value, resource, f"{where}.")
        values[field.name] = _parsed(field, value, resource, where)
    return values


def _raw(given: Any, valid: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was given of a dictionary; of one written as ``key=value``, what Ansible made of it."""
    return given if isinstance(given, Mapping) else valid


def _parsed(field: Field, value: Any, resource: str, where: str) -> Any:
    if field.parse is None:
        return value
    try:
        return field.parse(value)
    except PextraError as error:
        raise InputError(
            f"{where}: {error.message}", resource=error.resource or resource, hint=error.hint
        ) from None


def secrets_in(fields: Iterable[Field], given: Mapping[str, Any]) -> set[str]:
    """Every secret text in raw options, so that the edge can mask it wherever it shows up."""
    found: set[str] = set()
    for field in fields:
        value = given.get(field.name)
        if not value:
            continue
        if field.secret:
            found.add(str(value))
        elif field.options:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, Mapping):
                    found |= secrets_in(field.options, item)
    return found
