# SPDX-License-Identifier: Apache-2.0
"""Secrets that are decrypted one by one, when something asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pextra.host.secrets.keyring import Keyring
from pextra.model.encrypted import Place
from pextra.model.fields import Row


class Opened(Mapping[str, str]):
    """A dictionary of a row's column whose values are secrets.

    Looking at one raises SecretError where its key is not on this node.

    Args:
        keyring: The keys that this node has.
        kind: The row's kind.
        row: The row.
        column: The column.
    """

    def __init__(self, keyring: Keyring, kind: str, row: Row, column: str) -> None:
        self._keyring = keyring
        self._values: Mapping[str, str] = row[column]
        self._kind, self._row, self._column = kind, row, column

    def __getitem__(self, name: str) -> str:
        path = (self._column, name)
        place = Place(self._kind, self._row["id"], path, self._row.get("name"))
        return str(self._keyring.open(place, self._values[name]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
