# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge between Ansible and the node's engine: options in, one call, result or failure out."""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

ENGINE = (0, 2)
"""The oldest engine that this collection works with: major and minor version."""
_MASK = "********"
_INSTALL = (
    "Run the role pextra.ce.platform on this machine, which installs python3-pextra,"
    " and let modules run with Debian's own Python (ansible_python_interpreter=/usr/bin/python3)"
)


class Module(AnsibleModule):
    """AnsibleModule that knows the options as they were given, and shows no secret in any log.

    Ansible logs the options of every module as soon as it starts. What is secret by the engine's
    fields is taken out of them before, whatever the argument spec says.
    """

    def __init__(
        self, secrets: Callable[[Mapping[str, Any]], set[str]], spec: Mapping[str, Any]
    ) -> None:
        # Looking for unreachable cycles takes longer than what a process of seconds could save.
        gc.set_threshold(50_000)
        self._secrets = secrets
        super().__init__(argument_spec=dict(spec), supports_check_mode=True)
        self.no_log_values |= self._hidden

    def _load_params(self) -> None:
        super()._load_params()
        self.given: dict[str, Any] = {
            key: value
            for key, value in copy.deepcopy(self.params).items()
            if not key.startswith("_ansible")
        }
        self._hidden = self._secrets(self.given)
        self.params = {
            key: value if key.startswith("_ansible") else _shown(value, self._hidden)
            for key, value in self.params.items()
            if value is not None
        }


def _shown(value: Any, secrets: set[str]) -> Any:
    """The value without what is null at any level, which Ansible would hold against the choices.

    And with a mask in place of secrets.
    """
    if isinstance(value, dict):
        return {key: _shown(item, secrets) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_shown(item, secrets) for item in value]
    return _MASK if isinstance(value, (str, int, float)) and str(value) in secrets else value


def run(name: str, spec: Mapping[str, Any]) -> None:
    """The whole of a module: one call of the node's engine.

    Args:
        name: What is called, which is the module's name.
        spec: The argument spec, made from the engine's fields.
    """
    try:
        import pextra
        from pextra.calls import registry
        from pextra.host.identity import local
        from pextra.model.errors import IncompleteError, PextraError, each
    except ImportError as error:
        _fail_without_engine(spec, f"this machine has no engine of the platform: {error}", _INSTALL)
        return
    have = tuple(int(part) for part in pextra.VERSION.split(".")[:2])
    if have < ENGINE:
        needed = ".".join(map(str, ENGINE))
        _fail_without_engine(
            spec,
            f"this machine's engine has version {pextra.VERSION}, and this collection needs"
            f" {needed} or newer",
            "Upgrade python3-pextra: the role pextra.ce.platform does it",
        )
        return
    try:
        procedure = registry.find(name)
    except PextraError as error:
        _fail_without_engine(spec, str(error), error.hint or "")
        return
    module = Module(lambda given: registry.secrets(procedure, given), spec)
    try:
        answer = registry.call(
            procedure, module.given, local("ansible"), check=module.check_mode, diff=module._diff
        )
    except PextraError as error:
        results = error.results if isinstance(error, IncompleteError) else {}
        errors = [item.as_dict() for item in each(error)]
        module.fail_json(msg=str(error), code=error.code, errors=errors, **results)
    module.exit_json(**answer)


def _fail_without_engine(spec: Mapping[str, Any], message: str, hint: str) -> None:
    """End the task; which options are secret cannot be asked, so none is shown."""
    module = Module(_every_text, spec)
    error = {"code": "engine", "resource": None, "message": message, "hint": hint}
    module.fail_json(msg=f"{message}. {hint}", code="engine", errors=[error])


def _every_text(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {text for item in value.values() for text in _every_text(item)}
    if isinstance(value, list):
        return {text for item in value for text in _every_text(item)}
    return {value} if isinstance(value, str) and value else set()
