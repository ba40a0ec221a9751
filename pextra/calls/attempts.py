# SPDX-License-Identifier: Apache-2.0
"""Attempts: a call that changes something, with what the audit log keeps where it fails.

What succeeds is recorded by the transaction that claims it. What is refused or fails gets one row
in a transaction of its own: that nothing was changed is worth knowing, too.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from pextra.calls.call import Answer, Call, Procedure
from pextra.calls.cleaning import cleaned
from pextra.kinds.registry import KINDS
from pextra.model.errors import PextraError, StoreError, each
from pextra.model.fields import Masked
from pextra.model.names import KindName
from pextra.model.plan import Phase, Step
from pextra.model.values import Document, Value

DENIED = "denied"
"""The code of errors that say that somebody may not do it, and the outcome of such attempts."""
MOST_BYTES = 4096
"""What an audit row keeps of the options of an attempt that failed, as JSON."""
MOST_LETTERS = 1000
"""What it keeps of the reason."""
_LONGEST_TEXT = 256
_MOST_ITEMS = 32
_DEEPEST = 6


def recorded(procedure: Procedure, call: Call, masked: Callable[[], Masked]) -> Answer:
    """Carry a call out; its answer.

    Args:
        procedure: What is called.
        call: The call.
        masked: Finds the options without their secrets, and these.

    Raises:
        PextraError: What the procedure raises; the audit log then has it.
    """
    try:
        answer = procedure.run(call)
    except Exception as error:
        # Where the store is what fails, it cannot have a row of it either.
        if not isinstance(error, StoreError):
            with contextlib.suppress(PextraError, OSError):
                _record(procedure, call, error, masked)
                _seal(call)
        raise
    if answer.get("changed"):
        _seal(call)
    return answer


def _seal(call: Call) -> None:
    """Have what this call has written sealed; what changes nothing does not load the code."""
    from pextra.engine import sealing

    sealing.after_run(call.store, call.host)


def _record(
    procedure: Procedure, call: Call, error: Exception, masked: Callable[[], Masked]
) -> None:
    try:
        options = masked()
    except Exception:  # they are so wrong that what is secret in them cannot be told
        options = Masked({}, frozenset())
        text = type(error).__name__
    else:
        text = cleaned(_reason(error), options.secrets, short_ones=True)
    denied = isinstance(error, PextraError) and any(item.code == DENIED for item in each(error))
    step = _step(procedure, cleaned(options.shown, options.secrets, short_ones=False))
    outcome = DENIED if denied else "failed"
    message = _clean_text(text, MOST_LETTERS)
    call.store.transact(
        lambda tx: tx.audit([step], call.principal, call.host.key, outcome, message)
    )


def _reason(error: Exception) -> str:
    if isinstance(error, PextraError):
        return f"{error.code}: {error}"
    return f"internal: {type(error).__name__}: {error}"


def _step(procedure: Procedure, shown: Mapping[str, Any]) -> Step:
    """What was asked for, as a row has it: of a kind, the state that was asked for."""
    kind = KINDS.get(procedure.name)
    states = next((item.default for item in procedure.fields if item.name == "state"), None)
    state = shown.get("state") or states
    name = shown.get(kind.spec.key if kind is not None else "name")
    return Step(
        KindName(procedure.name),
        _clean_text(shown.get("id"), _LONGEST_TEXT),
        _clean_text(name, _LONGEST_TEXT),
        _clean_text(state or procedure.name, _LONGEST_TEXT),
        Phase.STORE,
        None,
        bounded(shown),
    )


def bounded(options: Mapping[str, Any]) -> Document:
    """Options as an audit row can keep them: at most some KiB of what JSON and the store have."""
    found: Document = {}
    size = 2
    for name, value in options.items():
        key, short = _clean_text(name, _LONGEST_TEXT), _short(value, _DEEPEST)
        size += len(json.dumps({key: short}))
        if size > MOST_BYTES or len(found) >= _MOST_ITEMS:
            found["..."] = f"{len(options) - len(found)} more"
            break
        found[key] = short
    return found


def _short(value: Any, deep: int) -> Value:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else "(a large number)"
    if isinstance(value, float):
        return value if abs(value) < 1e300 else str(value)  # NaN is not less either
    if isinstance(value, Mapping) and deep:
        items = list(value.items())[:_MOST_ITEMS]
        short = {_clean_text(key, _LONGEST_TEXT): _short(item, deep - 1) for key, item in items}
        return short if len(value) <= _MOST_ITEMS else {**short, "...": f"{len(value)} in all"}
    if isinstance(value, (list, tuple)) and deep:
        several = [_short(item, deep - 1) for item in value[:_MOST_ITEMS]]
        return several if len(value) <= _MOST_ITEMS else [*several, f"... {len(value)} in all"]
    if isinstance(value, str):
        return _clean_text(value, _LONGEST_TEXT)
    return f"({type(value).__name__})"


def _clean_text(value: object, most: int) -> str:
    """A text that the store can keep: without NUL and half surrogate pairs, and not too long."""
    text = "" if value is None else str(value)
    if len(text) > most:
        text = f"{text[:most]}..."
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
