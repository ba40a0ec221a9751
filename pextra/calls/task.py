# SPDX-License-Identifier: Apache-2.0
"""A call as a task of Ansible has it: a result in any case, failures too, and no secret in it."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from typing import Any

from pextra.calls import registry
from pextra.calls.call import Answer, Procedure
from pextra.calls.cleaning import cleaned
from pextra.host.identity import local
from pextra.model.errors import IncompleteError, PextraError, each


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
    found: Answer = cleaned(answer, secrets, short_ones="failed" in answer)
    return found
