# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge between Ansible and the node's engine: options in, one call, result or failure out."""

from __future__ import annotations

import copy
import gc
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.pextra.ce.plugins.module_utils import python

python.check()
VERSION = "0.2.0"
"""This collection's version, which is also that of the engine it was made with."""
ENGINE = (0, 2)
"""The oldest engine that this collection works with: major and minor version."""
CONFIRMS = "PEXTRA_CE_CONFIRMS"
"""Environment variable by which the action plugin promises to confirm what the module leaves it."""
_MASK = "********"
_SHORT = 4
"""Ansible masks a secret wherever its letters are, and so half of the output if they are few.
Below this length that is left to the engine."""
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
    which the engine knows by its fields, without nulls, and without what UTF-8 has not.
    ansible-core 2.15 to 2.21 have no public way to that: what is given and what is left out is the
    same when the constructor is done, and it ends with the log. ``_load_params`` is kept by them
    for such modules, as its own documentation says, and the suite ``controllers`` runs at both ends
    of that range.

    Attributes:
        given: The options as the task has them, nulls included.
        secrets: What must not be shown.
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
        self.secrets = secrets
        internal = {k: v for k, v in self.params.items() if k not in given}
        self.params = {**_for_ansible(shown), **internal}


def _for_ansible(value: Any) -> Any:
    """The value without what is null in its dictionaries, in texts that Ansible can log."""
    if isinstance(value, dict):
        return {
            _for_ansible(key): _for_ansible(item) for key, item in value.items() if item is not None
        }
    if isinstance(value, str) and not value.isascii():
        return value.encode(errors="backslashreplace").decode()
    return [_for_ansible(item) for item in value] if isinstance(value, list) else value


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
    from pextra.calls import registry, task
    from pextra.model.errors import PextraError

    try:
        procedure = registry.find(name)
    except PextraError as error:
        _fail_without_engine(spec, str(error), error.hint or "")
        return

    def shown(given: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
        masked = registry.masked(procedure, given)
        return masked.shown, masked.secrets

    module = Module(shown, spec)
    result = task.result(
        procedure, module.given, module.secrets, check=module.check_mode, diff=module._diff,
        confirms=os.environ.get(CONFIRMS) == "1",
    )  # fmt: skip
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


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
