# SPDX-License-Identifier: Apache-2.0
"""The grammars beside this file, read by lark; what a text is made of is built while it is read.

Nothing recurses into a text, so none is too deep to be read: what is built says how deep it is.
"""

from __future__ import annotations

import functools
import importlib.resources
from typing import TYPE_CHECKING, Any

from pextra.model.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lark import Transformer

_AROUND = 20
"""Characters that a message shows of where a text cannot be read."""


def reader(name: str, builder: Transformer[Any, Any], what: str) -> Callable[[str], Any]:
    """What reads texts by a grammar.

    Args:
        name: The grammar's file, without its ending.
        builder: Makes the result, part by part.
        what: How messages call such a text, such as ``the rule``.

    Returns:
        A function from a text to what the builder makes of it. It raises InputError where the text
        is not of the grammar, or the builder does.
    """
    from lark import Lark
    from lark.exceptions import UnexpectedInput, UnexpectedToken

    text = importlib.resources.files(__package__).joinpath(f"{name}.lark").read_text("utf-8")
    lark = Lark(text, parser="lalr", transformer=builder)

    def read(given: str) -> Any:
        try:
            return lark.parse(given)
        except UnexpectedInput as error:
            if isinstance(error, UnexpectedToken) and error.token.type == "$END":
                raise InputError(f"{what} ends too early") from None
            place = error.pos_in_stream or 0
            shown = given[place : place + _AROUND]
            raise InputError(f"{what} cannot be read at character {place + 1}, {shown!r}") from None

    return read


def once(build: Callable[[], Callable[[str], Any]]) -> Callable[[str], Any]:
    """A reader that is made when it is first used."""
    made = functools.cache(build)
    return lambda text: made()(text)
