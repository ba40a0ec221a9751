# SPDX-License-Identifier: Apache-2.0
"""Names of kinds, each of which knows what a row of its kind is; ``kinds`` has them all.

So ``world.row(kinds.VOLUME, id)`` is a ``VolumeRow``. When a program runs, a name is a text and a
row is a dictionary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Generic, TypeVar

    _R = TypeVar("_R")

    class KindName(str, Generic[_R]):
        """The name of a kind whose rows are of the type ``_R``."""

    AnyName = KindName[Any]
    Key = tuple[AnyName, str]
else:
    KindName = AnyName = str
    Key = tuple[str, str]
