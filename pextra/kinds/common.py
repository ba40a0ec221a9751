# SPDX-License-Identifier: Apache-2.0
"""Fields and checks that several kinds share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pextra.engine.world import World
from pextra.model import kinds, units
from pextra.model.errors import ConflictError, InputError
from pextra.model.fields import Change, Field
from pextra.model.returned import Returned

if TYPE_CHECKING:
    from typing import TypedDict

    from pextra.model.rows import NodeRow

    class OnNode(TypedDict):
        """A row of a kind that is on nodes."""

        node_id: str


def parse_text(value: object) -> str:
    """A description: up to 1,024 characters without control characters.

    Raises:
        InputError: It is longer, or has control characters.
    """
    text = str(value)
    if len(text) > 1024:
        raise InputError(f"it has {len(text)} characters, at most 1024 are possible")
    if any(ord(letter) < 32 and letter not in "\n\t" for letter in text):
        raise InputError("it has control characters")
    return text


def within(low: int, high: int, unit: str = "") -> Callable[[Any], int]:
    """A parser of whole numbers in a range, bounds included."""

    def parse(value: Any) -> int:
        if not low <= value <= high:
            raise InputError(f"{value} is not between {low} and {high}{unit and ' ' + unit}")
        return int(value)

    return parse


def few(value: list[str]) -> list[str]:
    """A list of at most 256 names, each once.

    Raises:
        InputError: There are more.
    """
    if len(value) > 256:
        raise InputError(f"there are {len(value)}, at most 256 are possible")
    return list(dict.fromkeys(value))


def parse_path(value: object) -> str:
    """An absolute, printable path without ``..``.

    Raises:
        InputError: It is not.
    """
    text = str(value)
    if not text.startswith("/") or ".." in text.split("/") or len(text) > 1024:
        raise InputError(
            f"{text[:80]!r} is not an absolute path", hint="It begins with / and has no .."
        )
    if not text.isprintable():
        raise InputError("the path has characters that cannot be printed")
    return text


NAME = Field(
    "name",
    parse=units.parse_name,
    required=True,
    doc=(
        "From 1 to 63 ASCII letters, digits, spaces, dots, underscores and hyphens, beginning and"
        " ending with a letter or digit.",
    ),
)
FIXED_NAME = dataclasses.replace(NAME, change=Change.IMMUTABLE)
DESCRIPTION = Field(
    "description",
    default="",
    parse=parse_text,
    doc=("Text for people, of up to 1024 characters.",),
    returned=Returned("Text for people.", sample="Production"),
)
ORGANIZATION = Field(
    "organization",
    ref=kinds.ORGANIZATION,
    required=True,
    change=Change.IMMUTABLE,
    doc=("Id or name of the organization that it belongs to.",),
    implied="the only organization there is. With several, it must be given",
    returned=Returned("Identifier of the organization that it belongs to."),
)
NODE = Field(
    "node",
    ref=kinds.NODE,
    required=True,
    change=Change.IMMUTABLE,
    doc=("Id or name of the node that it is on.",),
    implied="the node that this machine is registered as",
    backed_up=False,
    returned=Returned("Identifier of the node that it is on."),
)
THIS_NODE = dataclasses.replace(
    NODE, doc=("Id or name of the node that it is on. The task must run on that node.",)
)
"""The node of what only its node can make."""


def resolve_node(given: str | None, world: World, resource: str) -> NodeRow:
    """The node that an option names, or the one that this machine is."""
    return world.require(kinds.NODE, given) if given else world.this_node(resource)


def check_here(row: OnNode, world: World, resource: str) -> None:
    """Refuse to change what is on another node.

    Raises:
        ConflictError: The row belongs to another node.
    """
    if row["node_id"] != world.here:
        node = world.get(kinds.NODE, row["node_id"])
        name = node["name"] if node else row["node_id"]
        raise ConflictError(
            f"it is on node {name}, and this machine is not that node",
            resource=resource,
            hint="Run the task on that node",
        )
