# SPDX-License-Identifier: Apache-2.0
"""A call as a task of Ansible has it: a result in any case, failures too, and no secret in it."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Mapping
from typing import Any

from pextra.calls import registry
from pextra.calls.call import Answer, Procedure
from pextra.host.identity import local
from pextra.model.errors import IncompleteError, PextraError, each
from pextra.model.fields import MASK

_NO_TEXTS = frozenset((int, bool, float, type(None)))
"""What has no letters that could be secret."""
_SHORT = 4
"""Secrets are masked wherever their letters are, and so half of a result if they are few. Below
this length they are masked as whole words, and in failures alone: no other result quotes any."""


def result(
    procedure: Procedure,
    given: Mapping[str, Any],
    secrets: Iterable[str],
    *,
    check: bool,
    diff: bool,
    confirms: bool,
) -> Answer:
    """The call's answer, or with ``failed`` what went wrong: ``msg``, ``code`` and ``errors``.

    Args:
        procedure: What is called.
        given: The options as they were given.
        secrets: What must not be in the result; see registry.masked.
        check: Only say what would be done.
        diff: Say also how each changed thing was and will be.
        confirms: The caller sees to the answer's ``guards``; see registry.call.
    """
    try:
        answer = registry.call(
            procedure, given, local("ansible"), check=check, diff=diff, confirms=confirms
        )
    except PextraError as error:
        errors = [item.as_dict() for item in each(error)]
        results = error.results if isinstance(error, IncompleteError) else {}
        answer = {"failed": True, "msg": str(error), "code": error.code, "errors": errors}
        answer |= results
    except Exception as error:
        text = f"the engine failed, which is a fault in it: {type(error).__name__}: {error}"
        errors = [{"code": "internal", "resource": None, "message": text, "hint": None}]
        answer = {"failed": True, "msg": text, "code": "internal", "errors": errors}
        answer["exception"] = traceback.format_exc()
    pattern = _pattern(secrets, short_ones="failed" in answer)
    found: Answer = answer if pattern is None else _cleaned(answer, pattern)
    return found


def _pattern(secrets: Iterable[str], *, short_ones: bool) -> re.Pattern[str] | None:
    """What finds secrets, as they are and as messages quote them; None if there is none."""
    quoted = {form for text in secrets for form in (text, repr(text)[1:-1]) if form}
    wanted = [
        re.escape(text) if len(text) >= _SHORT else rf"(?<!\w){re.escape(text)}(?!\w)"
        for text in sorted(quoted, key=len, reverse=True)
        if short_ones or len(text) >= _SHORT
    ]
    return re.compile("|".join(wanted)) if wanted else None


def _cleaned(value: Any, secret: re.Pattern[str]) -> Any:
    """The value with a mask in place of each secret in its texts."""
    if isinstance(value, str):
        return secret.sub(MASK, value)
    if isinstance(value, dict):
        return {
            key: item if type(item) in _NO_TEXTS else _cleaned(item, secret)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_cleaned(item, secret) for item in value]
    return value
