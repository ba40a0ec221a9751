# SPDX-License-Identifier: Apache-2.0
"""Changes of rows as steps of a plan: what they show, and what they keep to themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pextra.model import ids
from pextra.model.change import RowChange
from pextra.model.fields import Row
from pextra.model.plan import Phase, Step
from pextra.model.spec import KindSpec
from pextra.model.values import Document, Value

UNKNOWN = "(known after apply)"
_IDS = re.compile(rf"(?=([a-z]+-[A-Za-z0-9_-]{{{ids.LENGTH}}}))")
"""What may be an identifier, wherever it begins in a text."""


def store_step(change: RowChange, created: frozenset[str], called: str | None = None) -> Step:
    """The step that writes a change of a row to the store.

    Args:
        change: The change.
        created: Identifiers that do not exist yet.
        called: What the step calls the row; by its own name unless given.
    """
    spec, old, new = change.spec, change.before, change.after
    if old is None:
        action, before = "create", None
        after = {
            **hidden(spec.public(new or {}), created),
            **dict.fromkeys(spec.moments, UNKNOWN),
        }
    elif new is None or new.get("status") == "deleting":
        action, before, after = "delete", spec.public(old), None
    else:
        action, before, after = _update(spec, old, new)
        after = hidden(after, created)
    name = str((new or old or {}).get(spec.key)) if called is None else called
    return Step(spec.name, change.id, name, action, Phase.STORE, before, after)


def _update(spec: KindSpec, old: Row, new: Row) -> tuple[str, Document, Document]:
    changed = [key for key in new if new[key] != old.get(key)]
    secret = spec.secret_columns()
    keys = [key for key in changed if key != "status" and key not in spec.unfinished]
    if not keys:
        shown = ["status"] if "status" in changed else changed
        before, after = ({key: _mark(row, key) for key in shown} for row in (old, new))
        return "keep" if old.get("status") == "deleting" else "finish", before, after
    before = {key: "(secret)" if key in secret else old.get(key) for key in keys}
    after = {key: "(another secret)" if key in secret else new[key] for key in keys}
    after |= {key: UNKNOWN for key in spec.moments if key in after}
    return "keep" if old.get("status") == "deleting" else "update", before, after


def _mark(row: Row, key: str) -> Value:
    """A status; or whether something that was begun is unfinished."""
    return row.get(key) if key == "status" else bool(row.get(key))


def hide_new(value: Value, created: frozenset[str]) -> Value:
    """The value with identifiers that do not exist yet replaced by a remark, also in paths."""
    if not created:
        return value
    if isinstance(value, dict):
        return hidden(value, created)
    if isinstance(value, list):
        return [hide_new(item, created) for item in value]
    if isinstance(value, str):
        for found in _IDS.finditer(value):
            if found[1] in created:
                value = value.replace(found[1], UNKNOWN)
    return value


def hidden(values: Mapping[str, Value], created: frozenset[str]) -> Document:
    """Each of the values, with that remark in place of such identifiers."""
    return {key: hide_new(item, created) for key, item in values.items()}
