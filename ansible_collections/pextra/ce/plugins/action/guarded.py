# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module of the collection as Ansible itself would, with a payload that is kept.

What could cut this controller off from the node is confirmed afterwards, by a new connection.

This file is here under the name of every module.
"""

from __future__ import annotations

import time
from typing import Any

from ansible.plugins.action.normal import ActionModule as Normal

from ansible_collections.pextra.ce.plugins.plugin_utils import guards, payloads


class ActionModule(Normal):
    """The action of every module."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run the module."""
        with payloads.kept(self._task.action.rpartition(".")[2]):
            began = time.monotonic()
            result: dict[str, Any] = super().run(tmp, task_vars)
            left = result.pop("guards", [])
            if not left:
                return result
            result = guards.confirm(self, left, result, began)
            if result.get("failed") or not any(guard["removal"] for guard in left):
                return result
            # Until now the store has what was removed: the node might have put it back.
            rest: dict[str, Any] = super().run(tmp, task_vars)
            return rest if rest.get("failed") else result
