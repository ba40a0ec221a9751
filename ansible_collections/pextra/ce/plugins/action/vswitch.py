# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module that may cut this controller off from the node, and confirms that it did not.

meta/runtime.yml leads the modules here that can change what carries the node's own addresses: all
do it by a vSwitch, and an action needs the name of a module. Ansible's own action runs all others.
"""

from __future__ import annotations

import time
from typing import Any

from ansible.plugins.action.normal import ActionModule as Normal

from ansible_collections.pextra.ce.plugins.module_utils.edge import CONFIRMS
from ansible_collections.pextra.ce.plugins.plugin_utils import guards


class ActionModule(Normal):
    """The action of modules whose changes the node undoes unless they are confirmed."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run the module."""
        if self._task.async_val:
            # Nobody is here when it ends: without the promise below, the module refuses, before
            # anything is changed, what would have to be confirmed.
            result: dict[str, Any] = super().run(tmp, task_vars)
            return result
        began = time.monotonic()
        result = self._promised(tmp, task_vars)
        left = result.pop("guards", [])
        if not left:
            return result
        result = guards.confirm(self, left, result, began)
        if result.get("failed") or not any(guard["removal"] for guard in left):
            return result
        # Until now the store has what was removed: the node might have put it back.
        rest = self._promised(tmp, task_vars)
        return rest if rest.get("failed") else result

    def _promised(self, tmp: str | None, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """Run the module with the promise that what it leaves to confirm is confirmed."""
        environment = self._task.environment or []
        given = environment if isinstance(environment, list) else [environment]
        self._task.environment = [*given, {CONFIRMS: "1"}]
        try:
            result: dict[str, Any] = super().run(tmp, task_vars)
        finally:
            self._task.environment = environment
        return result
