# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge between Ansible and the node's engine: options in, one call, result or failure out."""

from __future__ import annotations

import copy
import gc
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

ENGINE = (0, 2)
"""The oldest engine that this collection works with: major and minor version."""
CONFIRMS = "PEXTRA_CE_CONFIRMS"
"""Environment variable by which the action plugin promises to confirm what the module leaves it."""
_MASK = "********"
_SHORT = 4
"""Ansible masks a secret wherever its letters are, and so half of the output if they are few.
Below this length it is masked as a whole word, and in failures alone: no other result has any."""
_DEBIANS = "/usr/bin/python3"
# An engine that is installed is not found by another Python than Debian's.
_INSTALL = (
    "Run the role pextra.ce.platform on this machine, which installs python3-pextra"
    if os.path.realpath(sys.executable) == os.path.realpath(_DEBIANS)
    else f"The module ran with {sys.executable}. Let modules run with Debian's own Python"
    f" (ansible_python_interpreter={_DEBIANS}), and have python3-pextra installed, which the role"
    " pextra.ce.platform does"
)

Shown = Callable[[Mapping[str, Any]], tuple[dict[str, Any], frozenset[str]]]
"""Makes of the options as they were given those that logs may show, and the secrets in them."""


class Module(AnsibleModule):
    """AnsibleModule that knows the options as they were given, and shows no secret in any log.

    Ansible logs the options of every module as soon as it starts, and takes an explicit null for
    a wrong choice. So it is given other options than those that the task has: without secrets,
    which the engine knows by its fields, and without nulls. ansible-core 2.15 to 2.21 have no
    public way to that: what is given and what is left out is the same when the constructor is
    done, and it ends with the log. ``_load_params`` is kept by them for such modules, as its own
    documentation says, and the suite ``controllers`` runs at both ends of that range.

    Attributes:
        given: The options as the task has them, nulls included.
        secrets: What must not be shown, as it is and as messages quote it.
    """

    def __init__(self, shown: Shown, spec: Mapping[str, Any]) -> None:
        # Looking for unreachable cycles takes longer than what a process of seconds could save.
        gc.set_threshold(50_000)
        self._shown = shown
        super().__init__(argument_spec=dict(spec), supports_check_mode=True)
        self.no_log_values |= {text for text in self.secrets if len(text) >= _SHORT}

    def _load_params(self) -> None:
        super()._load_params()
        given = {k: v for k, v in self.params.items() if not k.startswith("_ansible")}
        self.given: dict[str, Any] = copy.deepcopy(given)
        shown, secrets = self._shown(self.given)
        # Messages may quote them.
        self.secrets = secrets | {repr(text)[1:-1] for text in secrets}
        internal = {k: v for k, v in self.params.items() if k not in given}
        self.params = {**_without_nulls(shown), **internal}

    def fail_with(self, failure: Mapping[str, Any]) -> None:
        """End the task; no secret is in what it returns, short ones neither."""
        words = sorted(map(re.escape, self.secrets), key=len, reverse=True)
        secret = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)") if words else None
        self.fail_json(**_cleaned(dict(failure), secret))


def _without_nulls(value: Any) -> Any:
    """The value without what is null in its dictionaries."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _cleaned(value: Any, secret: re.Pattern[str] | None) -> Any:
    """The value with a mask in place of each secret in its texts."""
    if isinstance(value, dict):
        return {key: _cleaned(item, secret) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item, secret) for item in value]
    return secret.sub(_MASK, value) if secret and isinstance(value, str) else value


def run(name: str, spec: Mapping[str, Any]) -> None:
    """The whole of a module: one call of the node's engine.

    Args:
        name: What is called, which is the module's name.
        spec: The argument spec, made from the engine's fields.
    """
    try:
        from pextra import VERSION
    except ImportError as error:
        _fail_without_engine(spec, f"this machine has no engine of the platform: {error}", _INSTALL)
        return
    if tuple(int(part) for part in VERSION.split(".")[:2]) < ENGINE:
        needed = ".".join(map(str, ENGINE))
        _fail_without_engine(
            spec,
            f"this machine's engine has version {VERSION}, and this collection needs {needed} or"
            " newer",
            "Upgrade python3-pextra: the role pextra.ce.platform does it",
        )
        return
    from pextra.calls import registry
    from pextra.host.identity import local
    from pextra.model.errors import IncompleteError, PextraError, each

    try:
        procedure = registry.find(name)
    except PextraError as error:
        _fail_without_engine(spec, str(error), error.hint or "")
        return

    def shown(given: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
        masked = registry.masked(procedure, given)
        return masked.shown, masked.secrets

    module = Module(shown, spec)
    failure: dict[str, Any] = {}
    try:
        answer = registry.call(
            procedure, module.given, local("ansible"), check=module.check_mode, diff=module._diff,
            confirms=os.environ.get(CONFIRMS) == "1",
        )  # fmt: skip
    except PextraError as error:
        results = error.results if isinstance(error, IncompleteError) else {}
        errors = [item.as_dict() for item in each(error)]
        failure = {"msg": str(error), "code": error.code, "errors": errors, **results}
    except Exception as error:
        # Ansible would print the traceback as it is, with what is secret in it.
        text = f"the engine failed, which is a fault in it: {type(error).__name__}: {error}"
        errors = [{"code": "internal", "resource": None, "message": text, "hint": None}]
        trace = traceback.format_exc()
        failure = {"msg": text, "code": "internal", "errors": errors, "exception": trace}
    if failure:  # not while the exception is handled: Ansible would add its traceback
        module.fail_with(failure)
    module.exit_json(**answer)


def _fail_without_engine(spec: Mapping[str, Any], message: str, hint: str) -> None:
    """End the task; which options are secret cannot be asked, so none is looked at or shown."""
    blank = {
        name: [] if option["type"] == "list" else _MASK
        for name, option in spec.items()
        if option.get("required")
    }
    module = Module(lambda _given: (blank, frozenset()), spec)
    error = {"code": "engine", "resource": None, "message": message, "hint": hint}
    module.fail_json(msg=f"{message}. {hint}", code="engine", errors=[error])
