# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a task in which nothing is left to be filled in."""

from __future__ import annotations

from typing import Any


class NotLiteral(Exception):
    """A value has, or may have, something that Ansible is to fill in, decrypt or leave out."""


def literal(value: Any) -> Any:
    """A value as JSON has it, without what Ansible keeps beside it.

    No text of it can be a template, whatever begins one in Jinja's overrides: every template has a
    brace, or names its own marks in its first line.

    Raises:
        NotLiteral: It is left to Ansible.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, str):
        if "{" in value or value.startswith("#jinja2:"):
            raise NotLiteral
        return str(value)
    if isinstance(value, dict):
        return {_key(key): literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [literal(item) for item in value]
    raise NotLiteral


def _key(key: Any) -> str:
    if not isinstance(key, str) or "{" in key:
        raise NotLiteral
    return str(key)
