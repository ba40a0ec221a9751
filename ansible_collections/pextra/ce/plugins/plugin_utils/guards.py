# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part in a guarded change of a node's network.

A node undoes such a change by itself unless the controller confirms it, over a connection that was
made after the change.
"""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleError

_MARGIN = 3
"""Seconds before the node's deadline after which a confirmation is not tried any more."""


def confirm(
    action: Any, left: Sequence[Mapping[str, Any]], result: dict[str, Any], began: float
) -> dict[str, Any]:
    """The result of a task whose guarded changes were confirmed; a failure where they were not.

    Args:
        action: The action plugin, which has the connection.
        left: The guards that the module has left on the node.
        result: What the module returned besides.
        began: When the module had not yet begun, on this machine's monotonic clock.
    """
    for guard in left:
        answer = _ask(action, guard, time.monotonic() + guard["timeout"] - _MARGIN)
        if answer == "confirmed":
            continue
        waited = time.monotonic() - began
        if answer == "restored":
            message = (
                f'vswitch "{guard["vswitch"]}": after the change, the node was not reached within'
                f" {guard['timeout']} s, and has put its old network configuration back"
            )
        else:
            message = (
                f'vswitch "{guard["vswitch"]}": the node cannot be reached after the change'
                f" ({waited:.0f} s, {answer}). It puts its old network configuration back by itself"
                f" {guard['timeout']} s after the change, or when it starts"
            )
        return {**result, "failed": True, "msg": message, "code": "guard"}
    return result


def _ask(action: Any, guard: Mapping[str, Any], deadline: float) -> str:
    """What the node says to the confirmation, or why it says nothing."""
    program = shlex.join(guard["confirm"])
    said = "no answer"
    while True:
        with contextlib.suppress(AnsibleError, NotImplementedError, AttributeError):
            action._connection.reset()
        try:
            answer = action._low_level_execute_command(program, sudoable=True)
            said = str(answer.get("stdout", "")).strip().rpartition("\n")[2]
            if said in ("confirmed", "restored"):
                return said
            said = str(answer.get("stderr", "")).strip() or "no answer"
        except AnsibleError as error:
            said = str(error)
        if time.monotonic() > deadline:
            return said
        time.sleep(1)
