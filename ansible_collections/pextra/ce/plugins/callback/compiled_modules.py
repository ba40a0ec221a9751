# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has modules sent with compiled code once a run has used them: plugin_utils/payloads.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: compiled_modules
type: aggregate
short_description: Have nodes compile a module once, not in every task
version_added: 0.1.0
description:
  - Ansible sends modules as source code, which the node compiles anew in every task. With this, a
    module that was used once in a run is sent with its compiled code beside the source.
  - A node whose Python is of another version than the controller's takes the source.
  - It prints nothing.
author:
  - pextra-ce contributors (@pextra-ce)
requirements:
  - It is enabled in the configuration, by C(callbacks_enabled = pextra.ce.compiled_modules) in the
    section C(defaults) or by C(ANSIBLE_CALLBACKS_ENABLED).
"""

from typing import Any

from ansible.plugins.callback import CallbackBase

from ansible_collections.pextra.ce.plugins.plugin_utils import payloads


class CallbackModule(CallbackBase):
    """What Ansible calls."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "pextra.ce.compiled_modules"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """After each turn of a loop: the next ones run the same module."""
        payloads.compile_used()

    def v2_runner_on_ok(self, result: Any) -> None:
        """After each task."""
        payloads.compile_used()
