# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the node's engine, and confirms what the node would undo otherwise.

meta/runtime.yml leads every module here that is a call of the engine; the file has the name of one
of them because an action needs the name of a module.

The engine is on the node, so that nothing has to be sent but a task's options, on the standard
input of one command. The module is what runs instead where that is not possible: with async, with a
connection or a way to become root that passes no standard input on, and on a node that has no
engine, or an old one, of which it tells.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from collections.abc import Mapping
from typing import Any

from ansible import constants
from ansible.plugins.action.normal import ActionModule as Normal

from ansible_collections.pextra.ce.plugins.module_utils.edge import CONFIRMS, ENGINE, VERSION
from ansible_collections.pextra.ce.plugins.plugin_utils import guards, literals

_COMMAND = "/usr/bin/python3 -P -m pextra.cli.task"
_ANSWER = re.compile(r"pextra engine (\d+)\.(\d+)(\S*)\r?\n(\{.*\})?")
"""What an engine says: its version, then the result. The node's shell may say more, even this."""
_NO_INPUT = frozenset({"su"})
"""Ways to become another user that read a password from standard input; ansible-core 2.15 has no
attribute that says so."""


class ActionModule(Normal):
    """The action of modules that are a call of the node's engine."""

    @classmethod
    def finalize_task_arg(cls, name: str, value: Any, *rest: Any) -> Any:
        """An option with what is to be filled in.

        ansible-core asks for it from 2.19 on, and says that it may stop to do so. It takes 0.1 ms
        for each entry of a manifest, and half of that to hand the entry back with where in which
        file they are; neither is needed where an option is written out.
        """
        try:
            return literals.literal(value)
        except literals.NotLiteral:
            return super().finalize_task_arg(name, value, *rest)

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask the engine."""
        if self._task.async_val:
            # Nobody is here when it ends: without the promise to confirm, the module refuses,
            # before anything is changed, what would have to be confirmed.
            return self._module(task_vars)
        began = time.monotonic()
        result = self._promised(task_vars)
        left = result.pop("guards", [])
        if not left:
            return result
        result = guards.confirm(self, left, result, began)
        if result.get("failed") or not any(guard["removal"] for guard in left):
            return result
        # Until now the store has what was removed: the node might have put it back.
        rest = self._promised(task_vars)
        return rest if rest.get("failed") else result

    def _promised(self, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """The result, with the promise that what is left to confirm is confirmed."""
        if self._passes_input():
            result = self._asked(task_vars)
            if result is not None:
                return result
        environment = self._task.environment or []
        given = environment if isinstance(environment, list) else [environment]
        self._task.environment = [*given, {CONFIRMS: "1"}]
        try:
            return self._module(task_vars)
        finally:
            self._task.environment = environment

    def _module(self, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """What the module returns."""
        result: dict[str, Any] = super().run(None, task_vars)
        return result

    def _passes_input(self) -> bool:
        """Whether a command on the node gets the standard input that it is given here."""
        become = self._connection.become
        return bool(self._connection.has_pipelining) and (
            become is None
            or (
                getattr(become, "pipelining", True)
                and str(become.name).rpartition(".")[2] not in _NO_INPUT
            )
        )

    def _asked(self, task_vars: dict[str, Any] | None) -> dict[str, Any] | None:
        """What the engine says; None if there is none, or one that is too old."""
        silent = constants.config.get_config_value("DEFAULT_NO_TARGET_SYSLOG", variables=task_vars)
        asked = {
            "name": str(self._task.resolved_action or self._task.action).rpartition(".")[2],
            "options": _plain(self._task.args),
            "check": self._task.check_mode,
            "diff": self._task.diff,
            "confirms": True,
            "log": not (self._task.no_log or silent),
            "verbose": self._display.verbosity > 2,
        }
        try:
            data = json.dumps(asked).encode()
        except (ValueError, RecursionError) as error:
            return _failure("invalid_input", f"the options cannot be sent to the node: {error}")
        command = f"{self._compute_environment_string()} {_COMMAND}".strip()
        return _result(self._low_level_execute_command(command, in_data=data))


def _result(done: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an engine said; None if there is none, or one that is too old."""
    said = list(_ANSWER.finditer(done["stdout"]))
    if not said:
        return None
    found = next((item for item in said if item[4]), said[-1])
    if (int(found[1]), int(found[2])) < ENGINE:
        return None
    try:
        result: dict[str, Any] = json.loads(found[4] or "")
    except ValueError:
        told = done["stderr"].strip() or done["stdout"][found.end() :].strip() or "it said nothing"
        return _failure(
            "engine",
            f"the node's engine ended without an answer, with status {done['rc']}: {told}. What it"
            " had begun is finished by the next run",
        )
    version = f"{found[1]}.{found[2]}{found[3]}"
    if result.get("code") in ("invalid_input", "not_found") and version != VERSION:
        result["msg"] += (
            f". The node's engine has version {version} and this collection {VERSION}: one may not"
            " know what the other does. The role pextra.ce.platform upgrades the engine"
        )
    return result


def _failure(code: str, text: str) -> dict[str, Any]:
    """A failed task."""
    error = {"code": code, "resource": None, "message": text, "hint": None}
    return {"failed": True, "msg": text, "code": code, "errors": [error]}


def _plain(value: Any) -> Any:
    """The value as JSON has it: without what Ansible keeps beside it, vaults opened."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value)
