"""The list of all actions, as a page of the documentation."""

from __future__ import annotations

from pextra.access.actions import Actions
from pextra.kinds.registry import KINDS

_HEAD = """\
<!-- Generated from pextra/access/actions.py and the kinds: make generate -->

# Actions

What statements of [policies](access.md) can name. `*` stands for any text: `instance.*` is
everything about instances, `*.list` every list.

| action | what it is |
| --- | --- |
"""


def text() -> str:
    """The page."""
    actions = Actions(kind.spec for kind in KINDS.values()).all.values()
    return _HEAD + "".join(f"| `{action.name}` | {action.doc} |\n" for action in actions)
