# SPDX-License-Identifier: Apache-2.0
"""What people read of a kind besides its fields, and the sentences that follow from a field.

A kind's ``docs.py`` has the first. No run imports it, so that long texts cost a run nothing; what
writes documentation does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pextra.model.fields import Change, Field
from pextra.model.returned import Returned


@dataclass(frozen=True, slots=True)
class Link:
    """Something to read elsewhere."""

    name: str
    description: str
    url: str


@dataclass(frozen=True, slots=True)
class Text:
    """What one module says of itself.

    Attributes:
        short: What it does, in a few words.
        description: What it does, a paragraph each.
        examples: Tasks, as YAML.
        on_host: It works on a node's host, or looks at it.
        requirements: What the node needs, besides what all modules need.
        notes: What to know besides.
        seealso: Names of other modules.
        links: What to read elsewhere.
    """

    short: str
    description: tuple[str, ...]
    examples: str
    on_host: bool = False
    requirements: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seealso: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Steps:
    """What a plan of the kind has.

    Attributes:
        name: A resource's name.
        action: What may be done, besides what all kinds have in the store.
        sample: An action, and the values before and after it.
        kinds: Words for the other kinds that the steps may be about.
        before: What else is in the values.
        restarts: Whether a step may need a restart.
    """

    name: str
    sample: tuple[str, dict[str, Any] | None, dict[str, Any] | None]
    action: tuple[str, ...] = ()
    kinds: str = ""
    before: tuple[str, ...] = ()
    restarts: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure, as an example."""

    code: str
    resource: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class KindDocs:
    """The documentation of a kind.

    Attributes:
        noun: What one of it is called within its own documentation.
        nouns: What several are called.
        module: Of what makes, changes and removes one.
        info: Of what lists them.
        states: What a request for each state does.
        steps: Of its plans.
        codes: The codes of failures, besides those that every kind has.
        more_codes: Sentences on further codes.
        failure: A failure.
        returned: What is returned of one by the module, besides its columns.
    """

    noun: str
    nouns: str
    module: Text
    info: Text
    states: dict[str, str]
    steps: Steps
    failure: Failure
    codes: tuple[str, ...] = ()
    more_codes: tuple[str, ...] = ()
    returned: dict[str, Returned] = field(default_factory=dict)


def paragraphs(item: Field, default: Any = None, *, renames: bool = False) -> tuple[str, ...]:
    """What people read of an option: what its table says in words, then what follows from it.

    Args:
        item: The field.
        default: What a new resource gets where that stands in the field around this one.
        renames: The field names the resource, and can be changed.
    """
    following = " ".join(_following(item, default, renames=renames))
    return (*item.doc, following) if following else item.doc


def _following(item: Field, default: Any, *, renames: bool) -> Iterator[str]:
    if item.unit:
        text = "A number without a unit counts" if item.type == "str" else "Counted in"
        yield f"{text} {item.unit}."
    if item.implied:
        yield f"Left out, it is {item.implied}."
    elif item.required:
        yield "Required to create one."
    if renames:
        yield "Together with O(id) it is the new name."
    yield from _default(item, item.default if default is None else default)
    if item.nullable:
        yield "V(null) clears it."
    if item.change is Change.IMMUTABLE:
        yield "Cannot be changed afterwards."
    if item.change is Change.RESTART:
        yield "A change of a running instance needs a restart, see O(allow_restart)."
    if item.secret:
        yield "It is shown nowhere."


def _default(item: Field, default: Any) -> Iterator[str]:
    if default is None or (item.type == "dict" and default):
        return
    if default == {}:
        yield "Default on creation is empty."
    elif default in ("", []):
        noun = {"list": "list", "str": "string"}[item.type]
        yield f"Default on creation is empty, and an empty {noun} clears it."
    else:
        text = str(default).lower() if isinstance(default, bool) else str(default)
        yield f"Default on creation is V({text})."
