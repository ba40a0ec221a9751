# Copied from pextra/model/encrypted.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""Secrets as the store has them: encrypted texts, known by their type and by how they begin.

A field's table says which values are secret. Such a value is an ``Encrypted`` where it comes from
the store, and what was given where it comes from a request; so what is to be encrypted, and what
is already, is never guessed from a text that a user could have written. Only a text that the store
has, at such a place, is looked at for how it begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.pextra.ce.plugins.module_utils.bare.model.request import label

if TYPE_CHECKING:
    from ansible_collections.pextra.ce.plugins.module_utils.bare.model.fields import Field, Row

PREFIX = "pce-encrypted:"
KEY_ID = re.compile(r"([1-9][0-9]{0,8})-[0-9a-f]{8}", re.ASCII)
"""A version, and eight digits of the key's fingerprint: two clusters' first keys differ."""
_TOKEN = re.compile(rf"{PREFIX}({KEY_ID.pattern}):([\w-]{{22}}):([\w=-]+)", re.ASCII)
Path = tuple[str, ...]
"""Where in a row a value is: a column, and the keys of the dictionaries in it."""


class Encrypted(str):
    """An encrypted value: the id of its key, a mark to compare it by, nonce and ciphertext.

    It is like no other text, also if somebody gives the same one as a secret.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Encrypted) and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True)
class Place:
    """What a value is of; an encrypted one opens nowhere else.

    Attributes:
        kind: The kind of resource.
        id: The identifier of the row.
        path: Where in the row.
        name: The row's name, for messages.
    """

    kind: str
    id: str
    path: Path
    name: str | None = None

    @property
    def field(self) -> str:
        """The field as messages call it."""
        return ".".join(self.path)

    @property
    def resource(self) -> str:
        """The resource as messages call it."""
        return label(self.kind, self.name or self.id)


@dataclass(frozen=True, slots=True)
class Token:
    """The parts of an encrypted value.

    Attributes:
        key: The id of the key.
        mark: What the same key makes of the same value in the same place again.
        data: Nonce and ciphertext, in Base64 for URLs.
    """

    key: str
    mark: str
    data: str


def token_of(value: Encrypted) -> Token | None:
    """The parts of an encrypted value; None of what only begins like one."""
    found = _TOKEN.fullmatch(value)
    return Token(found[1], found[3], found[4]) if found else None


def value_of(token: Token) -> Encrypted:
    """The value that has these parts."""
    return Encrypted(f"{PREFIX}{token.key}:{token.mark}:{token.data}")


def paths(fields: Iterable[Field], above: Path = ()) -> Iterator[Path]:
    """Where values of these fields are encrypted.

    Raises:
        TypeError: A secret is within a list, where it has no place that stays.
    """
    for item in fields:
        path = (*above, item.name if above else item.column)
        if item.secret and item.encrypted:
            yield path
        elif item.options:
            inner = tuple(paths(item.options, path))
            if inner and item.type != "dict":
                raise TypeError(f"a secret in the list {item.name} cannot be encrypted")
            yield from inner


def value_at(row: Row | None, path: Path) -> Any:
    """The value at a place of a row; None where there is none."""
    found: Any = row
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def replaced(row: Row, path: Path, value: object) -> dict[str, Any]:
    """The row with another value at a place where it has one."""
    name, *rest = path
    return {**row, name: replaced(row[name], tuple(rest), value) if rest else value}


def places(kind: str, row: Row, where: Iterable[Path]) -> Iterator[tuple[Place, Any]]:
    """What a row has at such places: values that are encrypted, and others."""
    name = row.get("name")
    for path in where:
        value = value_at(row, path)
        if value is not None and value != "":
            yield Place(kind, row["id"], path, str(name) if name else None), value


def recognised(row: dict[str, Any], places: Iterable[Path]) -> None:
    """Have what is encrypted in a row of the store be known by its type, in place."""
    for *above, name in places:
        inner: Any = row
        for step in above:
            inner = inner.get(step) if isinstance(inner, dict) else None
        text = inner.get(name) if isinstance(inner, dict) else None
        if isinstance(text, str) and text.startswith(PREFIX):
            inner[name] = Encrypted(text)


def is_plain(value: object) -> bool:
    """Whether a value at such a place is still to be encrypted; none and an empty text are not."""
    return value is not None and value != "" and not isinstance(value, Encrypted)
